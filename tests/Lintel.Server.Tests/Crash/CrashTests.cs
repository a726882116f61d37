using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Lintel.Features.Jobs;
using Lintel.Features.Streams;
using Lintel.Infrastructure;
using Lintel.Platform.Storage;

namespace Lintel.Crash;

/// <summary>Processes that are killed in the midst of their work: what was durable is there, what was not is not, and nothing comes twice.</summary>
public abstract class CrashTests : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("lintel-test-");

    private protected abstract DatabaseUnderTest Test { get; }

    private protected abstract string Url { get; }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public abstract ValueTask InitializeAsync();

    public async ValueTask DisposeAsync()
    {
        if (Test is not null)
        {
            await Test.DisposeAsync();
        }

        _folder.Delete(recursive: true);
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task What_was_appended_and_not_committed_never_was()
    {
        await using (var writer = ChildProcess.Start("Lintel.Server.Tests", "append", Url))
        {
            await writer.WaitForLineAsync(static line => line == "appended");
            await writer.KillAsync();
        }

        await using var node = await LogNode.StartAsync(Test);
        var stream = (await node.Log.FindAsync(CrashHost.StreamName, Cancel))!;
        Assert.Equal([(1, "1"), (2, "2"), (3, "3")], await node.ReadAllAsync(stream.Id));
        Assert.Equal(3, stream.Tail);
        Assert.Equal(4, (await node.AppendAsync(stream.Id, TestEvent.Many(4, 1))).LastSeq);
    }

    [Fact]
    public async Task A_job_whose_server_is_killed_again_and_again_reaches_its_reader_once()
    {
        var seen = new List<SseEvent>();
        Guid? id = null;
        for (var life = 1; life <= CrashHost.Lives; life++)
        {
            await using var server = ChildProcess.Start("Lintel.Server.Tests", ["host", .. Settings()]);
            using var client = await ConnectAsync(server);
            id ??= await client.SubmitAcceptedAsync(CrashHost.Kind, new { });
            await ReadAsync(client, id.Value, seen, until: life == CrashHost.Lives ? int.MaxValue : (life * CrashHost.Part) - 1000);
            Assert.Equal(life, (await client.JobAsync(id.Value)).GetProperty("attempt").GetInt32());
            await server.KillAsync();
        }

        Assert.Equal(TestKind.Numbers(CrashHost.Count), seen.Texts());
        Assert.Equal("complete", seen[^1].Kind);
        Assert.Equal(CrashHost.Count + 1, seen.Count);
    }

    [Fact]
    public async Task A_batch_of_beams_survives_the_death_of_the_published_program()
    {
        const int beams = 100_000;
        var batch = Enumerable.Range(0, beams).Select(static i => new
        {
            beam_id = "B" + i.ToString(CultureInfo.InvariantCulture), width = 300, depth = 500 + (i % 7), moment = 100 + (i % 90), shear = 50 + (i % 40), fck = 25, fy = 500, cover = 40,
        });
        var seen = new List<SseEvent>();
        Guid id;
        await using (var server = ChildProcess.Start("Lintel.Server", Settings()))
        {
            using var client = await ConnectAsync(server);
            id = await client.SubmitAcceptedAsync("batch-design", new { beams = batch });
            await ReadAsync(client, id, seen, until: 1501);
            await server.KillAsync();
        }

        await using (var server = ChildProcess.Start("Lintel.Server", Settings()))
        {
            using var client = await ConnectAsync(server);
            await ReadAsync(client, id, seen, until: int.MaxValue);
            Assert.Equal(2, (await client.JobAsync(id)).GetProperty("attempt").GetInt32());
            var status = await client.GetFromJsonAsync<JsonElement>($"/stream/job/{id}", Cancel);
            Assert.Equal("complete", status.GetProperty("status").GetString());
        }

        Assert.Equal("start", seen[0].Kind);
        Assert.Equal(Enumerable.Range(0, beams), seen.Where(static item => item.Kind == "design_result").Select(static item => item.Json.GetProperty("index").GetInt32()));
        Assert.Equal(Enumerable.Range(1, beams), seen.Where(static item => item.Kind == "progress").Select(static item => item.Json.GetProperty("completed").GetInt32()));
        Assert.Equal("complete", seen[^1].Kind);
        Assert.Equal((2 * beams) + 2, seen.Count);
    }

    /// <summary>Goes on after the last event that was seen, until there were so many or the end has come.</summary>
    private static async Task ReadAsync(HttpClient client, Guid id, List<SseEvent> seen, int until)
    {
        await using var events = await SseClient.OpenAsync(client, $"/api/jobs/{id}/events", seen.LastOrDefault()?.Id);
        while (seen.Count < until && await events.ReadAsync() is { } item)
        {
            Assert.NotEqual("reset", item.Kind);
            seen.Add(item);
        }
    }

    private static async Task<HttpClient> ConnectAsync(ChildProcess server)
    {
        var client = new HttpClient { BaseAddress = await server.WaitForAddressAsync() };
        client.DefaultRequestHeaders.Add("X-API-Key", JobsServer.ApiKey);
        return client;
    }

    private string[] Settings() =>
    [
        "--HOST=127.0.0.1", "--PORT=0", $"--LINTEL_DATA={_folder.FullName}", $"--DATABASE_URL={Url}", $"--API_KEY={JobsServer.ApiKey}",
        "--SECRET_KEY=0123456789abcdef0123456789abcdef-for-tests", "--RATE_LIMIT_REQUESTS=1000000", "--RATE_LIMIT_SIGN_IN=1000000", "--RATE_LIMIT_REGISTER=1000000",
    ];
}

public sealed class SqliteCrashTests : CrashTests
{
    private readonly SqliteUnderTest _test = new();

    private protected override DatabaseUnderTest Test => _test;

    private protected override string Url => "sqlite:///" + _test.Path;

    public override ValueTask InitializeAsync() => ValueTask.CompletedTask;
}

public sealed class PostgresCrashTests : CrashTests
{
    private PostgresUnderTest _test = null!;

    private protected override DatabaseUnderTest Test => _test;

    private protected override string Url => _test.Url;

    public override async ValueTask InitializeAsync() => _test = await PostgresUnderTest.CreateAsync();
}
