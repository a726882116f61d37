using System.Net;
using System.Text.Json;
using Lintel.Features.Jobs;
using Lintel.Infrastructure;

namespace Lintel.Features.Beams;

/// <summary>Batches of beams as event streams: <c>/stream/batch-design</c>, and <c>/stream/progress</c> to come back to one.</summary>
public abstract class BatchStreamTests(BeamsServer server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_batch_streams_its_start_then_each_beam_with_the_progress_and_its_end()
    {
        using var client = await server.SignInAsync();
        var events = await client.ReadBatchAsync(BatchRequests.Post(BatchRequests.Beams(3)));

        Assert.Equal(["start", "design_result", "progress", "design_result", "progress", "error", "progress", "complete"], events.Select(static item => item.Kind));
        var id = events[0].JobId();
        Assert.Equal(["job_id", "total", "timestamp"], Names(events[0].Json));
        Assert.Equal((id, 3), (events[0].Json.GetProperty("job_id").GetGuid(), events[0].Json.GetProperty("total").GetInt32()));
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$", events[0].Json.GetProperty("timestamp").GetString()!);
        Assert.Equal("""{"completed":1,"total":3,"failed":0,"percent":33.3}""", events[2].Data);
        Assert.Equal("""{"completed":2,"total":3,"failed":0,"percent":66.7}""", events[4].Data);
        Assert.Equal("""{"completed":3,"total":3,"failed":1,"percent":100.0}""", events[6].Data);
        Assert.Equal(["job_id", "total", "completed", "failed", "duration_seconds"], Names(events[7].Json));
        Assert.StartsWith($$"""{"job_id":"{{id}}","total":3,"completed":3,"failed":1,"duration_seconds":""", events[7].Data, StringComparison.Ordinal);
        Assert.InRange(events[7].Json.GetProperty("duration_seconds").GetDouble(), 0, 600);
    }

    [Fact]
    public async Task A_designed_beam_has_its_input_its_results_and_its_status()
    {
        using var client = await server.SignInAsync();
        var events = await client.ReadBatchAsync(BatchRequests.Post(BatchRequests.Beams(3, "\"note\":\"left of the stair\"")));
        var (pass, fail) = (events[1].Json, events[3].Json);

        Assert.Equal(["beam_id", "index", "input", "flexure", "shear", "status"], Names(pass).Take(6));
        Assert.Equal(("B0", 0, "PASS"), (pass.GetProperty("beam_id").GetString(), pass.GetProperty("index").GetInt32(), pass.GetProperty("status").GetString()));
        Assert.Equal(("left of the stair", 150), (pass.GetProperty("input").GetProperty("note").GetString(), pass.GetProperty("input").GetProperty("moment").GetInt32()));
        Assert.Equal(878.4044, pass.GetProperty("flexure").GetProperty("ast_required").GetDouble(), 1e-3);
        Assert.Equal((true, true), (pass.GetProperty("flexure").GetProperty("is_safe").GetBoolean(), pass.GetProperty("shear").GetProperty("is_safe").GetBoolean()));
        Assert.Equal(("B1", 1, "FAIL"), (fail.GetProperty("beam_id").GetString(), fail.GetProperty("index").GetInt32(), fail.GetProperty("status").GetString()));
    }

    [Fact]
    public async Task A_refused_beam_is_an_error_that_names_it_and_the_others_go_on()
    {
        using var client = await server.SignInAsync();
        var events = await client.ReadBatchAsync(BatchRequests.Post("""[{"id":7,"fck":1},12,{"width":300}]"""));

        Assert.Equal(["start", "error", "progress", "error", "progress", "design_result", "progress", "complete"], events.Select(static item => item.Kind));
        Assert.Equal(["beam_id", "index", "message", "fields"], Names(events[1].Json));
        Assert.StartsWith("""{"beam_id":"7","index":0,"message":"fck must be between 15 and 80 N/mm2",""", events[1].Data, StringComparison.Ordinal);
        Assert.StartsWith("""{"beam_id":"beam_2","index":1,"message":"A beam must be a JSON object",""", events[3].Data, StringComparison.Ordinal);
        Assert.Equal("beam_3", events[5].Json.GetProperty("beam_id").GetString());
        Assert.Equal("""{"completed":3,"total":3,"failed":2,"percent":100.0}""", events[6].Data);
    }

    [Fact]
    public async Task Every_event_has_an_id_of_its_own_and_the_response_its_limits()
    {
        using var client = await server.SignInAsync();
        await using var stream = await SseClient.OpenAsync(client, BatchRequests.Post(BatchRequests.Beams(50)));
        foreach (var name in new[] { "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Window", "X-RateLimit-Reset", "X-Request-ID" })
        {
            Assert.NotEmpty(stream.Response.Header(name));
        }

        var events = await stream.ReadToEndAsync();
        Assert.Equal(1 + (2 * 50) + 1, events.Count);
        Assert.Equal(events.Count, events.Select(static item => item.Id).Distinct().Count());
        Assert.All(events, item => Assert.StartsWith(events[0].JobId().ToString(), item.Id, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_older_form_has_the_beams_in_the_URL_and_says_that_it_is_deprecated()
    {
        using var client = await server.SignInAsync();
        var posted = await client.ReadBatchAsync(BatchRequests.Post(BatchRequests.Beams(5)));

        await using var stream = await SseClient.OpenAsync(client, BatchRequests.Get(BatchRequests.Beams(5)));
        Assert.Equal("true", stream.Response.Header("Deprecation"));
        Assert.Equal("</stream/batch-design>; rel=\"successor-version\"", stream.Response.Header("Link"));
        var events = await stream.ReadToEndAsync();

        Assert.Equal(posted.Select(static item => item.Kind), events.Select(static item => item.Kind));
        Assert.Equal(posted[1..^1].Select(static item => item.Data), events[1..^1].Select(static item => item.Data));
        Assert.NotEqual(posted[0].JobId(), events[0].JobId());
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("GET")]
    [InlineData("progress")]
    public async Task With_the_last_event_s_id_a_batch_goes_on_without_a_gap_or_a_repeat_and_the_beams_are_not_looked_at(string form)
    {
        using var client = await server.SignInAsync();
        var all = await client.ReadBatchAsync(BatchRequests.Post(BatchRequests.Beams(40)));
        var id = all[0].JobId();

        foreach (var seen in new[] { 1, 2, 41, all.Count - 1 })
        {
            Assert.Equal(all.Skip(seen), await client.ReadBatchAsync(Resume(form, id, all[seen - 1].Id)));
        }

        // Nor is a second batch begun.
        Assert.Equal([id], await client.JobIdsAsync());

        using var over = await client.SendAsync(Resume(form, id, all[^1].Id), Cancel);
        Assert.Equal(HttpStatusCode.NoContent, over.StatusCode);
    }

    [Fact]
    public async Task A_large_batch_is_continued_by_the_same_request_that_began_it()
    {
        using var client = await server.SignInAsync();
        var body = "[" + string.Join(',', Enumerable.Repeat("{}", 300)) + new string(' ', 9_000_000) + "]";
        var all = await client.ReadBatchAsync(BatchRequests.Post(body));

        // More than the buffers between the two hold: unless the server takes it, the client is still sending and reads nothing.
        Assert.Equal(all.Skip(1), await client.ReadBatchAsync(BatchRequests.Post(body, all[0].Id)));
    }

    [Fact]
    public async Task A_batch_that_waits_for_its_turn_has_shown_its_first_beams_and_goes_on_behind_them()
    {
        using var client = await server.SignInAsync();
        var events = await client.ReadBatchAsync(BatchRequests.Post(BatchRequests.Beams(20)));
        var (busy, _, first) = await HoldAsync(client);
        var (busyToo, _, second) = await HoldAsync(client);

        // Its owner has as many running as they may.
        await using var waiting = await SseClient.OpenAsync(client, BatchRequests.Post(BatchRequests.Beams(20)));
        List<SseEvent> seen = [];
        while (seen.Count < 17)
        {
            seen.Add((await waiting.ReadAsync())!);
        }

        var status = await client.BatchAsync(seen[0].JobId());
        var progress = status.GetProperty("progress");
        busy.Open();
        busyToo.Open();
        seen.AddRange(await waiting.ReadToEndAsync());

        Assert.Equal(("queued", 8, 2), (status.GetProperty("status").GetString(), progress.GetProperty("completed").GetInt32(), progress.GetProperty("failed").GetInt32()));
        Assert.Equal(events.Count, seen.Count);
        Assert.Equal(events[1..^1].Select(static item => (item.Kind, item.Data)), seen[1..^1].Select(static item => (item.Kind, item.Data)));
        Assert.Equal(("start", "complete"), (seen[0].Kind, seen[^1].Kind));
        await first.DisposeAsync();
        await second.DisposeAsync();
    }

    [Fact]
    public async Task A_reader_who_breaks_off_again_and_again_sees_each_event_once()
    {
        using var client = await server.SignInAsync();
        List<SseEvent> seen = [];
        while (seen.Count == 0 || seen[^1].Kind != "complete")
        {
            await using var events = await SseClient.OpenAsync(
                client, seen.Count == 0 ? BatchRequests.Post(BatchRequests.Beams(500)) : BatchRequests.Post("[]", seen[^1].Id));
            for (var i = 0; i < 97 && await events.ReadAsync() is { } item; i++)
            {
                seen.Add(item);
            }
        }

        Assert.Equal(1 + (2 * 500) + 1, seen.Count);
        Assert.Equal(seen, await client.ReadBatchAsync(BatchRequests.Watch(seen[0].JobId())));
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("GET")]
    public async Task An_id_of_no_batch_of_one_s_own_gets_a_reset_and_begins_nothing(string form)
    {
        using var owner = await server.SignInAsync();
        using var client = await server.SignInAsync();
        var others = await owner.ReadBatchAsync(BatchRequests.Post(BatchRequests.Beams(3)));

        foreach (var cursor in new[] { others[2].Id, $"{Guid.CreateVersion7()}.1.1", "nonsense" })
        {
            var events = await client.ReadBatchAsync(Resume(form, default, cursor, BatchRequests.Beams(1)));

            Assert.Equal(("reset", ""), (Assert.Single(events).Kind, events[0].Id));
            Assert.Equal("unknown", events[0].Json.GetProperty("reason").GetString());
        }

        Assert.Empty(await client.JobIdsAsync());
    }

    [Fact]
    public async Task Progress_brings_a_batch_from_its_start_while_it_runs_and_afterwards()
    {
        using var client = await server.SignInAsync();
        var (gate, id, stream) = await HoldAsync(client);
        await using var first = stream;
        await using var second = await SseClient.OpenAsync(client, BatchRequests.Watch(id));
        gate.Open();

        var events = await first.ReadToEndAsync();
        Assert.Equal(("start", "complete"), (events[0].Kind, events[^1].Kind));
        Assert.Equal(events, await second.ReadToEndAsync());
        Assert.Equal(events, await client.ReadBatchAsync(BatchRequests.Watch(id)));
    }

    [Fact]
    public async Task A_batch_whose_reader_stays_away_for_its_grace_is_cancelled()
    {
        using var client = await server.SignInAsync();
        var (_, id, stream) = await HoldAsync(client);
        await stream.DisposeAsync();
        await UntilNobodyWatchesAsync(id);
        server.Clock.Advance(TimeSpan.FromSeconds(9));
        Assert.Equal("running", (await client.BatchAsync(id)).GetProperty("status").GetString());

        server.Clock.Advance(TimeSpan.FromSeconds(2));
        await Eventually.HoldsAsync(async () => (await client.BatchAsync(id)).GetProperty("status").GetString() == "cancelled");
        Assert.Equal("cancelled", (await client.ReadBatchAsync(BatchRequests.Watch(id)))[^1].Kind);
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("GET")]
    [InlineData("progress")]
    public async Task A_reader_who_comes_back_within_the_grace_keeps_the_batch(string form)
    {
        using var client = await server.SignInAsync();
        var (gate, id, stream) = await HoldAsync(client);
        var log = await server.Streams.FindAsync(id.ToString(), Cancel);
        await stream.DisposeAsync();
        await UntilNobodyWatchesAsync(id);
        server.Clock.Advance(TimeSpan.FromSeconds(9));

        // As far as the batch has come: the events that were written with it.
        await using var events = await SseClient.OpenAsync(client, Resume(form, id, $"{id}.{log!.Epoch}.17"));
        server.Clock.Advance(TimeSpan.FromMinutes(5));
        await events.ReadCommentAsync();
        gate.Open();

        var rest = await events.ReadToEndAsync();
        Assert.Equal(((4 * 2) + 1, "complete"), (rest.Count, rest[^1].Kind));
        Assert.Equal("complete", (await client.BatchAsync(id)).GetProperty("status").GetString());
    }

    [Fact]
    public async Task A_browser_brings_a_ticket_as_it_can_send_no_header()
    {
        using var client = await server.SignInAsync();
        var ticket = await BeamsServer.TicketAsync(client, BatchRequests.Path);
        var beams = Uri.EscapeDataString(BatchRequests.Beams(2));
        var events = await server.Client.ReadBatchAsync(new HttpRequestMessage(HttpMethod.Get, $"{BatchRequests.Path}?beams={beams}&ticket={ticket}"));
        Assert.Equal("complete", events[^1].Kind);

        var again = await BeamsServer.TicketAsync(client, $"/stream/progress/{events[0].JobId()}");
        Assert.Equal(events, await server.Client.ReadBatchAsync(new HttpRequestMessage(HttpMethod.Get, $"/stream/progress/{events[0].JobId()}?ticket={again}")));
        using var used = await server.Client.GetAsync($"{BatchRequests.Path}?ticket={ticket}", Cancel);
        Assert.Equal(HttpStatusCode.Unauthorized, used.StatusCode);
    }

    private static HttpRequestMessage Resume(string form, Guid id, string? cursor, string beams = "not JSON at all") => form switch
    {
        "POST" => BatchRequests.Post(beams, cursor),
        "GET" => BatchRequests.Get(beams, cursor),
        _ => BatchRequests.Watch(id, cursor),
    };

    private static IEnumerable<string> Names(JsonElement json) => json.EnumerateObject().Select(static member => member.Name);

    /// <summary>A batch that runs and waits after its first eight beams, with its reader.</summary>
    private async Task<(Gate Gate, Guid Id, SseClient Events)> HoldAsync(HttpClient client)
    {
        var (name, gate) = server.NewGate();
        var events = await SseClient.OpenAsync(client, BatchRequests.Post(BatchRequests.Beams(12, $"\"gate\":\"{name}\"")));
        await gate.WaitForArrivalAsync();
        return (gate, (await client.JobIdsAsync())[0], events);
    }

    /// <summary>Waits until the server has noticed that the reader is gone.</summary>
    private Task UntilNobodyWatchesAsync(Guid id) => Eventually.HoldsAsync(async () => await server.Database.ReadAsync(
        session => session.QueryFirstAsync("SELECT count(*) FROM job WHERE id = $1 AND abandon_at IS NOT NULL", static row => row.GetInt64(0), id), Cancel) == 1);
}

public sealed class SqliteBatchStreamTests(SqliteBeamsServer server) : BatchStreamTests(server), IClassFixture<SqliteBeamsServer>;

public sealed class PostgresBatchStreamTests(PostgresBeamsServer server) : BatchStreamTests(server), IClassFixture<PostgresBeamsServer>;
