using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Lintel.Features.ApiKeys;
using Lintel.Features.Files;
using Lintel.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Features.Beams;

/// <summary>Batches whose beams come from a file, and that make files.</summary>
public abstract class BatchFileTests(FilesServer server)
{
    private const string Header = "id,width,depth,moment,shear,fck,fy,cover\n";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_table_of_a_building_becomes_results_and_a_report()
    {
        using var mason = await Uploader.NewAsync(server);
        var table = await File.ReadAllBytesAsync(Path.Combine(Repository.Root, "samples", "building.csv"), Cancel);
        var file = Uploader.Id(await mason.UploadAsync(table, "building.csv", "text/csv"));
        var events = await RunAsync(mason, new { file_id = file, outputs = new[] { "csv", "html" } });

        // Deleted or not, the batch has what it needs.
        var complete = Data(events, "complete").Single();
        Assert.Equal((1000, 1000), (complete.GetProperty("total").GetInt32(), complete.GetProperty("completed").GetInt32()));
        Assert.Equal(["results.csv", "report.html"], complete.GetProperty("files").EnumerateArray().Select(static made => made.GetProperty("filename").GetString()));
        Assert.Empty(complete.GetProperty("file_errors").EnumerateArray());

        var results = Encoding.UTF8.GetString(await ContentAsync(mason, complete, 0)).Split("\r\n");
        Assert.Equal("beam_id,status,width,depth,moment,shear,fck,fy,cover,ast_required,asc_required,mu_lim,xu,xu_max,tv,tc,tc_max,vus,spacing,utilization_ratio,remarks", results[0]);
        Assert.Equal(1000 + 2, results.Length);
        var passed = Data(events, "design_result").Count(static beam => beam.GetProperty("status").GetString() == "PASS");
        Assert.InRange(passed, 1, 999);
        Assert.Equal(passed, results.Count(static line => line.Contains(",PASS,", StringComparison.Ordinal)));
        var first = Data(events, "design_result").First();
        Assert.StartsWith($"{first.GetProperty("beam_id").GetString()},{first.GetProperty("status").GetString()},", results[1], StringComparison.Ordinal);
        Assert.Contains(first.GetProperty("flexure").GetProperty("ast_required").GetDouble().ToString("0.###", System.Globalization.CultureInfo.InvariantCulture), results[1], StringComparison.Ordinal);

        var report = Encoding.UTF8.GetString(await ContentAsync(mason, complete, 1));
        Assert.StartsWith("<!doctype html>", report, StringComparison.Ordinal);
        Assert.EndsWith("</html>\n", report, StringComparison.Ordinal);
        Assert.Equal(1000, report.Split("<tbody id=").Length - 1);
        Assert.Contains($"<dd class=\"PASS\">{passed}</dd>", report, StringComparison.Ordinal);
        Assert.DoesNotContain("src=", report, StringComparison.Ordinal);
        Assert.DoesNotContain("http", report, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_people_wrote_is_text_in_a_report_and_no_formula_in_a_table()
    {
        using var mason = await Uploader.NewAsync(server);
        var table = Header + "\"<script>alert(1)</script>\",300,500,120,80,25,500,40\n\"=cmd|' /C calc'!A0\",300,500,120,80,25,500,40\n\"a,\"\"b\"\"\",<img onerror=x>,500,120,80,25,500,40\n";
        var file = Uploader.Id(await mason.UploadAsync(Encoding.UTF8.GetBytes(table), "beams.csv", "text/csv"));
        var complete = Data(await RunAsync(mason, new { outputs = new[] { "html", "csv" }, file_id = file }), "complete").Single();

        var report = Encoding.UTF8.GetString(await ContentAsync(mason, complete, 1));
        Assert.Contains("&lt;script&gt;alert(1)&lt;/script&gt;", report, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", report, StringComparison.Ordinal);
        Assert.DoesNotContain("<img", report, StringComparison.Ordinal);
        var results = Encoding.UTF8.GetString(await ContentAsync(mason, complete, 0));
        Assert.Contains("\r\n'=cmd|", results, StringComparison.Ordinal);
        Assert.Contains("\"a,\"\"b\"\"\",REFUSED,", results, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Beams_that_come_in_the_request_make_files_too()
    {
        using var mason = await Uploader.NewAsync(server);
        var beams = new[] { new { id = "B1", width = 300, depth = 500, moment = 120, shear = 80, fck = 25, fy = 500, cover = 40 } };
        var complete = Data(await RunAsync(mason, new { beams, outputs = new[] { "csv" } }), "complete").Single();
        var without = Data(await RunAsync(mason, beams), "complete").Single();

        Assert.Single(complete.GetProperty("files").EnumerateArray());
        Assert.False(without.TryGetProperty("files", out _));
    }

    [Theory]
    [InlineData("id,width\nB1,300,7\n", "Line 2 has 3 fields")]
    [InlineData("id,id\n1,2\n", "two columns named 'id'")]
    [InlineData("", "is empty")]
    [InlineData("id,width\n", "non-empty")]
    [InlineData("id,width\n\"B1,300\n", "a quote is not closed")]
    [InlineData("id,width,fkc\nB1,300,40\n", "Line 1 names a column 'fkc' that no beam has; did you mean fck?")]
    [InlineData("\nid,width,Cover\nB1,300,60\n", "Line 2 names a column 'Cover' that no beam has; did you mean cover?")]
    [InlineData("id,fkc,storey,Width,moment\nB1,40,S1,300,100\n", "Line 1 names columns that no beam has: 'fkc' (did you mean fck?), 'storey', 'Width' (did you mean width?). A beam has id, ")]
    [InlineData("id,Df\nB1,120\n", "Line 1 names a column 'Df' that no beam has; take it out, or name it as one of id, beam_id, member_id, width, ")]
    [InlineData("id,width,\nB1,300,40\n", "Line 1 has a column without a name")]
    [InlineData("id,width,,\nB1,300,,\n", "Line 1 has columns without a name")]
    public async Task A_file_that_is_no_table_of_beams_is_422(string table, string message)
    {
        using var mason = await Uploader.NewAsync(server);
        var file = Uploader.Id(await mason.UploadAsync(Encoding.UTF8.GetBytes(table), "beams.csv"));
        using var response = await SubmitAsync(mason, new { file_id = file });

        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        var fields = (await response.JsonAsync()).GetProperty("error").GetProperty("details").GetProperty("fields");
        Assert.Contains(message, Assert.Single(fields.EnumerateObject()).Value[0].GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_table_may_have_every_column_of_a_beam()
    {
        using var mason = await Uploader.NewAsync(server);
        const string Table = "member_id,width,depth,moment,shear,fck,fy,cover,stirrup_dia_mm,main_bar_dia_mm,effective_depth,asv,dd,flange_width,flange_depth\nB1,300,500,120,80,40,415,60,8,20,440,100,50,900,120\n";
        var file = Uploader.Id(await mason.UploadAsync(Encoding.UTF8.GetBytes(Table), "beams.csv", "text/csv"));
        var complete = Data(await RunAsync(mason, new { file_id = file, outputs = new[] { "csv" } }), "complete").Single();

        Assert.Contains("\r\nB1,PASS,300,500,120,80,40,415,60,", Encoding.UTF8.GetString(await ContentAsync(mason, complete, 0)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_table_of_nothing_but_unknown_columns_gets_a_short_answer()
    {
        using var mason = await Uploader.NewAsync(server);
        var header = string.Join(',', Enumerable.Range(0, 20_000).Select(static i => $"{new string('x', 60)}{i}"));
        var file = Uploader.Id(await mason.UploadAsync(Encoding.UTF8.GetBytes(header + "\n"), "beams.csv"));
        using var response = await SubmitAsync(mason, new { file_id = file });

        var text = await response.Content.ReadAsStringAsync(Cancel);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        Assert.Contains(" and 19990 more", text, StringComparison.Ordinal);
        Assert.InRange(text.Length, 1, 2_000);
    }

    [Fact]
    public async Task A_file_of_another_is_not_there_and_what_cannot_be_made_is_named()
    {
        using var mason = await Uploader.NewAsync(server);
        using var other = await Uploader.NewAsync(server);
        var file = Uploader.Id(await other.UploadAsync(Encoding.UTF8.GetBytes(Header + "B1,300,500,120,80,25,500,40\n"), "beams.csv"));

        using var stranger = await SubmitAsync(mason, new { file_id = file });
        using var nonsense = await SubmitAsync(mason, new { file_id = 7 });
        using var unknown = await SubmitAsync(mason, new { beams = new[] { 1 }, outputs = new[] { "docx" } });
        Assert.All([stranger, nonsense, unknown], static response => Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode));
        Assert.Equal(["input.file_id", "input.file_id", "input.outputs"], new[] { await FieldAsync(stranger), await FieldAsync(nonsense), await FieldAsync(unknown) });
    }

    [Fact]
    public async Task A_key_without_the_scope_neither_reads_nor_makes_files()
    {
        using var mason = await Uploader.NewAsync(server);
        var file = Uploader.Id(await mason.UploadAsync(Encoding.UTF8.GetBytes(Header + "B1,300,500,120,80,25,500,40\n"), "beams.csv"));
        var key = (await server.NewKeyAsync(mason.Person.Tokens.Access, ["design"])).Text;

        using var reads = await server.SendAsync(HttpMethod.Post, "/api/jobs", new { kind = "batch-design", input = new { file_id = file } }, ("X-API-Key", key));
        using var makes = await server.SendAsync(HttpMethod.Post, "/api/jobs", new { kind = "batch-design", input = new { beams = new[] { 1 }, outputs = new[] { "csv" } } }, ("X-API-Key", key));
        using var streams = await server.SendAsync(HttpMethod.Post, "/stream/batch-design", new { beams = new[] { 1 }, outputs = new[] { "csv" } }, ("X-API-Key", key));
        Assert.Equal((HttpStatusCode.Forbidden, HttpStatusCode.Forbidden), (reads.StatusCode, makes.StatusCode));
        Assert.Contains("event: error", await streams.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        Assert.Single(await mason.NamesAsync());
    }

    [Fact]
    public async Task A_full_quota_costs_the_files_and_not_the_results()
    {
        using var mason = await Uploader.NewAsync(server);
        await mason.BeginAsync(FilesServer.Quota);
        var complete = Data(await RunAsync(mason, new { beams = new[] { new { width = 300 } }, outputs = new[] { "csv" } }), "complete").Single();

        Assert.Equal(1, complete.GetProperty("completed").GetInt32());
        Assert.Empty(complete.GetProperty("files").EnumerateArray());
        Assert.Contains("quota", Assert.Single(complete.GetProperty("file_errors").EnumerateArray()).GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_a_job_makes_again_is_the_one_that_is_there()
    {
        using var mason = await Uploader.NewAsync(server);
        var files = server.Services.GetRequiredService<JobFiles>();
        var file = new NewFile(Guid.CreateVersion7(), mason.Person.Id, "results.csv", "text/csv");

        // As an attempt leaves it that was killed while it wrote.
        await server.Services.GetRequiredService<FileTable>().AddAsync(file, Guid.CreateVersion7(), -1, 5, null, Cancel);
        var first = await files.SaveAsync(file, static (output, token) => output.WriteAsync("first"u8.ToArray(), token).AsTask(), Cancel);
        var second = await files.SaveAsync(file, static (output, token) => output.WriteAsync("second"u8.ToArray(), token).AsTask(), Cancel);

        Assert.Equal(first.File, second.File);
        Assert.Equal("first"u8.ToArray(), await mason.ContentAsync(file.Id));
        Assert.Equal((1, 5L), ((await mason.NamesAsync()).Length, await mason.UsedAsync()));
        await Assert.ThrowsAsync<FormatException>(() => files.SaveAsync(file with { Id = Guid.CreateVersion7() }, static (_, _) => throw new FormatException(), Cancel));
        Assert.Equal(5, await mason.UsedAsync());
    }

    private static Task<HttpResponseMessage> SubmitAsync(Uploader uploader, object input) =>
        uploader.Client.PostAsJsonAsync("/api/jobs", new { kind = "batch-design", input }, Cancel);

    /// <summary>Runs a batch, which must be taken, and tells all of its events.</summary>
    private static async Task<List<(string Kind, JsonElement Data)>> RunAsync(Uploader uploader, object input)
    {
        using var response = await SubmitAsync(uploader, input);
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        var text = await uploader.Client.GetStringAsync($"/api/jobs/{(await response.JsonAsync()).GetProperty("job_id").GetString()}/events", Cancel);
        return
        [
            .. from block in text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries)
               let lines = block.Split('\n')
               let kind = lines.FirstOrDefault(static line => line.StartsWith("event: ", StringComparison.Ordinal))
               where kind is not null
               select (kind[7..], JsonDocument.Parse(lines.Single(static line => line.StartsWith("data: ", StringComparison.Ordinal))[6..]).RootElement),
        ];
    }

    private static IEnumerable<JsonElement> Data(List<(string Kind, JsonElement Data)> events, string kind) => events.Where(each => each.Kind == kind).Select(static each => each.Data);

    private static Task<byte[]> ContentAsync(Uploader uploader, JsonElement complete, int index) => uploader.ContentAsync(complete.GetProperty("files")[index].GetProperty("id").GetGuid());

    private static async Task<string> FieldAsync(HttpResponseMessage response) =>
        (await response.JsonAsync()).GetProperty("error").GetProperty("details").GetProperty("fields").EnumerateObject().Single().Name;
}

public sealed class SqliteBatchFileTests(SqliteDiskFilesServer server) : BatchFileTests(server), IClassFixture<SqliteDiskFilesServer>;

public sealed class PostgresBatchFileTests(PostgresS3FilesServer server) : BatchFileTests(server), IClassFixture<PostgresS3FilesServer>;
