using System.Buffers;
using Lintel.Is456;
using Lintel.Platform.Json;

namespace Lintel.Features.Beams;

/// <summary>The result of checking one section for its load cases, as JSON.</summary>
internal static class CheckResults
{
    /// <summary>Checks and writes <c>{"type":"check_result","latency_ms":…,"data":{…}}</c>.</summary>
    /// <param name="output">Takes the message.</param>
    /// <param name="check">The section and its cases, without errors.</param>
    /// <param name="time">The clock that <paramref name="started"/> was read from.</param>
    /// <param name="started">When the message arrived, by <see cref="TimeProvider.GetTimestamp"/>.</param>
    public static void WriteMessage(IBufferWriter<byte> output, in CheckParameters check, TimeProvider time, long started)
    {
        var designs = ArrayPool<BeamDesign>.Shared.Rent(check.Cases.Count);

        try
        {
            var summary = Check(check, designs);
            var json = new JsonText(output);
            json.Number("""{"type":"check_result","latency_ms":"""u8, Math.Round(time.GetElapsedTime(started).TotalMilliseconds, 2));
            json.Raw(""","data":"""u8);
            WriteData(ref json, check, designs, summary);
            json.Raw("}"u8);
            json.Complete();
        }
        finally
        {
            ArrayPool<BeamDesign>.Shared.Return(designs);
        }
    }

    /// <summary>Checks and writes the <c>data</c> object alone, which is also the answer of the REST route.</summary>
    public static void WriteData(IBufferWriter<byte> output, in CheckParameters check)
    {
        var designs = ArrayPool<BeamDesign>.Shared.Rent(check.Cases.Count);

        try
        {
            var summary = Check(check, designs);
            var json = new JsonText(output);
            WriteData(ref json, check, designs, summary);
            json.Complete();
        }
        finally
        {
            ArrayPool<BeamDesign>.Shared.Return(designs);
        }
    }

    private static CheckSummary Check(in CheckParameters check, Span<BeamDesign> designs) =>
        !check.Errors.Any && Beam.TryCheck(check.Section, check.Cases.Actions, default, designs, out var summary, out _)
            ? summary
            : throw new InvalidOperationException($"The check has errors: {check.Errors.Message}");

    private static void WriteData(ref JsonText json, in CheckParameters check, ReadOnlySpan<BeamDesign> designs, in CheckSummary summary)
    {
        WriteGoverning(ref json, "{"u8, check, summary);
        json.Raw(""","summary":"""u8);
        WriteGoverning(ref json, "{"u8, check, summary);
        json.Integer(""","num_failed_cases":"""u8, summary.FailedCases);
        json.Raw(summary.GoverningWorstCheck == WorstCheck.Shear
            ? ""","governing_worst_check":"shear" """u8[..^1]
            : ""","governing_worst_check":"flexure" """u8[..^1]);
        json.Number(""","governing_worst_utilization":"""u8, summary.GoverningWorstUtilization);
        json.Number(""","max_util_flexure":"""u8, summary.MaxFlexureUtilization);
        json.Number(""","max_util_shear":"""u8, summary.MaxShearUtilization);
        json.Raw(""","max_util_deflection":null,"max_util_crack_width":null}"""u8);
        json.Number(""","effective_depth_used":"""u8, check.Section.EffectiveDepth);
        json.Raw(""","cases":["""u8);

        for (var i = 0; i < summary.Cases; i++)
        {
            json.Raw(i == 0 ? ""u8 : ","u8);
            WriteCase(ref json, check, designs[i], i);
        }

        json.Raw("]}"u8);
    }

    private static void WriteGoverning(ref JsonText json, ReadOnlySpan<byte> open, in CheckParameters check, in CheckSummary summary)
    {
        json.Raw(open);
        json.Flag("\"is_ok\":"u8, summary.IsOk);
        json.Identifier(""","governing_case_id":"""u8, check.CaseId(summary.GoverningCase), "CASE_"u8, summary.GoverningCase);
        json.Number(""","governing_utilization":"""u8, summary.GoverningUtilization);
        json.Integer(""","num_cases":"""u8, summary.Cases);
    }

    private static void WriteCase(ref JsonText json, in CheckParameters check, in BeamDesign design, int index)
    {
        var actions = check.Cases.Actions[index];
        json.Identifier("""{"case_id":"""u8, check.CaseId(index), "CASE_"u8, index);
        json.Number(""","mu_knm":"""u8, actions.Moment);
        json.Number(""","vu_kn":"""u8, actions.Shear);
        json.Flag(""","is_ok":"""u8, design.IsOk);
        json.Number(""","governing_utilization":"""u8, design.Utilization);
        json.Number(""","utilizations":{"flexure":"""u8, design.Flexure.Utilization);
        json.Number(""","shear":"""u8, design.Shear.Utilization);
        json.Number("""},"ast_required":"""u8, design.Flexure.TensionSteel);
        json.Number(""","asc_required":"""u8, design.Flexure.CompressionSteel);
        json.Number(""","tau_v":"""u8, design.Shear.Stress);
        json.Number(""","tau_c":"""u8, design.Shear.Strength);
        json.Number(""","stirrup_spacing":"""u8, design.Shear.Spacing);
        json.Raw(""","failed_checks":"""u8);
        BeamRemarks.WriteFailedChecks(ref json, design.FailedChecks);
        json.Raw(""","warnings":"""u8);
        BeamRemarks.WriteWarnings(ref json, design.Warnings);
        json.Raw("}"u8);
    }
}
