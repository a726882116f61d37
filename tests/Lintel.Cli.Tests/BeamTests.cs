using System.Globalization;
using System.Text;
using System.Text.Json;
using Lintel.Cli.Infrastructure;
using Lintel.Infrastructure;

namespace Lintel.Cli;

/// <summary><c>lintel beams</c>.</summary>
public sealed class BeamTests(CliServer server)
{
    private const string Header = "id,width,depth,moment,shear,fck,fy,cover\n";

    [Fact]
    public async Task A_table_of_beams_is_designed_and_summed_up()
    {
        var home = await server.SignInAsync();
        home.Write("beams.csv", Header + "B1,300,500,120,80,25,500,40\n\"B, 2\",300,500,120,900,25,500,40\r\n\r\nB3,wide,500,120,80,25,500,40\n");

        var design = await home.RunAsync(["beams", "design", "beams.csv"]);

        var rows = design.Output.Split('\n').Select(static line => line.Split('\t')[..Math.Min(2, line.Split('\t').Length)]).ToArray();
        Assert.Equal(1, design.ExitCode);
        Assert.Equal([["beam", "status"], ["B1", "PASS"], ["B, 2", "FAIL"], ["B3", "refused"], [""]], rows);
        Assert.Contains("width must be a number", design.Output, StringComparison.Ordinal);
        Assert.StartsWith("3 beams: 1 PASS, 1 FAIL, 1 refused, in ", design.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Csv_and_json_files_of_the_same_beams_give_the_same_results_in_either_form()
    {
        var home = await server.SignInAsync();
        home.Write("beams.csv", "\uFEFFid;width;depth;moment;shear;fck;fy;cover;flange_width;flange_depth\nB1;300;500;120.5;80;25;500;40;;\nB2;300;500;1.2e2;80;25;500;40;900;120\n");
        home.Write("beams.json", """
            {"beams":[{"id":"B1","width":300,"depth":500,"moment":120.5,"shear":80,"fck":25,"fy":500,"cover":40},
            {"id":"B2","width":300,"depth":500,"moment":120,"shear":80,"fck":25,"fy":500,"cover":40,"flange_width":900,"flange_depth":120}]}
            """);

        var fromCsv = await home.RunAsync(["beams", "design", "beams.csv", "--json"]);
        var fromJson = await home.RunAsync(["beams", "design", "beams.json", "--json"]);
        var piped = await home.RunAsync(["beams", "design", "-", "--csv"], await File.ReadAllTextAsync(Path.Combine(home.Folder, "beams.json"), Cancel));

        Assert.Equal((0, 0, 0), (fromCsv.ExitCode, fromJson.ExitCode, piped.ExitCode));
        Assert.Equal(Flexures(fromJson), Flexures(fromCsv));
        Assert.Equal(2, Flexures(fromCsv).Length);
        Assert.StartsWith("beam,status,Ast mm2,Asc mm2,stirrups mm,utilization,remark\nB1,PASS,", piped.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_column_that_means_nothing_and_one_that_is_missing_are_told()
    {
        var home = await server.SignInAsync();
        home.Write("beams.csv", "id,witdh,depth,moment,shear,fck,fy,cover\nB1,300,500,120,80,25,500,40\n");

        var design = await home.RunAsync(["beams", "design", "beams.csv"]);

        Assert.Contains("lintel: The column 'witdh' means nothing", design.Errors, StringComparison.Ordinal);
        Assert.Contains("lintel: There is no column 'width'", design.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("beams.csv", "id,width\nB1,300,7\n", "beams.csv, line 2: there are 3 fields where the first line names 2 columns.")]
    [InlineData("beams.csv", "id,width\n\"B\n1,300\n", "beams.csv, line 2: a quote is not closed.")]
    [InlineData("beams.csv", "id,id\nB1,300\n", "beams.csv, line 1: there are two columns named 'id'.")]
    [InlineData("beams.csv", "id,width\n", "beams.csv has no beams: there is nothing below its first line.")]
    [InlineData("beams.csv", "", "beams.csv is empty;")]
    [InlineData("beams.json", "[]", "beams.json has no beams:")]
    [InlineData("beams.json", "[{]", "beams.json is not JSON:")]
    public async Task A_file_that_is_no_table_of_beams_is_told_with_the_line(string name, string content, string message)
    {
        var home = await server.SignInAsync();

        var design = await home.RunAsync(["beams", "design", home.Write(name, content)]);

        Assert.Equal((65, ""), (design.ExitCode, design.Output));
        Assert.StartsWith("lintel: " + message, design.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broken_connection_in_a_batch_loses_nothing_and_doubles_nothing()
    {
        const int Count = 20_000;
        await using var network = new TcpProxy(server.Address);
        var home = await server.SignInAsync(network.Address);
        home.Write("tower.csv", Tower(Count));
        using var process = home.Start("beams", "design", "tower.csv", "--json");
        var errors = process.StandardError.ReadToEndAsync(Cancel);
        var beams = new List<string>();
        while (await process.StandardOutput.ReadLineAsync(Cancel) is { } line)
        {
            beams.Add(JsonDocument.Parse(line).RootElement.GetProperty("beam_id").GetString()!);
            if (beams.Count is 50 or 5000 or 12_000)
            {
                network.Break();
            }
        }

        await process.WaitForExitAsync(Cancel);

        Assert.Equal(0, process.ExitCode);
        Assert.Equal(Enumerable.Range(0, Count).Select(static i => $"T{i}"), beams);
        Assert.Contains("; nothing was lost.", await errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task On_a_terminal_the_beams_that_need_a_look_come_first_in_colour()
    {
        var home = await server.SignInAsync();
        home.Write("beams.csv", Tower(30) + "BAD,300,500,120,900,25,500,40\n");
        using var terminal = home.StartOnTerminal("beams", "design", "beams.csv");

        Assert.Equal(1, await terminal.Exited);

        await terminal.ShowsAsync("31 beams: 30 PASS, 1 FAIL, 0 refused");
        Assert.True(terminal.Shown.IndexOf("BAD", StringComparison.Ordinal) < terminal.Shown.IndexOf("PASS", StringComparison.Ordinal));
        Assert.Contains("11 more with --all", terminal.Shown, StringComparison.Ordinal);
        Assert.Contains("\u001b[", terminal.Shown, StringComparison.Ordinal);
        Assert.True(terminal.IsCooked);
    }

    [Fact]
    public async Task Without_colour_the_table_is_the_same()
    {
        var home = await server.SignInAsync();
        home.Environment["NO_COLOR"] = "1";
        using var terminal = home.StartOnTerminal("languages");

        Assert.Equal(0, await terminal.Exited);

        await terminal.ShowsAsync("\npython");
        Assert.DoesNotContain("[3", terminal.Shown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_batch_that_is_interrupted_is_cancelled()
    {
        var home = await server.SignInAsync();
        home.Write("tower.csv", Tower(100_000));
        using var terminal = home.StartOnTerminal("beams", "design", "tower.csv");
        await terminal.ShowsAsync("Designing");

        terminal.Type("\u0003");

        Assert.Equal(130, await terminal.Exited);
        await terminal.ShowsAsync("lintel: The batch was cancelled.");
        await Eventually.HoldsAsync(async () => (await home.RunAsync(["jobs", "list", "--status", "cancelled"])).Output.Contains("batch-design", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_section_is_checked_for_its_cases()
    {
        var home = await server.SignInAsync();
        const string Section = """
            {"width":300,"depth":500,"fck":25,"fy":500,"cover":40,"cases":[{"case_id":"wind","mu_knm":90,"vu_kn":60},{"case_id":"quake","mu_knm":120,"vu_kn":900}]}
            """;

        var check = await home.RunAsync(["beams", "check", "-"], Section);
        var refused = await home.RunAsync(["beams", "check", "-"], """{"cases":[]}""");

        Assert.Equal(1, check.ExitCode);
        Assert.Contains("\nwind\tPASS\t90\t60\t", check.Output, StringComparison.Ordinal);
        Assert.Contains("\nquake\tFAIL\t", check.Output, StringComparison.Ordinal);
        Assert.StartsWith("Not safe; case quake governs, at ", check.Errors, StringComparison.Ordinal);
        Assert.Equal((65, ""), (refused.ExitCode, refused.Output));
        Assert.Contains("cases", refused.Errors, StringComparison.Ordinal);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static string[] Flexures(CliResult result) =>
        [.. result.Output.TrimEnd('\n').Split('\n').Select(static line => JsonDocument.Parse(line).RootElement.GetProperty("flexure").GetRawText())];

    private static string Tower(int count)
    {
        var table = new StringBuilder(Header);
        for (var i = 0; i < count; i++)
        {
            table.Append(CultureInfo.InvariantCulture, $"T{i},300,500,{40 + (i % 100)},{30 + (i % 90)},25,500,40\n");
        }

        return table.ToString();
    }
}
