using System.Net.Sockets;
using System.Text;
using Lintel.Infrastructure;
using Lintel.Platform.Security;

namespace Lintel.Features.Jobs;

/// <summary>Readers that stop reading: each is ended after its deadline, costs little until then, and slows down nobody.</summary>
public sealed class SlowReaderTests(SqliteJobsServer server) : IClassFixture<SqliteJobsServer>
{
    // More than any socket buffers.
    private const int Events = 300;
    private const int EventBytes = 100_000;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/api/jobs/{0}/events", "")]
    [InlineData("/ws/jobs/{0}", "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")]
    public async Task A_reader_that_stops_is_ended_after_ten_seconds_and_others_are_not_slowed(string path, string headers)
    {
        using var client = server.CreateMachine();
        var id = await client.SubmitAcceptedAsync("count", new { n = Events, size = EventBytes });
        using var stuck = await StartReadingAsync(string.Format(path, id), headers);
        var events = await client.WatchAsync(id);
        Assert.Equal(Events + 1, events.Count);

        // It is waited for as long as the deadline says; the connection then ends, with much unread.
        var ended = ReadToEndAsync(stuck, after: () => server.Clock.Advance(TimeSpan.FromSeconds(11)));
        Assert.InRange(await ended, 1, (long)Events * EventBytes / 2);
    }

    [Fact]
    public async Task Many_readers_that_stop_cost_no_more_than_what_each_may_have_on_its_way()
    {
        const int readers = 40;
        using var client = server.CreateMachine();
        var id = await client.SubmitAcceptedAsync("count", new { n = Events, size = EventBytes });
        await client.WatchAsync(id);
        var before = GC.GetTotalMemory(forceFullCollection: true);

        var stuck = new List<TcpClient>();
        for (var i = 0; i < readers; i++)
        {
            stuck.Add(await StartReadingAsync($"/api/jobs/{id}/events", ""));
        }

        // All are where they can go no further: the server has offered each what it will take.
        var (name, gate) = server.NewGate();
        var other = await client.SubmitAcceptedAsync("gate", new { gate = name });
        await gate.WaitForArrivalAsync();
        gate.Open();
        await client.WatchAsync(other);
        var each = (GC.GetTotalMemory(forceFullCollection: true) - before) / readers;

        // Thirty megabytes wait for each of them, in the log.
        Assert.InRange(each, long.MinValue, 2_000_000);
        stuck.ForEach(static reader => reader.Dispose());
    }

    private async Task<TcpClient> StartReadingAsync(string path, string headers)
    {
        var client = new TcpClient { ReceiveBufferSize = 4096 };
        await client.ConnectAsync(server.BaseAddress.Host, server.BaseAddress.Port, Cancel);
        await client.GetStream().WriteAsync(
            Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {JobsServer.ApiKey}\r\n{headers}\r\n"), Cancel);

        // The head is there: the server is at work on this one.
        var head = new byte[16];
        await client.GetStream().ReadExactlyAsync(head, Cancel);
        Assert.StartsWith("HTTP/1.1 ", Encoding.ASCII.GetString(head), StringComparison.Ordinal);
        return client;
    }

    /// <summary>Looks whether the server has let go of the connection, and only then reads what is left in between.</summary>
    private async Task<long> ReadToEndAsync(TcpClient client, Action after)
    {
        var registry = (LiveConnections)server.Services.GetService(typeof(LiveConnections))!;
        Assert.True(registry.Count > 0);
        after();
        await Eventually.HoldsAsync(() => registry.Count == 0);

        var total = 0L;
        var buffer = new byte[64 * 1024];
        try
        {
            int read;
            while ((read = await client.GetStream().ReadAsync(buffer, Cancel)) > 0)
            {
                total += read;
            }
        }
        catch (IOException)
        {
            // The server has reset it.
        }

        return total;
    }
}
