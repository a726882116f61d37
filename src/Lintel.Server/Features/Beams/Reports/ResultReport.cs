using System.Globalization;
using System.Net;
using System.Text;

namespace Lintel.Features.Beams.Reports;

/// <summary>What a batch came to, for the head of its report.</summary>
/// <param name="Worst">The beam with the greatest utilization, and that.</param>
internal readonly record struct ResultSummary(Guid JobId, DateTimeOffset At, int Passed, int Failed, int Refused, (string Id, double Utilization) Worst);

/// <summary>The calculation report: one page that needs nothing else, for a light or a dark screen and for paper. All that people wrote is escaped.</summary>
internal static class ResultReport
{
    private const string Style = """
        :root{color-scheme:light dark;--line:#ccd;--soft:#f3f4f8;--pass:#176b32;--fail:#a81919;--text:#1b1c22;--page:#fff}
        @media(prefers-color-scheme:dark){:root{--line:#3a3d4a;--soft:#22242d;--pass:#6fd08c;--fail:#ff8f8f;--text:#e8e9ef;--page:#16171d}}
        body{font:14px/1.45 system-ui,sans-serif;color:var(--text);background:var(--page);margin:2rem auto;max-width:76rem;padding:0 1rem}
        h1{font-size:1.5rem;margin:0 0 .25rem}dl{display:flex;flex-wrap:wrap;gap:.5rem 2.5rem;margin:1rem 0 1.5rem}dt{font-size:.8rem;opacity:.75}dd{margin:0;font-size:1.15rem}
        table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}th,td{padding:.3rem .55rem;border-bottom:1px solid var(--line);text-align:right;vertical-align:top}
        th{background:var(--soft);font-weight:600}.t{text-align:left;overflow-wrap:anywhere}.PASS{color:var(--pass)}.FAIL,.REFUSED{color:var(--fail);font-weight:600}
        @media print{:root{--line:#999;--soft:#eee;--pass:#000;--fail:#000;--text:#000;--page:#fff}body{margin:0;max-width:none;font-size:10px}thead{display:table-header-group}tr{break-inside:avoid}}
        """;

    public static void Begin(StringBuilder text, ResultSummary summary)
    {
        var total = summary.Passed + summary.Failed + summary.Refused;
        text.Append("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>Beams to IS 456:2000</title>\n<style>\n")
            .Append(Style).Append("\n</style></head><body>\n<h1>Beams to IS 456:2000</h1>\n")
            .Append(CultureInfo.InvariantCulture, $"<p>Calculation report of batch {summary.JobId}, {summary.At.UtcDateTime:yyyy-MM-dd HH:mm} UTC. Limit state method; factored actions.</p>\n<dl>");
        Fact(text, "Beams", total.ToString(CultureInfo.InvariantCulture), null);
        Fact(text, "Safe", summary.Passed.ToString(CultureInfo.InvariantCulture), "PASS");
        Fact(text, "Not safe", summary.Failed.ToString(CultureInfo.InvariantCulture), summary.Failed > 0 ? "FAIL" : null);
        Fact(text, "Refused", summary.Refused.ToString(CultureInfo.InvariantCulture), summary.Refused > 0 ? "REFUSED" : null);
        if (summary.Worst.Id.Length > 0)
        {
            Fact(text, "Greatest utilization", string.Create(CultureInfo.InvariantCulture, $"{summary.Worst.Utilization:0.00} ({summary.Worst.Id})"), null);
        }

        text.Append("</dl>\n<table><thead><tr><th class=\"t\">Beam</th><th>b × D<br>mm</th><th>Mu<br>kN·m</th><th>Vu<br>kN</th><th>Mu,lim<br>kN·m</th><th>xu / xu,max<br>mm</th>")
            .Append("<th>Ast<br>mm²</th><th>Asc<br>mm²</th><th>τv / τc / τc,max<br>N/mm²</th><th>Stirrups<br>mm</th><th>Utilization</th><th class=\"t\">Result</th><th class=\"t\">Remarks</th></tr></thead><tbody>\n");
    }

    public static void Append(StringBuilder text, ResultRow row)
    {
        Cell(text.Append("<tr>"), row.Id, "t");
        Cell(text, Pair(row.Input("width"), " × ", row.Input("depth")));
        Cell(text, row.Input("moment"));
        Cell(text, row.Input("shear"));
        Cell(text, row.Number("flexure", "mu_lim", "0.0"));
        Cell(text, Pair(row.Number("flexure", "xu", "0.0"), " / ", row.Number("flexure", "xu_max", "0.0")));
        Cell(text, row.Number("flexure", "ast_required", "0"));
        Cell(text, row.Number("flexure", "asc_required", "0"));
        Cell(text, Pair(Pair(row.Number("shear", "tv", "0.00"), " / ", row.Number("shear", "tc", "0.00")), " / ", row.Number("shear", "tc_max", "0.00")));
        Cell(text, row.Number("shear", "spacing", "0"));
        Cell(text, row.IsDesigned ? row.Utilization.ToString("0.00", CultureInfo.InvariantCulture) : "");
        Cell(text, row.Status, "t " + row.Status);
        Cell(text, row.Remarks, "t");
        text.Append("</tr>\n");
    }

    public static void End(StringBuilder text) => text.Append(
        "</tbody></table>\n<p>Shear strength of the concrete from Table 19, its ceiling from Table 20; stirrups as placed, of the area that each beam was sent with. "
        + "An engineer must check what the numbers rest on.</p>\n</body></html>\n");

    private static string Pair(string first, string between, string second) => first.Length == 0 && second.Length == 0 ? "" : first + between + second;

    private static void Fact(StringBuilder text, string name, string value, string? kind) =>
        text.Append("<div><dt>").Append(name).Append("</dt><dd").Append(kind is null ? "" : $" class=\"{kind}\"").Append('>').Append(WebUtility.HtmlEncode(value)).Append("</dd></div>");

    private static void Cell(StringBuilder text, string value, string? kind = null) =>
        text.Append(kind is null ? "<td>" : $"<td class=\"{kind}\">").Append(WebUtility.HtmlEncode(value)).Append("</td>");
}
