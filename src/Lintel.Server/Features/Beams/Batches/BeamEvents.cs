using System.Buffers;
using Lintel.Is456;
using Lintel.Platform.Json;

namespace Lintel.Features.Beams.Batches;

/// <summary>What became of one beam of a batch.</summary>
internal enum BeamOutcome
{
    /// <summary>Designed and safe: a <c>design_result</c> with status PASS.</summary>
    Pass,

    /// <summary>Designed and not safe: a <c>design_result</c> with status FAIL.</summary>
    Fail,

    /// <summary>Not designed for its parameters are wrong: an <c>error</c>.</summary>
    Refused,
}

/// <summary>The events of a batch that concern one beam, as JSON on one line. Shorter than a live result: a batch sends thousands.</summary>
internal static class BeamEvents
{
    /// <summary>Designs <paramref name="beam"/> and writes the body of its <c>design_result</c> or <c>error</c> event.</summary>
    /// <param name="output">Takes the body, without the event's name.</param>
    /// <param name="beam">The beam, with or without errors.</param>
    /// <param name="index">The beam's position in the batch, from 0.</param>
    public static BeamOutcome Write(IBufferWriter<byte> output, in BeamParameters beam, int index)
    {
        if (beam.Errors.Any)
        {
            WriteError(output, beam, index);
            return BeamOutcome.Refused;
        }

        var design = beam.Design();
        WriteResult(output, beam, design, index);
        return design.IsOk ? BeamOutcome.Pass : BeamOutcome.Fail;
    }

    private static void WriteResult(IBufferWriter<byte> output, in BeamParameters beam, in BeamDesign design, int index)
    {
        var json = new JsonText(output);
        WriteHead(ref json, beam, index);
        json.Echo(""","input":"""u8, beam.Json);
        WriteFlexure(ref json, design.Flexure);
        WriteShear(ref json, design.Shear);
        json.Raw(design.IsOk
            ? ""","status":"PASS","design_succeeded":true,"is_safe":true"""u8
            : ""","status":"FAIL","design_succeeded":true,"is_safe":false"""u8);
        BeamResults.WriteUtilizations(ref json, design);
        json.Raw(""","failed_checks":"""u8);
        BeamRemarks.WriteFailedChecks(ref json, design.FailedChecks);

        if (design.Warnings != BeamWarnings.None)
        {
            json.Raw(""","warnings":"""u8);
            BeamRemarks.WriteWarnings(ref json, design.Warnings);
        }

        json.Raw("}"u8);
        json.Complete();
    }

    private static void WriteError(IBufferWriter<byte> output, in BeamParameters beam, int index)
    {
        var json = new JsonText(output);
        WriteHead(ref json, beam, index);
        json.Text(""","message":"""u8, beam.Errors.Message);
        BeamResults.WriteFields(ref json, beam.Errors);
        json.Raw("}"u8);
        json.Complete();
    }

    private static void WriteHead(ref JsonText json, in BeamParameters beam, int index)
    {
        json.Identifier("""{"beam_id":"""u8, beam.Id, "beam_"u8, index);
        json.Integer(""","index":"""u8, index);
    }

    private static void WriteFlexure(ref JsonText json, in FlexureResult flexure)
    {
        json.Number(""","flexure":{"ast_required":"""u8, flexure.TensionSteel);
        json.Number(""","asc_required":"""u8, flexure.CompressionSteel);
        json.Number(""","mu_lim":"""u8, flexure.LimitingMoment);
        json.Number(""","xu":"""u8, flexure.NeutralAxis);
        json.Number(""","xu_max":"""u8, flexure.NeutralAxisLimit);
        json.Flag(""","is_safe":"""u8, flexure.IsSafe);
        json.Raw("}"u8);
    }

    private static void WriteShear(ref JsonText json, in ShearResult shear)
    {
        BeamResults.WriteStresses(ref json, shear);
        json.Flag(""","is_safe":"""u8, shear.IsSafe);
        json.Raw("}"u8);
    }
}
