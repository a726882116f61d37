using System.Net.WebSockets;
using Lintel.Infrastructure;

namespace Lintel.Features.Jobs;

/// <summary>A server that stops in good order: it tells its readers, hands its jobs back, and the next one goes on with them.</summary>
public abstract class ShutdownTests(TestDatabaseKind kind)
{
    [Fact]
    public async Task A_restart_costs_readers_no_event_and_the_job_no_attempt()
    {
        await using var server = NewServer();
        await server.InitializeAsync();
        using var client = server.CreateMachine();
        var (name, gate) = server.NewGate();
        var id = await client.SubmitAcceptedAsync("gate", new { gate = name });
        await using var events = await SseClient.OpenAsync(client, $"/api/jobs/{id}/events");
        await using var socket = await SocketClient.OpenAsync(server.SocketAddress($"/ws/jobs/{id}"), "X-API-Key", JobsServer.ApiKey);
        var here = (await events.ReadAsync())!;
        Assert.Equal("here", (await socket.ReceiveAsync())!.Value.GetProperty("type").GetString());
        await gate.WaitForArrivalAsync();

        var closing = socket.AssertClosedAsync(WebSocketCloseStatus.EndpointUnavailable, "Server going away");
        var restarting = server.RestartAsync();
        Assert.Null(await events.ReadAsync());
        Assert.Contains(events.Comments, static comment => comment.Contains("reconnect", StringComparison.Ordinal));
        await closing;
        await restarting;

        using var again = server.CreateMachine();
        await gate.WaitForArrivalAsync();
        await using var rest = await SseClient.OpenAsync(again, $"/api/jobs/{id}/events", here.Id);
        gate.Open();
        Assert.Equal("complete", (await rest.ReadToEndAsync()).Single().Kind);
        Assert.Equal(["here", "complete"], (await again.WatchAsync(id)).Select(static item => item.Kind));
        Assert.Equal(1, (await again.JobAsync(id)).GetProperty("attempt").GetInt32());
    }

    [Fact]
    public async Task A_stopping_server_does_not_wait_for_a_client_that_never_closes_its_socket()
    {
        await using var server = NewServer();
        await server.InitializeAsync();
        using var client = server.CreateMachine();
        var (name, gate) = server.NewGate();
        var id = await client.SubmitAcceptedAsync("gate", new { gate = name });
        await gate.WaitForArrivalAsync();
        await using var socket = await SocketClient.OpenAsync(server.SocketAddress($"/ws/jobs/{id}"), "X-API-Key", JobsServer.ApiKey);
        await socket.ReceiveAsync();

        // Nobody reads the socket any more, so the close frame is not answered.
        var restarting = server.RestartAsync();
        server.Clock.Advance(TimeSpan.FromSeconds(6));
        await restarting.WaitAsync(TimeSpan.FromSeconds(15), TestContext.Current.CancellationToken);
        gate.Open();
    }

    private JobsServer NewServer() => kind == TestDatabaseKind.Sqlite ? new SqliteJobsServer() : new PostgresJobsServer();
}

public sealed class SqliteShutdownTests() : ShutdownTests(TestDatabaseKind.Sqlite);

public sealed class PostgresShutdownTests() : ShutdownTests(TestDatabaseKind.Postgres);
