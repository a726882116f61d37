using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using Lintel.Infrastructure;

namespace Lintel.Features.Jobs;

/// <summary>A job's events as Server-Sent Events.</summary>
public abstract class JobEventStreamTests(JobsServer server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_head_comes_before_the_first_event_and_says_what_proxies_need_to_know()
    {
        using var client = await server.SignInAsync();
        var (name, gate) = server.NewGate();
        var first = await client.SubmitAcceptedAsync("gate", new { gate = name });
        await gate.WaitForArrivalAsync();
        await using var before = await SseClient.OpenAsync(client, $"/api/jobs/{first}/events");
        var cursor = (await before.ReadAsync())!.Id!;

        // Nothing comes after that one until the gate is opened, and the head is here all the same.
        await using var events = await SseClient.OpenAsync(client, $"/api/jobs/{first}/events", cursor);
        Assert.True(events.Response.Headers.CacheControl is { NoCache: true, NoStore: true, NoTransform: true });
        Assert.Equal("no", events.Response.Header("X-Accel-Buffering"));
        Assert.NotEmpty(events.Response.Header("X-Request-ID"));
        gate.Open();

        Assert.Equal("complete", (await events.ReadAsync())!.Kind);
        Assert.Equal(1000, events.Retry);
        Assert.Null(await events.ReadAsync());
    }

    [Fact]
    public async Task Every_event_comes_once_in_order_with_an_id_and_the_stream_ends_after_the_last()
    {
        using var client = await server.SignInAsync();
        var id = await client.CountAsync(3000);
        var events = await client.WatchAsync(id);

        Assert.Equal(TestKind.Numbers(3000), events.Texts());
        Assert.Equal("complete", events[^1].Kind);
        Assert.Equal(3001, events.Count);
        Assert.Equal(3001, events.Select(static item => item.Id).Distinct().Count());
        Assert.All(events, item => Assert.StartsWith(id.ToString(), item.Id, StringComparison.Ordinal));

        // And again from the start, once all is over.
        Assert.Equal(events, await client.WatchAsync(id));
    }

    [Fact]
    public async Task A_reader_goes_on_strictly_after_its_last_event()
    {
        using var client = await server.SignInAsync();
        var id = await client.CountAsync(50);
        var all = await client.WatchAsync(id);

        foreach (var seen in new[] { 1, 25, 50 })
        {
            Assert.Equal(all.Skip(seen), await client.WatchAsync(id, all[seen - 1].Id));
        }
    }

    [Fact]
    public async Task The_header_wins_over_the_query_and_a_bare_number_is_a_position()
    {
        using var client = await server.SignInAsync();
        var id = await client.CountAsync(20);
        var all = await client.WatchAsync(id);

        await using var byQuery = await SseClient.OpenAsync(client, $"/api/jobs/{id}/events?after={all[4].Id}");
        await using var byNumber = await SseClient.OpenAsync(client, $"/api/jobs/{id}/events?after=5");
        await using var byHeader = await SseClient.OpenAsync(client, $"/api/jobs/{id}/events?after=5", all[9].Id);
        await using var byNothing = await SseClient.OpenAsync(client, $"/api/jobs/{id}/events?after=", "");

        Assert.Equal(all.Skip(5), await byQuery.ReadToEndAsync());
        Assert.Equal(all.Skip(5), await byNumber.ReadToEndAsync());
        Assert.Equal(all.Skip(10), await byHeader.ReadToEndAsync());
        Assert.Equal(all, await byNothing.ReadToEndAsync());
    }

    [Fact]
    public async Task Who_has_seen_the_end_is_told_not_to_come_back()
    {
        using var client = await server.SignInAsync();
        var id = await client.CountAsync(5);
        var all = await client.WatchAsync(id);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/jobs/{id}/events");
        request.Headers.Add("Last-Event-ID", all[^1].Id);

        using var response = await client.SendAsync(request, Cancel);

        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        Assert.Empty(await response.Content.ReadAsStringAsync(Cancel));
    }

    [Theory]
    [InlineData("too_new")]
    [InlineData("epoch")]
    [InlineData("unknown")]
    [InlineData("too_old")]
    public async Task A_cursor_that_cannot_be_served_gets_one_reset_that_says_why(string reason)
    {
        using var client = await server.SignInAsync();
        var id = await client.CountAsync(20);
        var last = (await client.WatchAsync(id))[^1].Id!;
        var floor = 1;
        if (reason == "too_old")
        {
            var job = await server.Streams.FindAsync(id.ToString(), Cancel);
            await server.Streams.PruneAsync(job!.Id, floor = 10, Cancel);
        }

        var cursor = reason switch
        {
            "too_new" => last.At(22),
            "epoch" => $"{id}.12345.3",
            "unknown" => $"{Guid.CreateVersion7()}.12345.3",
            _ => last.At(8),
        };
        await using var events = await SseClient.OpenAsync(client, $"/api/jobs/{id}/events", cursor);
        var reset = await events.ReadAsync();

        Assert.Equal("reset", reset!.Kind);
        Assert.Equal("", reset.Id);
        Assert.Equal(string.Create(CultureInfo.InvariantCulture, $"{{\"reason\":\"{reason}\",\"floor\":{floor},\"tail\":21}}"), reset.Data);
        Assert.Null(await events.ReadAsync());
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("a.b.c")]
    [InlineData("..")]
    [InlineData("99999999999999999999")]
    [InlineData("-1")]
    public async Task What_is_no_cursor_at_all_gets_a_reset_too(string cursor)
    {
        using var client = await server.SignInAsync();
        var id = await client.CountAsync(2);
        await client.WatchAsync(id);

        await using var events = await SseClient.OpenAsync(client, $"/api/jobs/{id}/events", cursor);

        Assert.Equal("unknown", (await events.ReadAsync())!.Json.GetProperty("reason").GetString());
        Assert.Null(await events.ReadAsync());
    }

    [Fact]
    public async Task While_nothing_happens_a_comment_keeps_the_connection_awake()
    {
        using var client = await server.SignInAsync();
        var (name, gate) = server.NewGate();
        var id = await client.SubmitAcceptedAsync("gate", new { gate = name });
        await using var events = await SseClient.OpenAsync(client, $"/api/jobs/{id}/events");
        Assert.Equal("here", (await events.ReadAsync())!.Kind);
        for (var i = 0; i < 2; i++)
        {
            server.Clock.Advance(TimeSpan.FromSeconds(15));
            Assert.Equal("keep-alive", await events.ReadCommentAsync());
        }

        gate.Open();
        Assert.Equal("complete", (await events.ReadAsync())!.Kind);
    }

    [Fact]
    public async Task A_viewer_who_leaves_does_not_touch_a_submitted_job()
    {
        using var client = await server.SignInAsync();
        var (name, gate) = server.NewGate();
        var id = await client.SubmitAcceptedAsync("gate", new { gate = name });
        await gate.WaitForArrivalAsync();
        await using (var events = await SseClient.OpenAsync(client, $"/api/jobs/{id}/events"))
        {
            await events.ReadAsync();
        }

        server.Clock.Advance(TimeSpan.FromMinutes(10));
        gate.Open();

        Assert.Equal(["here", "complete"], (await client.WatchAsync(id)).Select(static item => item.Kind));
    }

    [Fact]
    public async Task Work_that_was_submitted_to_be_watched_ends_after_its_viewer_s_grace()
    {
        using var client = await server.SignInAsync();
        var (_, id) = await OpenAndLeaveAsync(client);
        await UntilNobodyWatchesAsync(id);
        server.Clock.Advance(TimeSpan.FromSeconds(9));
        Assert.Equal("running", (await client.JobAsync(id)).GetProperty("status").GetString());

        server.Clock.Advance(TimeSpan.FromSeconds(2));
        using var other = await server.SignInAsync();
        await Eventually.HoldsAsync(async () => (await client.JobAsync(id)).GetProperty("status").GetString() == "cancelled");
    }

    [Fact]
    public async Task A_viewer_who_comes_back_in_time_sees_the_rest_of_such_work()
    {
        using var client = await server.SignInAsync();
        var (gate, id) = await OpenAndLeaveAsync(client);
        await UntilNobodyWatchesAsync(id);
        server.Clock.Advance(TimeSpan.FromSeconds(9));

        await using var events = await SseClient.OpenAsync(client, $"/api/jobs/{id}/events?after=1");
        server.Clock.Advance(TimeSpan.FromMinutes(5));
        await events.ReadCommentAsync();
        gate.Open();

        Assert.Equal("complete", (await events.ReadAsync())!.Kind);
    }

    [Fact]
    public async Task Signing_out_ends_the_stream()
    {
        var person = new { email = $"mason-{Guid.CreateVersion7():N}@example.com", password = "correct horse battery" };
        using var registered = await server.Client.PostAsJsonAsync("/auth/register", person, Cancel);
        using var signedIn = await server.Client.PostAsJsonAsync("/auth/login", person, Cancel);
        var tokens = await signedIn.JsonAsync();
        using var client = server.CreateClient();
        client.DefaultRequestHeaders.Authorization = new("Bearer", tokens.GetProperty("access_token").GetString());
        var (name, gate) = server.NewGate();
        var id = await client.SubmitAcceptedAsync("gate", new { gate = name });
        await using var events = await SseClient.OpenAsync(client, $"/api/jobs/{id}/events");
        Assert.Equal("here", (await events.ReadAsync())!.Kind);

        using var signedOut = await server.Client.PostAsJsonAsync("/auth/logout", new { refresh_token = tokens.GetProperty("refresh_token").GetString() }, Cancel);
        Assert.Equal(HttpStatusCode.OK, signedOut.StatusCode);

        Assert.Null(await events.ReadAsync());
        gate.Open();
    }

    private async Task<(Gate Gate, Guid Job)> OpenAndLeaveAsync(HttpClient client)
    {
        var (name, gate) = server.NewGate();
        await using var events = await SseClient.OpenAsync(client, new HttpRequestMessage(HttpMethod.Post, $"/test/stream?gate={name}"));
        var here = await events.ReadAsync();
        await gate.WaitForArrivalAsync();
        return (gate, Guid.Parse(here!.Id![..36]));
    }

    /// <summary>Waits until the server has noticed that the viewer is gone.</summary>
    private Task UntilNobodyWatchesAsync(Guid id) => Eventually.HoldsAsync(async () => await server.Database.ReadAsync(
        session => session.QueryFirstAsync("SELECT count(*) FROM job WHERE id = $1 AND abandon_at IS NOT NULL", static row => row.GetInt64(0), id), Cancel) == 1);
}

public sealed class SqliteJobEventStreamTests(SqliteJobsServer server) : JobEventStreamTests(server), IClassFixture<SqliteJobsServer>;

public sealed class PostgresJobEventStreamTests(PostgresJobsServer server) : JobEventStreamTests(server), IClassFixture<PostgresJobsServer>;
