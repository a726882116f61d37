using System.Buffers;
using Lintel.Is456;
using Lintel.Platform.Json;

namespace Lintel.Features.Beams;

/// <summary>
/// The result of designing one beam, as JSON. It answers by the field names of both generations of clients: <c>tv</c> and <c>tau_v</c>,
/// <c>mu_lim</c> and <c>moment_capacity</c>, <c>spacing</c> and <c>stirrup_spacing</c>, and so on.
/// </summary>
internal static class BeamResults
{
    // Clients draw this as a bar that ends at twice the capacity.
    private const double MaxUtilizationRatio = 2;

    /// <summary>Designs the beam and writes <c>{"type":"design_result","latency_ms":…,"data":{…}}</c>.</summary>
    /// <param name="output">Takes the message.</param>
    /// <param name="beam">The beam, without errors.</param>
    /// <param name="time">The clock that <paramref name="started"/> was read from.</param>
    /// <param name="started">When the message arrived, by <see cref="TimeProvider.GetTimestamp"/>.</param>
    public static void WriteMessage(IBufferWriter<byte> output, in BeamParameters beam, TimeProvider time, long started)
    {
        var design = beam.Design();
        var json = new JsonText(output);
        json.Number("""{"type":"design_result","latency_ms":"""u8, Math.Round(time.GetElapsedTime(started).TotalMilliseconds, 2));
        json.Raw(""","data":"""u8);
        WriteData(ref json, beam.Section, design);
        json.Raw("}"u8);
        json.Complete();
    }

    /// <summary>Designs the beam, which has no errors, and writes the <c>data</c> object alone: the answer of the REST route.</summary>
    public static void WriteData(IBufferWriter<byte> output, in BeamParameters beam)
    {
        var json = new JsonText(output);
        WriteData(ref json, beam.Section, beam.Design());
        json.Complete();
    }

    /// <summary>Writes <c>,"fields":{field:[message, …], …}</c>.</summary>
    internal static void WriteFields(ref JsonText json, in FieldErrors errors)
    {
        json.Raw(""","fields":"""u8);
        var between = "{"u8;

        foreach (var (field, messages) in errors.ToDictionary())
        {
            json.Text(between, field);
            between = ":["u8;

            foreach (var message in messages)
            {
                json.Text(between, message);
                between = ","u8;
            }

            json.Raw("]"u8);
        }

        json.Raw("}"u8);
    }

    internal static void WriteVerdict(ref JsonText json, in BeamDesign design)
    {
        var isOk = design.IsOk;
        json.Flag("""{"success":"""u8, isOk);
        WriteSentence(ref json, design);
        json.Raw(isOk ? ""","status":"PASS","is_ok":true,"is_safe":true"""u8 : ""","status":"FAIL","is_ok":false,"is_safe":false"""u8);
        json.Number(""","governing_utilization":"""u8, design.Utilization);
        WriteUtilizations(ref json, design);
    }

    internal static void WriteUtilizations(ref JsonText json, in BeamDesign design)
    {
        json.Number(""","utilization_ratio":"""u8, Math.Min(design.Utilization, MaxUtilizationRatio));
        json.Number(""","utilizations":{"flexure":"""u8, design.Flexure.Utilization);
        json.Number(""","shear":"""u8, design.Shear.Utilization);
        json.Raw("}"u8);
    }

    /// <summary>Writes <c>,"shear":{</c> and what every result says of shear; the caller goes on inside.</summary>
    internal static void WriteStresses(ref JsonText json, in ShearResult shear)
    {
        json.Number(""","shear":{"tv":"""u8, shear.Stress);
        json.Number(""","tau_v":"""u8, shear.Stress);
        json.Number(""","tc":"""u8, shear.Strength);
        json.Number(""","tau_c":"""u8, shear.Strength);
        json.Number(""","tc_max":"""u8, shear.Ceiling);
        json.Number(""","tau_c_max":"""u8, shear.Ceiling);
        json.Number(""","vus":"""u8, shear.StirrupShear);
        json.Number(""","spacing":"""u8, shear.Spacing);
        json.Number(""","stirrup_spacing":"""u8, shear.Spacing);
    }

    private static void WriteData(ref JsonText json, in BeamSection section, in BeamDesign design)
    {
        WriteVerdict(ref json, design);
        WriteFlexure(ref json, design.Flexure);
        WriteShear(ref json, design.Shear);
        json.Number(""","ast_total":"""u8, design.Flexure.TensionSteel);
        json.Number(""","asc_total":"""u8, design.Flexure.CompressionSteel);
        json.Number(""","effective_depth_used":"""u8, section.EffectiveDepth);
        json.Number(""","compression_steel_depth_used":"""u8, section.CompressionSteelDepth);
        WriteSideFace(ref json, SideFaceSteel.For(section.Width, section.Depth));
        json.Raw(""","failed_checks":"""u8);
        BeamRemarks.WriteFailedChecks(ref json, design.FailedChecks);
        json.Raw(""","warnings":"""u8);
        BeamRemarks.WriteWarnings(ref json, design.Warnings);
        json.Raw("}"u8);
    }

    private static void WriteSentence(ref JsonText json, in BeamDesign design)
    {
        if (design.IsOk)
        {
            json.Integer(""","message":"Design complete: Ast = """u8, (long)Math.Round(design.Flexure.TensionSteel));
            json.Raw(""" mm2" """u8[..^1]);
        }
        else
        {
            json.Raw(""","message":"Design failed: """u8);
            BeamRemarks.WriteFailedText(ref json, design.FailedChecks);
            json.Raw("\""u8);
        }
    }

    private static void WriteFlexure(ref JsonText json, in FlexureResult flexure)
    {
        json.Number(""","flexure":{"ast_required":"""u8, flexure.TensionSteel);
        json.Number(""","ast_min":"""u8, flexure.MinTensionSteel);
        json.Number(""","ast_max":"""u8, flexure.MaxSteel);
        json.Number(""","asc_required":"""u8, flexure.CompressionSteel);
        json.Number(""","mu_lim":"""u8, flexure.LimitingMoment);
        json.Number(""","moment_capacity":"""u8, flexure.LimitingMoment);
        json.Number(""","xu":"""u8, flexure.NeutralAxis);
        json.Number(""","xu_max":"""u8, flexure.NeutralAxisLimit);
        json.Flag(""","is_under_reinforced":"""u8, flexure.NeutralAxis <= flexure.NeutralAxisLimit);
        json.Flag(""","is_doubly_reinforced":"""u8, flexure.IsDoublyReinforced);
        json.Number(""","utilization":"""u8, flexure.Utilization);
        json.Flag(""","is_safe":"""u8, flexure.IsSafe);
        json.Raw("}"u8);
    }

    private static void WriteShear(ref JsonText json, in ShearResult shear)
    {
        WriteStresses(ref json, shear);
        json.Number(""","asv_required":"""u8, shear.StirrupAreaPerLength);
        json.Number(""","sv_max":"""u8, Stirrups.MaxSpacing);
        json.Number(""","shear_capacity":"""u8, shear.Capacity);
        json.Number(""","utilization":"""u8, shear.Utilization);
        json.Flag(""","is_safe":"""u8, shear.IsSafe);
        json.Raw("}"u8);
    }

    private static void WriteSideFace(ref JsonText json, in SideFaceSteel steel)
    {
        if (!steel.IsRequired)
        {
            json.Raw(""","side_face":null"""u8);
            return;
        }

        json.Number(""","side_face":{"area":"""u8, steel.Area);
        json.Number(""","area_per_face":"""u8, steel.AreaPerFace);
        json.Number(""","max_spacing":"""u8, steel.MaxSpacing);
        json.Raw("}"u8);
    }
}
