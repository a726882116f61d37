using Lintel.Bench.Client;
using Lintel.Bench.Reporting;
using Lintel.Bench.Servers;

namespace Lintel.Bench.Scenarios;

/// <summary>One room of a thousand: how soon and how often all of them get what one says.</summary>
internal sealed class ChatScenario : IScenario
{
    private const int Members = 1000;
    private const int Senders = 8;
    private const int PerSecond = 50;
    private const double LatencyLimit = 20;
    private const double RateLimit = 150_000;
    private const double GrowthLimit = 32 * 1024 * 1024;

    private static readonly Dictionary<string, string> Settings = new() { ["CHAT_MESSAGES_PER_MINUTE"] = "1000000000", ["CHAT_JOINS_PER_MINUTE"] = "1000000000" };

    public string Name => "chat";

    public string About => $"one room, WS /ws/rooms/{{room}}, {Members} members: each message durable, then at all of them, in order";

    public async Task<Findings> RunAsync(Stage stage, CancellationToken cancellationToken)
    {
        await using var server = await stage.StartServerAsync(stage.NewFolder(), Settings, cancellationToken);
        await using var peer = await stage.StartBaselineAsync(cancellationToken);
        var account = await Account.CreateAsync(server, "chat", cancellationToken);
        using var room = new RoomCrowd(server.Endpoint, Members, "/ws/rooms/bench?client_id=bench&history=0", account.AccessToken);
        using var bare = new RoomCrowd(peer.Endpoint, Members, "/fan-out", bearer: null);
        foreach (var crowd in new[] { room, bare })
        {
            crowd.Idle(stage.WarmUp / 2);
            crowd.FlatOut(stage.WarmUp, Senders);
        }

        var before = Memory.Anonymous(server.ProcessId);
        var (p99, bareP99) = stage.Interleave(() => room.Paced(stage.Window, PerSecond), () => bare.Paced(stage.Window, PerSecond), cancellationToken);
        var (rate, bareRate) = stage.Interleave(() => room.FlatOut(stage.Window, Senders), () => bare.FlatOut(stage.Window, Senders), cancellationToken);
        var growth = Memory.Anonymous(server.ProcessId) - before;

        return new Findings()
            .Add(new Row(
                $"p99 at {PerSecond} messages a second", p99.Show(Show.Milliseconds), $"bare fan-out {bareP99.Show(Show.Milliseconds)}",
                Show.Times(p99.Median / bareP99.Median), "<= 20 ms", p99.Median <= LatencyLimit))
            .Add(new Row(
                "deliveries, flat out", rate.Show(Show.Rate), $"bare fan-out {bareRate.Show(Show.Rate)}",
                Show.Percent(rate.Median / bareRate.Median), ">= 150,000/s", rate.Median >= RateLimit))
            .Add(new Row("memory after all of it", Show.Megabytes(growth), Target: "<= 32 MB more", Met: growth <= GrowthLimit))
            .Note($"{Members} sockets on one thread, which also sends: a delivery's time is from before the message is sent to when the member's copy is read. Flat out {Senders} members each send "
                + "when their last message has come back. The peer keeps nothing, orders nothing and sends to one member after the other.");
    }
}
