using System.Net.Http.Json;
using System.Net.WebSockets;
using Lintel.Infrastructure;

namespace Lintel.Features.Jobs;

/// <summary>A job's events over a WebSocket.</summary>
public abstract class JobSocketTests(JobsServer server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_socket_brings_the_same_events_as_the_event_stream_and_closes_when_all_is_said()
    {
        using var client = server.CreateMachine();
        var id = await client.CountAsync(500);
        await using var socket = await WatchAsync(id);
        var messages = await socket.ReceiveToEndAsync();
        var events = await client.WatchAsync(id);

        Assert.Equal((WebSocketCloseStatus.NormalClosure, "Done"), (socket.CloseStatus, socket.CloseReason));
        Assert.Equal(events.Select(static item => (item.Kind, item.Id)), messages.Select(static item => (item.GetProperty("type").GetString()!, item.GetProperty("id").GetString())));
        Assert.Equal(events.Texts(), messages.SkipLast(1).Select(static item => item.GetProperty("text").GetString()!));
    }

    [Fact]
    public async Task A_watcher_sees_events_as_they_happen()
    {
        using var client = server.CreateMachine();
        var (name, gate) = server.NewGate();
        var id = await client.SubmitAcceptedAsync("gate", new { gate = name });
        await using var socket = await WatchAsync(id);

        Assert.Equal("here", (await socket.ReceiveAsync())!.Value.GetProperty("type").GetString());
        gate.Open();
        Assert.Equal("complete", (await socket.ReceiveAsync())!.Value.GetProperty("type").GetString());
        Assert.Null(await socket.ReceiveAsync());
    }

    [Fact]
    public async Task A_watcher_goes_on_after_a_cursor_or_is_told_to_start_again()
    {
        using var client = server.CreateMachine();
        var id = await client.CountAsync(10);
        var all = await client.WatchAsync(id);

        await using var rest = await WatchAsync(id, $"?after={all[6].Id}");
        Assert.Equal(all.Skip(7).Select(static item => item.Id), (await rest.ReceiveToEndAsync()).Select(static item => item.GetProperty("id").GetString()));

        await using var lost = await WatchAsync(id, $"?after={all[6].Id!.At(400)}");
        Assert.Equal("""{"type":"reset","reason":"too_new","floor":1,"tail":11}""", (await lost.ReceiveAsync())!.Value.GetRawText());
        await lost.AssertClosedAsync(WebSocketCloseStatus.NormalClosure);
    }

    [Fact]
    public async Task Another_one_s_job_is_refused()
    {
        using var owner = await server.SignInAsync();
        var id = await owner.CountAsync(1);
        await using var socket = await WatchAsync(id);

        Assert.Equal("""{"type":"error","message":"Job not found"}""", (await socket.ReceiveAsync())!.Value.GetRawText());
        await socket.AssertClosedAsync(WebSocketCloseStatus.PolicyViolation);
    }

    [Fact]
    public async Task Every_form_of_credentials_opens_it()
    {
        var token = await server.NewTokenAsync();
        using var client = server.CreateClient();
        client.DefaultRequestHeaders.Authorization = new("Bearer", token);
        var id = await client.CountAsync(1);
        var path = $"/ws/jobs/{id}";
        using var issued = await client.PostAsJsonAsync("/auth/ws-ticket", new { path }, Cancel);
        var ticket = (await issued.JsonAsync()).GetProperty("ticket").GetString();

        await using var byHeader = await SocketClient.OpenAsync(server.SocketAddress(path), "Authorization", "Bearer " + token);
        await using var byTicket = await SocketClient.OpenAsync(server.SocketAddress($"{path}?ticket={ticket}"));
        await using var byToken = await SocketClient.OpenAsync(server.SocketAddress($"{path}?token={token}"));
        await using var byMessage = await SocketClient.OpenAsync(server.SocketAddress(path));
        await byMessage.SendAsync(new { type = "auth", token });

        foreach (var socket in new[] { byHeader, byTicket, byToken, byMessage })
        {
            Assert.Equal(2, (await socket.ReceiveToEndAsync()).Count);
            Assert.Equal(WebSocketCloseStatus.NormalClosure, socket.CloseStatus);
        }

        using var machine = server.CreateMachine();
        var own = await machine.CountAsync(1);
        await using var byKey = await SocketClient.OpenAsync(server.SocketAddress($"/ws/jobs/{own}"));
        await byKey.SendAsync(new { type = "auth", api_key = JobsServer.ApiKey });
        Assert.Equal(2, (await byKey.ReceiveToEndAsync()).Count);
    }

    [Fact]
    public async Task A_watcher_who_leaves_does_not_touch_the_job()
    {
        using var client = server.CreateMachine();
        var (name, gate) = server.NewGate();
        var id = await client.SubmitAcceptedAsync("gate", new { gate = name });
        await gate.WaitForArrivalAsync();
        await using (var socket = await WatchAsync(id))
        {
            await socket.ReceiveAsync();
            await socket.CloseAsync();
            Assert.Equal(WebSocketCloseStatus.NormalClosure, socket.CloseStatus);
        }

        server.Clock.Advance(TimeSpan.FromMinutes(10));
        gate.Open();
        Assert.Equal("complete", (await client.WatchAsync(id))[^1].Kind);
    }

    private Task<SocketClient> WatchAsync(Guid id, string query = "") =>
        SocketClient.OpenAsync(server.SocketAddress($"/ws/jobs/{id}{query}"), "X-API-Key", JobsServer.ApiKey);
}

public sealed class SqliteJobSocketTests(SqliteJobsServer server) : JobSocketTests(server), IClassFixture<SqliteJobsServer>;

public sealed class PostgresJobSocketTests(PostgresJobsServer server) : JobSocketTests(server), IClassFixture<PostgresJobsServer>;
