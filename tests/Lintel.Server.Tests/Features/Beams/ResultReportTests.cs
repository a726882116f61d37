using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Lintel.Features.Beams.Batches;
using Lintel.Features.Beams.Reports;

namespace Lintel.Features.Beams;

/// <summary>What a report and a table of results say of a beam.</summary>
public sealed class ResultReportTests
{
    private const string Whole =
        """{"id":"B1","width":300,"depth":500,"moment":120,"shear":80,"fck":30,"fy":415,"cover":30,"stirrup_dia_mm":8,"main_bar_dia_mm":20,"asv":100.53}""";

    [Fact]
    public void A_beam_has_all_that_its_numbers_can_be_checked_from()
    {
        var report = Report(Whole);

        Assert.Contains("<td>300 × 500</td><td>–</td><td>30</td><td>452 / 48</td><td>30 / 415</td><td>120</td>", report, StringComparison.Ordinal);
        Assert.Contains("<td>2L-8 @ 300</td>", report, StringComparison.Ordinal);
        Assert.Contains(" flexure</td><td class=\"t PASS\">PASS</td>", report, StringComparison.Ordinal);
        Assert.Contains("No default was taken", report, StringComparison.Ordinal);
        Assert.Contains("<p>The engineer responsible must check the input, the load cases and the detailing.</p>", report, StringComparison.Ordinal);

        // Every head names its column, and every row has as many cells.
        var heads = Count(report, "<th scope=\"col\"");
        Assert.Equal(heads, Count(report, "<td") + Count(report, "<th scope=\"row\""));
        Assert.Equal(heads, Count(report, "<th ") - Count(report, "<th scope=\"row\""));
    }

    [Fact]
    public void What_was_not_given_is_told_and_marked_in_both_files()
    {
        string[] beams = ["""{"id":"B1","width":300,"depth":500,"moment":120,"shear":80}""", Whole];
        var report = Report(beams);

        Assert.Contains("<td>40*</td><td>452* / 50*</td><td>25* / 500*</td>", report, StringComparison.Ordinal);
        Assert.Contains("<td>2L-8* @ ", report, StringComparison.Ordinal);
        foreach (var text in new[] { "fck = 25 N/mm²", "fy = 500 N/mm²", "clear cover = 40 mm", "Asv = 100 mm²", "d = D − cover − 8 mm, as no bar diameter was given" })
        {
            Assert.Contains($"<li>{text}: 1 beam</li>", report, StringComparison.Ordinal);
        }

        Assert.DoesNotContain("<li>b = ", report, StringComparison.Ordinal);
        var table = Table(beams);
        Assert.StartsWith("B1,PASS,300,500,120,80,25,500,40,", table[1], StringComparison.Ordinal);
        Assert.StartsWith("B1,PASS,300,500,120,80,30,415,30,", table[2], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", true, "40*", "452* / 50*", true)]
    [InlineData(""","effective_depth":440""", false, "–", "440 / 50*", true)]
    [InlineData(""","effective_depth":440,"main_bar_dia_mm":25""", true, "40*", "440 / 60.5*", false)]
    [InlineData(""","effective_depth":440,"main_bar_dia_mm":25,"dd":55""", false, "–", "440 / 55", false)]
    [InlineData(""","effective_depth":440,"cover":35""", true, "35", "440 / 50*", true)]
    [InlineData(""","stirrup_dia_mm":10,"main_bar_dia_mm":25""", true, "40*", "437.5 / 62.5", false)]
    public void A_cover_that_nothing_comes_from_is_no_default(string more, bool isTold, string cover, string depths, bool isFifty)
    {
        var beam = $$"""{"width":300,"depth":500,"moment":120,"shear":80{{more}}}""";
        var report = Report(beam);

        Assert.Contains($"<td>{cover}</td><td>{depths}</td>", report, StringComparison.Ordinal);
        Assert.Equal(isTold ? cover.TrimEnd('*') : "", Table(beam)[1].Split(',')[8]);
        Assert.Equal(isFifty, report.Contains("<li>d′ = 50 mm", StringComparison.Ordinal));
        Assert.Equal(cover.EndsWith('*'), report.Contains("<li>clear cover = 40 mm: 1 beam</li>", StringComparison.Ordinal));
    }

    [Fact]
    public void The_defaults_that_a_report_tells_are_those_that_beams_get()
    {
        var (section, actions) = BeamText.Read("{}");
        var report = Report("{}");

        Assert.Equal(50, section.CompressionSteelDepth);
        Assert.Equal(section.Depth - 40 - 8, section.EffectiveDepth);
        foreach (var text in new[]
        {
            Told($"b = {section.Width} mm"), Told($"D = {section.Depth} mm"), Told($"Mu = {actions.Moment} kN·m"), Told($"Vu = {actions.Shear} kN"),
            Told($"fck = {section.ConcreteStrength} N/mm²"), Told($"fy = {section.SteelStrength} N/mm²"), Told($"Asv = {section.StirrupArea} mm²"),
        })
        {
            Assert.Contains($"<li>{text}: 1 beam</li>", report, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Required_steel_is_never_rounded_down()
    {
        // Over many moments there are fractions below and above a half.
        foreach (var moment in Enumerable.Range(60, 40))
        {
            var beam = string.Create(CultureInfo.InvariantCulture, $"{{\"moment\":{moment}}}");
            var steel = BeamText.Event(beam).Body["flexure"]!["ast_required"]!.GetValue<double>();
            Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"<td>{Math.Ceiling(steel)}</td><td>0</td>"), Report(beam), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void What_is_not_safe_is_listed_first_and_linked()
    {
        var report = Report(Whole, """{"id":"<b>","moment":9000}""", """{"id":"B3","width":1}""", """{"id":"B4","shear":2000}""");
        var (list, table) = (report[..report.IndexOf("<table", StringComparison.Ordinal)], report[report.IndexOf("<table", StringComparison.Ordinal)..]);

        Assert.Contains("<li><a href=\"#beam-2\">&lt;b&gt;</a> <span class=\"FAIL\">FAIL</span>: flexure (", list, StringComparison.Ordinal);
        Assert.Contains("<li><a href=\"#beam-3\">B3</a> <span class=\"refused\">refused</span>: width must be between 100 and 2000 mm</li>", list, StringComparison.Ordinal);
        Assert.Contains("<li><a href=\"#beam-4\">B4</a>", list, StringComparison.Ordinal);
        Assert.DoesNotContain("#beam-1\"", list, StringComparison.Ordinal);
        Assert.All([1, 2, 3, 4], number => Assert.Equal(1, Count(table, $"<tbody id=\"beam-{number}\">")));
        Assert.Contains("<th scope=\"row\">B3</th><td class=\"w\" colspan=\"15\">width must be between 100 and 2000 mm</td><td class=\"t refused\">refused</td></tr></tbody>", table, StringComparison.Ordinal);
        Assert.Contains("<dd class=\"PASS\">1</dd></div><div><dt>FAIL</dt><dd class=\"FAIL\">2</dd></div><div><dt>refused</dt><dd class=\"refused\">1</dd>", list, StringComparison.Ordinal);
        Assert.Contains("<tr class=\"r\"><td></td><td class=\"w\" colspan=\"16\">shear (tau_v above", table, StringComparison.Ordinal);
        Assert.DoesNotContain("FAIL and refused", Report(Whole), StringComparison.Ordinal);
    }

    [Fact]
    public void A_utilization_is_told_whole_and_whose_it_is()
    {
        var failed = BeamText.Event("""{"id":"B4","shear":2000}""").Body;
        var shear = failed["utilizations"]!["shear"]!.GetValue<double>();
        Assert.Equal(2, failed["utilization_ratio"]!.GetValue<double>());
        Assert.True(shear > 2);

        var report = Report(Whole, """{"id":"B4","shear":2000}""");
        Assert.Contains(Told($"<td>{shear:0.00} shear</td>"), report, StringComparison.Ordinal);
        Assert.Contains(Told($"<dd>{shear:0.00} shear (B4)</dd>"), report, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(""","asv":100""", "2L-8 @")]
    [InlineData(""","stirrup_dia_mm":8,"asv":201.06""", "4L-8 @")]
    [InlineData(""","stirrup_dia_mm":10,"asv":157""", "2L-10 @")]
    [InlineData(""","stirrup_dia_mm":10""", "Asv 100* @")]
    [InlineData(""","asv":5000""", "Asv 5000 @")]
    [InlineData(""","asv":50.5""", "Asv 50.5 @")]
    public void Stirrups_are_named_by_legs_only_where_these_have_the_area(string more, string stirrups) =>
        Assert.Contains($"<td>{stirrups}", Report($$"""{"moment":120{{more}}}"""), StringComparison.Ordinal);

    [Fact]
    public void A_stirrup_thinner_than_was_counted_on_is_remarked()
    {
        const string Remark = "two legs of 6 mm have 56 mm², less than the Asv of 100 mm² that the spacing is for";
        Assert.Contains(Remark, Report("""{"stirrup_dia_mm":6}"""), StringComparison.Ordinal);
        Assert.DoesNotContain(Remark, Report("""{"stirrup_dia_mm":6,"asv":100}"""), StringComparison.Ordinal);
        Assert.DoesNotContain("two legs of 8 mm have", Report("""{"stirrup_dia_mm":8}"""), StringComparison.Ordinal);
    }

    [Fact]
    public void A_flange_is_shown()
    {
        var report = Report("""{"flange_width":1200,"flange_depth":120}""");
        Assert.Contains("<td>300* × 500*</td><td>1200 × 120</td>", report, StringComparison.Ordinal);
    }

    private static string Told(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static int Count(string text, string part) => text.Split(part).Length - 1;

    private static string[] Table(params string[] beams) => Append(new StringBuilder(ResultCsv.Header), beams, ResultCsv.Append).ToString().Split("\r\n");

    private static string Report(params string[] beams)
    {
        var summary = new ResultSummary(Guid.Empty, DateTimeOffset.UnixEpoch);
        Append(new StringBuilder(), beams, (_, row) => summary.Add(row));
        var text = new StringBuilder();
        ResultReport.Begin(text, summary);
        Append(text, beams, ResultReport.AppendUnsafe);
        ResultReport.BeginTable(text, summary);
        Append(text, beams, ResultReport.Append);
        ResultReport.End(text);
        return text.ToString();
    }

    private static StringBuilder Append(StringBuilder text, string[] beams, Action<StringBuilder, ResultRow> append)
    {
        for (var i = 0; i < beams.Length; i++)
        {
            var output = new ArrayBufferWriter<byte>();
            BeamEvents.Write(output, BeamParameters.Read(Encoding.UTF8.GetBytes(beams[i])), i);
            using var result = JsonDocument.Parse(output.WrittenMemory);
            append(text, new ResultRow(result.RootElement));
        }

        return text;
    }
}
