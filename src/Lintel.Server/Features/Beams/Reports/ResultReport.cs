using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Unicode;

namespace Lintel.Features.Beams.Reports;

/// <summary>The calculation report: one page that needs nothing else, for a light or a dark screen and for paper. All that people wrote is escaped.</summary>
internal static class ResultReport
{
    private const int Columns = 17;

    // Two legs of 8 mm are 100.5 mm2, and 100 by their usual name.
    private const double StirrupTolerance = 0.01;
    private const int MostLegs = 6;

    // Leaves × and ² as they are.
    private static readonly HtmlEncoder Html = HtmlEncoder.Create(UnicodeRanges.All);

    private const string Style = """
        :root{color-scheme:light dark;--line:#ccd;--soft:#f3f4f8;--pass:#176b32;--fail:#a81919;--text:#1b1c22;--page:#fff}
        @media(prefers-color-scheme:dark){:root{--line:#3a3d4a;--soft:#22242d;--pass:#6fd08c;--fail:#ff8f8f;--text:#e8e9ef;--page:#16171d}}
        body{font:14px/1.45 system-ui,sans-serif;color:var(--text);background:var(--page);margin:2rem auto;max-width:96rem;padding:0 1rem}
        h1{font-size:1.5rem;margin:0 0 .25rem}h2{font-size:1.1rem;margin:1.5rem 0 .4rem}p,ul{margin:.4rem 0;max-width:60rem}li,p{overflow-wrap:break-word}a{color:inherit}
        dl{display:flex;flex-wrap:wrap;gap:.5rem 2.5rem;margin:1rem 0}dt{font-size:.8rem;opacity:.75}dd{margin:0;font-size:1.15rem}
        .scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:12.5px;font-variant-numeric:tabular-nums}
        th,td{padding:.25rem .45rem;text-align:right;vertical-align:top;white-space:nowrap}thead th{background:var(--soft);font-weight:600;line-height:1.3;vertical-align:bottom}
        thead small{display:block;font-weight:400;font-size:.85em;white-space:normal}tbody{border-top:1px solid var(--line)}
        tbody th,.t{text-align:left}tbody th{font-weight:600;white-space:normal;min-width:5.5rem;max-width:12rem;overflow-wrap:break-word}
        .r td{padding-top:0}.w{text-align:left;white-space:normal;overflow-wrap:break-word}:target{background:var(--soft)}.PASS{color:var(--pass)}.FAIL,.refused{color:var(--fail);font-weight:600}
        @page{size:A4 landscape;margin:12mm}
        @media print{:root{color-scheme:light;--line:#999;--soft:#eee;--pass:#000;--fail:#000;--text:#000;--page:#fff}body{margin:0;padding:0;max-width:none;font-size:11px}.scroll{overflow:visible}
        table{font-size:9.5px}th,td{padding:1.5px 4px}tbody th{min-width:4rem}thead{display:table-header-group}tbody,li{break-inside:avoid}h2{break-after:avoid}.PASS{font-weight:400}}
        """;

    // Symbol, unit and clauses of each column; the hyphens do not break.
    private static readonly (string Symbol, string Unit, string Clauses)[] Heads =
    [
        ("b × D", "mm", ""), ("bf × Df", "mm", "23.1.2"), ("cover", "mm", ""), ("d / d′", "mm", ""), ("fck / fy", "N/mm²", ""),
        ("Mu", "kN·m", ""), ("Mu,lim", "kN·m", "38.1, G‑1.1, G‑2.2"), ("xu / xu,max", "mm", "38.1"), ("Ast", "mm²", "G‑1, 26.5.1.1"), ("Asc", "mm²", "G‑1.2, 26.5.1.2"),
        ("Vu", "kN", ""), ("τv / τc / τc,max", "N/mm²", "40.1, 40.2, Tables 19 and 20"), ("Vus", "kN", "40.4"), ("Stirrups", "mm", "40.3, 40.4, 26.5.1.5, 26.5.1.6"), ("Utilization", "", ""),
    ];

    // What is said where it was not given; the last two have no number of their own.
    private static readonly (BeamParameter Parameter, string Name, string Unit)[] Defaults =
    [
        (BeamParameter.Width, "b", "mm"), (BeamParameter.Depth, "D", "mm"), (BeamParameter.Moment, "Mu", "kN·m"), (BeamParameter.Shear, "Vu", "kN"),
        (BeamParameter.Fck, "fck", "N/mm²"), (BeamParameter.Fy, "fy", "N/mm²"), (BeamParameter.Cover, "clear cover", "mm"), (BeamParameter.StirrupArea, "Asv", "mm²"),
        (BeamParameter.StirrupDiameter, "stirrup diameter", "mm"), (BeamParameter.MainBarDiameter, "main bar diameter", "mm"),
        (BeamParameter.EffectiveDepth, "d = D − cover − 8 mm, as no bar diameter was given", ""), (BeamParameter.CompressionSteelDepth, "d′ = 50 mm, as no bar diameter was given", ""),
    ];

    /// <summary>Title and sums.</summary>
    public static void Begin(StringBuilder text, ResultSummary summary)
    {
        text.Append("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>Beams to IS 456:2000</title>\n<style>\n")
            .Append(Style).Append("\n</style></head><body>\n<h1>Beams to IS 456:2000</h1>\n")
            .Append(CultureInfo.InvariantCulture, $"<p>Calculation report of batch {summary.JobId}, {summary.At.UtcDateTime:yyyy-MM-dd HH:mm} UTC. Limit state method; factored actions.</p>\n<dl>");
        Fact(text, "Beams", Whole(summary.Passed + summary.Failed + summary.Refused), null);
        Fact(text, "PASS", Whole(summary.Passed), "PASS");
        Fact(text, "FAIL", Whole(summary.Failed), summary.Failed > 0 ? "FAIL" : null);
        Fact(text, "refused", Whole(summary.Refused), summary.Refused > 0 ? "refused" : null);
        if (summary.Worst is { } worst)
        {
            Fact(text, "Greatest utilization", string.Create(CultureInfo.InvariantCulture, $"{worst.Utilization:0.00} {worst.Check} ({worst.Id})"), null);
        }

        text.Append("</dl>\n");
        if (summary.Failed + summary.Refused > 0)
        {
            text.Append("<h2>FAIL and refused</h2>\n<ul>\n");
        }
    }

    /// <summary>A beam that is not safe, in the list of those; others are passed over.</summary>
    public static void AppendUnsafe(StringBuilder text, ResultRow row)
    {
        if (row.Status != "PASS")
        {
            text.Append(CultureInfo.InvariantCulture, $"<li><a href=\"#beam-{row.Index + 1}\">{Html.Encode(row.Id)}</a> <span class=\"{Verdict(row)}\">{Verdict(row)}</span>: ")
                .Append(Html.Encode(row.Remarks)).Append("</li>\n");
        }
    }

    /// <summary>What all of it rests on, and the head of the table.</summary>
    public static void BeginTable(StringBuilder text, ResultSummary summary)
    {
        text.Append(summary.Failed + summary.Refused > 0 ? "</ul>\n" : "").Append("<h2>Basis</h2>\n");
        AppendDefaults(text, summary);
        text.Append("<p>Flexure: stress block of 38.1, steel and Mu,lim from Annex G, least and greatest steel 26.5.1.1 and 26.5.1.2. ")
            .Append("Where a bar diameter was given, d = D − cover − stirrup − half a main bar. ")
            .Append("Shear: 40.1 to 40.4, τc from Table 19 for the required Ast, τc,max from Table 20; stirrups count at most as Fe 415, and their spacing keeps to 26.5.1.5 and 26.5.1.6. ")
            .Append("Ast and Asc are the steel required, rounded up. 2L-8 @ 175 is two legs of 8 mm at 175 mm; where Asv is not that of whole legs of the stirrup, the area is given. ")
            .Append("Utilization is the larger of Mu/Mu,lim (1 when doubly reinforced and safe) and τv/τc,max. A beam is PASS when flexure and shear are both safe.</p>\n")
            .Append("<h2>Beams</h2>\n<div class=\"scroll\"><table><thead><tr><th scope=\"col\" class=\"t\">Beam</th>");
        foreach (var (symbol, unit, clauses) in Heads)
        {
            text.Append("<th scope=\"col\">").Append(symbol).Append("<small>").Append(unit).Append("</small>").Append(clauses.Length > 0 ? $"<small>{clauses}</small>" : "").Append("</th>");
        }

        text.Append("<th scope=\"col\" class=\"t\">Result</th></tr></thead>\n");
    }

    public static void Append(StringBuilder text, ResultRow row)
    {
        text.Append(CultureInfo.InvariantCulture, $"<tbody id=\"beam-{row.Index + 1}\"><tr><th scope=\"row\">{Html.Encode(row.Id)}</th>");
        var remarks = "";
        if (row.Input is { } input)
        {
            AppendDesign(text, row, input);
            remarks = string.Join("; ", new[] { row.Remarks, StirrupRemark(input) }.Where(static remark => remark.Length > 0));
        }
        else
        {
            text.Append(CultureInfo.InvariantCulture, $"<td class=\"w\" colspan=\"{Columns - 2}\">{Html.Encode(row.Remarks)}</td>");
        }

        Cell(text, Verdict(row), "t " + Verdict(row));
        text.Append("</tr>");
        if (remarks.Length > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"<tr class=\"r\"><td></td><td class=\"w\" colspan=\"{Columns - 1}\">{Html.Encode(remarks)}</td></tr>");
        }

        text.Append("</tbody>\n");
    }

    public static void End(StringBuilder text) =>
        text.Append("</table></div>\n<p>The engineer responsible must check the input, the load cases and the detailing.</p>\n</body></html>\n");

    private static void AppendDesign(StringBuilder text, ResultRow row, DesignedBeamInput input)
    {
        var section = input.Section;
        Cell(text, $"{Given(input, BeamParameter.Width)} × {Given(input, BeamParameter.Depth)}");
        Cell(text, section.IsFlanged ? $"{Given(input, BeamParameter.FlangeWidth)} × {Given(input, BeamParameter.FlangeDepth)}" : "–");
        Cell(text, input.HasCover ? Given(input, BeamParameter.Cover) : "–");
        Cell(text, $"{Exact(section.EffectiveDepth)}{DepthMark(input, BeamParameter.EffectiveDepth)} / {Exact(section.CompressionSteelDepth)}{DepthMark(input, BeamParameter.CompressionSteelDepth)}");
        Cell(text, $"{Given(input, BeamParameter.Fck)} / {Given(input, BeamParameter.Fy)}");
        Cell(text, Given(input, BeamParameter.Moment));
        Cell(text, row.Text("flexure", "mu_lim", "0.0"));
        Cell(text, $"{row.Text("flexure", "xu", "0.0")} / {row.Text("flexure", "xu_max", "0.0")}");

        // Steel is never rounded down.
        Cell(text, Exact(Math.Ceiling(row.Number("flexure", "ast_required"))));
        Cell(text, Exact(Math.Ceiling(row.Number("flexure", "asc_required"))));
        Cell(text, Given(input, BeamParameter.Shear));
        Cell(text, $"{row.Text("shear", "tv", "0.00")} / {row.Text("shear", "tc", "0.00")} / {row.Text("shear", "tc_max", "0.00")}");

        // No stirrups help where the section must grow.
        var hasStirrups = row.Number("shear", "spacing") > 0;
        Cell(text, hasStirrups ? row.Text("shear", "vus", "0.0") : "–");
        Cell(text, hasStirrups ? $"{Stirrup(input)} @ {row.Text("shear", "spacing", "0")}" : "–");
        var (utilization, check) = row.Governing;
        Cell(text, string.Create(CultureInfo.InvariantCulture, $"{utilization:0.00} {check}"));
    }

    private static void AppendDefaults(StringBuilder text, ResultSummary summary)
    {
        var values = new BeamParameterValues();
        var taken = (from each in Defaults
                     let beams = summary.Defaults(each.Parameter)
                     where beams > 0
                     let value = each.Unit.Length > 0 ? $"{each.Name} = {Exact(values[each.Parameter])} {each.Unit}" : each.Name
                     select string.Create(CultureInfo.InvariantCulture, $"<li>{value}: {beams} {(beams == 1 ? "beam" : "beams")}</li>\n")).ToList();
        if (taken.Count > 0)
        {
            text.Append("<p>Defaults were taken for what a beam was sent without; * marks them in the table.</p>\n<ul>\n").AppendJoin("", taken).Append("</ul>\n");
        }
        else
        {
            text.Append("<p>No default was taken: every beam was sent with all that it was designed with.</p>\n");
        }
    }

    /// <summary>The stirrup by legs and diameter where its area is theirs, otherwise its area.</summary>
    private static string Stirrup(DesignedBeamInput input)
    {
        var area = input[BeamParameter.StirrupArea];
        var legs = (int)Math.Round(Math.Min(area / LegArea(input), MostLegs + 1));
        var name = legs is >= 2 and <= MostLegs && Math.Abs((legs * LegArea(input)) - area) <= StirrupTolerance * area
            ? $"{legs}L-{Exact(input[BeamParameter.StirrupDiameter])}"
            : $"Asv {Exact(area)}";
        return name + Mark(input, BeamParameter.StirrupArea);
    }

    /// <summary>Two legs of the stirrup that was named would be less than was counted on.</summary>
    private static string StirrupRemark(DesignedBeamInput input) =>
        input.Has(BeamParameter.StirrupDiameter) && input.IsDefault(BeamParameter.StirrupArea) && 2 * LegArea(input) < input[BeamParameter.StirrupArea] * (1 - StirrupTolerance)
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"stirrups: two legs of {input[BeamParameter.StirrupDiameter]} mm have {Math.Floor(2 * LegArea(input))} mm², less than the Asv of {input[BeamParameter.StirrupArea]} mm² that the spacing is for: give asv")
            : "";

    private static double LegArea(DesignedBeamInput input) => Math.PI / 4 * input[BeamParameter.StirrupDiameter] * input[BeamParameter.StirrupDiameter];

    private static string Verdict(ResultRow row) => row.IsDesigned ? row.Status : "refused";

    private static string Given(DesignedBeamInput input, BeamParameter parameter) => Exact(input[parameter]) + Mark(input, parameter);

    private static string Mark(DesignedBeamInput input, BeamParameter parameter) => input.IsDefault(parameter) ? "*" : "";

    /// <summary>A depth rests on a default also where it comes from one bar that was given and one that was not.</summary>
    private static string DepthMark(DesignedBeamInput input, BeamParameter depth) =>
        !input.Has(depth) && (input.IsDefault(depth) || input.IsDefault(BeamParameter.StirrupDiameter) || input.IsDefault(BeamParameter.MainBarDiameter)) ? "*" : "";

    private static string Exact(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);

    private static string Whole(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static void Fact(StringBuilder text, string name, string value, string? kind) =>
        text.Append("<div><dt>").Append(name).Append("</dt><dd").Append(kind is null ? "" : $" class=\"{kind}\"").Append('>').Append(Html.Encode(value)).Append("</dd></div>");

    private static void Cell(StringBuilder text, string value, string? kind = null) =>
        text.Append(kind is null ? "<td>" : $"<td class=\"{kind}\">").Append(Html.Encode(value)).Append("</td>");
}
