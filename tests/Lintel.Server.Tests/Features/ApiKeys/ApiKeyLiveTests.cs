using System.Net;
using System.Net.WebSockets;
using Lintel.Features.Jobs;
using Lintel.Infrastructure;

namespace Lintel.Features.ApiKeys;

/// <summary>What happens to connections that stay open when the key that opened them ends.</summary>
public abstract class ApiKeyLiveTests(JobsServer server)
{
    [Fact(Timeout = 60_000)]
    public async Task Revoking_a_key_closes_its_sockets_and_event_streams_and_no_others()
    {
        var token = await server.NewTokenAsync();
        var (revoked, kept) = (await server.NewKeyAsync(token), await server.NewKeyAsync(token));
        await using var socket = await OpenSocketAsync(revoked.Text);
        await using var otherSocket = await OpenSocketAsync(kept.Text);
        var (job, gate) = await StartAsync(kept.Text);
        await using var events = await WatchAsync(job, revoked.Text);
        await using var otherEvents = await WatchAsync(job, kept.Text);
        Assert.Equal("here", (await events.ReadAsync())?.Kind);

        await server.RevokeKeyAsync(token, revoked.Id);

        await socket.AssertClosedAsync(WebSocketCloseStatus.PolicyViolation, "Invalid API key");
        Assert.Empty(await events.ReadToEndAsync());
        await otherSocket.SendAsync(new { type = "ping" });
        Assert.Equal("pong", (await otherSocket.ReceiveAsync())!.Value.GetProperty("type").GetString());
        gate.Open();
        Assert.Equal(["here", "complete"], (await otherEvents.ReadToEndAsync()).Select(static item => item.Kind));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_key_that_expires_takes_its_sockets_and_event_streams_with_it()
    {
        var (token, refresh) = await server.NewSessionAsync();
        var expiring = await server.NewKeyAsync(token, expiresAt: server.Clock.GetUtcNow().AddMinutes(10));
        var kept = await server.NewKeyAsync(token, expiresAt: "9999-12-31T23:59:59.999999Z");
        await using var socket = await OpenSocketAsync(expiring.Text);
        await using var otherSocket = await OpenSocketAsync(kept.Text);
        var (job, gate) = await StartAsync(kept.Text);
        await using var events = await WatchAsync(job, expiring.Text);
        Assert.Equal("here", (await events.ReadAsync())?.Kind);

        server.Clock.Advance(TimeSpan.FromMinutes(10));

        await socket.AssertClosedAsync(WebSocketCloseStatus.PolicyViolation, "Invalid API key");
        Assert.Empty(await events.ReadToEndAsync());

        // The one that lasts as long as there are dates has been looked after as often, without an error.
        await otherSocket.SendAsync(new { type = "ping" });
        Assert.Equal("pong", (await otherSocket.ReceiveAsync())!.Value.GetProperty("type").GetString());
        Assert.DoesNotContain("could not be looked after", server.Log.Text, StringComparison.Ordinal);
        gate.Open();
        Assert.NotEmpty(await refresh());
    }

    [Fact(Timeout = 60_000)]
    public async Task A_key_sees_only_jobs_of_kinds_that_it_has_the_scope_for()
    {
        var token = await server.NewTokenAsync();
        var (design, chat) = (await server.NewKeyAsync(token), await server.NewKeyAsync(token, ["chat"]));
        var (job, gate) = await StartAsync(design.Text);
        using var designing = ClientOf(design.Text);
        using var chatting = ClientOf(chat.Text);

        using var got = await chatting.GetAsync($"/api/jobs/{job}", TestContext.Current.CancellationToken);
        using var watched = await chatting.GetAsync($"/api/jobs/{job}/events", TestContext.Current.CancellationToken);
        using var cancelled = await chatting.DeleteAsync($"/api/jobs/{job}", TestContext.Current.CancellationToken);
        Assert.All([got, watched, cancelled], static response => Assert.Equal(HttpStatusCode.NotFound, response.StatusCode));
        await using var socket = await SocketClient.OpenAsync(server.SocketAddress($"/ws/jobs/{job}"), "X-API-Key", chat.Text);
        await socket.AssertClosedAsync(WebSocketCloseStatus.PolicyViolation, "Job not found");
        using var empty = await chatting.GetAsync("/api/jobs", TestContext.Current.CancellationToken);
        using var listed = await designing.GetAsync("/api/jobs", TestContext.Current.CancellationToken);

        Assert.Empty((await empty.JsonAsync()).GetProperty("jobs").EnumerateArray());
        Assert.Equal(job, Assert.Single((await listed.JsonAsync()).GetProperty("jobs").EnumerateArray()).GetProperty("job_id").GetGuid());
        Assert.Equal("running", (await designing.JobAsync(job)).GetProperty("status").GetString());
        gate.Open();
    }

    private Task<SocketClient> OpenSocketAsync(string key) => SocketClient.OpenAsync(server.SocketAddress($"/ws/design/{Guid.CreateVersion7():N}"), "X-API-Key", key);

    private async Task<(Guid Job, Gate Gate)> StartAsync(string key)
    {
        var (name, gate) = server.NewGate();
        using var client = ClientOf(key);
        var job = await client.SubmitAcceptedAsync("gate", new { gate = name });
        await gate.WaitForArrivalAsync();
        return (job, gate);
    }

    private Task<SseClient> WatchAsync(Guid job, string key)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, $"/api/jobs/{job}/events");
        request.Headers.Add("X-API-Key", key);
        return SseClient.OpenAsync(server.Client, request);
    }

    private HttpClient ClientOf(string key)
    {
        var client = server.CreateClient();
        client.DefaultRequestHeaders.Add("X-API-Key", key);
        return client;
    }
}

public sealed class ApiKeyLiveOnSqliteTests(SqliteJobsServer server) : ApiKeyLiveTests(server), IClassFixture<SqliteJobsServer>;

public sealed class ApiKeyLiveOnPostgresTests(PostgresJobsServer server) : ApiKeyLiveTests(server), IClassFixture<PostgresJobsServer>;
