using Lintel.Is456;
using Lintel.Platform.Json;

namespace Lintel.Features.Beams;

/// <summary>What a result says in words.</summary>
internal static class BeamRemarks
{
    // Plain ASCII without quotes or backslashes: they are written into JSON as they are.
    private static readonly (FailedChecks Check, byte[] Text)[] Failures =
    [
        (FailedChecks.TensionSteelAboveMaximum, "flexure (tension steel above 4 % of the section)"u8.ToArray()),
        (FailedChecks.CompressionSteelAboveMaximum, "flexure (compression steel above 4 % of the section)"u8.ToArray()),
        (FailedChecks.CompressionSteelCannotWork, "flexure (moment above the limiting moment and compression steel too deep to help)"u8.ToArray()),
        (FailedChecks.ShearStressAboveCeiling, "shear (tau_v above tau_c_max: the section must grow)"u8.ToArray()),
    ];

    private static readonly (BeamWarnings Warning, byte[] Text)[] Cautions =
    [
        (BeamWarnings.ConcreteAboveM55, "fck is above 55 N/mm2, where IS 456 says its parameters may not apply"u8.ToArray()),
        (BeamWarnings.StirrupsTooClose, "stirrups closer than 75 mm: use more legs or a larger diameter"u8.ToArray()),
    ];

    /// <summary>Writes <c>["…","…"]</c>.</summary>
    public static void WriteFailedChecks(ref JsonText json, FailedChecks failed)
    {
        json.Raw("["u8);
        WriteJoined(ref json, failed, "\",\""u8, "\""u8);
        json.Raw("]"u8);
    }

    /// <summary>Writes the failed checks as they stand inside a JSON string, between nothing and nothing.</summary>
    public static void WriteFailedText(ref JsonText json, FailedChecks failed) => WriteJoined(ref json, failed, "; "u8, ""u8);

    /// <summary>Writes <c>["…","…"]</c>.</summary>
    public static void WriteWarnings(ref JsonText json, BeamWarnings warnings)
    {
        json.Raw("["u8);
        var any = false;

        foreach (var (warning, text) in Cautions)
        {
            if ((warnings & warning) != BeamWarnings.None)
            {
                json.Raw(any ? ",\""u8 : "\""u8);
                json.Raw(text);
                json.Raw("\""u8);
                any = true;
            }
        }

        json.Raw("]"u8);
    }

    private static void WriteJoined(ref JsonText json, FailedChecks failed, ReadOnlySpan<byte> between, ReadOnlySpan<byte> around)
    {
        if (failed == FailedChecks.None)
        {
            return;
        }

        var any = false;
        json.Raw(around);

        foreach (var (check, text) in Failures)
        {
            if ((failed & check) != FailedChecks.None)
            {
                json.Raw(any ? between : ""u8);
                json.Raw(text);
                any = true;
            }
        }

        json.Raw(around);
    }
}
