using System.Buffers;
using System.Globalization;
using System.Text;

namespace Lintel.Features.Beams.Reports;

/// <summary>Results as a table: lengths mm, areas mm2, stresses N/mm2, moments kN.m, forces kN. What a beam did not say is there as it was designed with.</summary>
internal static class ResultCsv
{
    private static readonly BeamParameter[] Inputs =
        [BeamParameter.Width, BeamParameter.Depth, BeamParameter.Moment, BeamParameter.Shear, BeamParameter.Fck, BeamParameter.Fy, BeamParameter.Cover];

    private static readonly (string Part, string Name)[] Results =
    [
        ("flexure", "ast_required"), ("flexure", "asc_required"), ("flexure", "mu_lim"), ("flexure", "xu"), ("flexure", "xu_max"),
        ("shear", "tv"), ("shear", "tc"), ("shear", "tc_max"), ("shear", "vus"), ("shear", "spacing"),
    ];

    private static readonly SearchValues<char> Quoted = SearchValues.Create(",\"\r\n;\t");

    public static string Header { get; } = string.Join(
        ',', ["beam_id", "status", .. Inputs.Select(static input => BeamParameterRule.Of(input).Name), .. Results.Select(static result => result.Name), "utilization_ratio", "remarks"]) + "\r\n";

    public static void Append(StringBuilder text, ResultRow row)
    {
        Field(text, row.Id).Append(',').Append(row.Status);
        foreach (var parameter in Inputs)
        {
            text.Append(',');
            if (row.Input is { } input && (parameter != BeamParameter.Cover || input.HasCover))
            {
                text.Append(CultureInfo.InvariantCulture, $"{input[parameter]}");
            }
        }

        foreach (var (part, name) in Results)
        {
            text.Append(',').Append(row.Text(part, name, "0.###"));
        }

        text.Append(',').Append(row.IsDesigned ? row.UtilizationRatio.ToString("0.###", CultureInfo.InvariantCulture) : "").Append(',');
        Field(text, row.Remarks).Append("\r\n");
    }

    /// <summary>A field as RFC 4180 has it. What a spreadsheet would take for a formula is a text.</summary>
    private static StringBuilder Field(StringBuilder text, string value)
    {
        if (value.Length > 0 && "=+-@\t\r".Contains(value[0], StringComparison.Ordinal) && !double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out _))
        {
            value = "'" + value;
        }

        return value.AsSpan().ContainsAny(Quoted) ? text.Append('"').Append(value.Replace("\"", "\"\"", StringComparison.Ordinal)).Append('"') : text.Append(value);
    }
}
