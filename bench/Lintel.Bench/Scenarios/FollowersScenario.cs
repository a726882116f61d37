using System.Net;
using Lintel.Bench.Client;
using Lintel.Bench.Reporting;
using Lintel.Bench.Servers;

namespace Lintel.Bench.Scenarios;

/// <summary>What ten thousand sockets that only listen cost in memory.</summary>
internal sealed class FollowersScenario : IScenario
{
    private const int PortsPerAddress = 5_000;
    private const double PerConnectionLimit = 16 * 1024;
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(8);

    public string Name => "followers";

    public string About => "memory of each of 10,000 idle WebSocket followers";

    public async Task<Findings> RunAsync(Stage stage, CancellationToken cancellationToken)
    {
        var count = stage.Quick ? 2_000 : 10_000;
        double ours, bare;
        await using (var server = await stage.StartServerAsync(cancellationToken))
        {
            var account = await Account.CreateAsync(server, "followers", cancellationToken);
            ours = Measure(server, i => $"/ws/design/follower-{i}", account.AccessToken, count);
        }

        await using (var peer = await stage.StartBaselineAsync(cancellationToken))
        {
            bare = Measure(peer, _ => "/echo", bearer: null, count);
        }

        return new Findings().Add(new Row(
            $"each of {Show.Count(count)} idle followers", Show.Kilobytes(ours), $"bare echo sockets {Show.Kilobytes(bare)}",
            Show.Times(ours / bare), "<= 16 KB", ours <= PerConnectionLimit));
    }

    private static double Measure(ChildServer server, Func<int, string> path, string? bearer, int count)
    {
        // A first few, gone again before measuring, so that the code, pools and threads that any crowd needs are there. Few, since
        // what they leave behind is used again.
        using (var first = Connect(server, path, bearer, count / 100))
        {
            LoadLoop.Idle(Settle / 4, first);
        }

        using var nobody = Connect(server, path, bearer, 1);
        LoadLoop.Idle(Settle, nobody);
        var before = Memory.Anonymous(server.ProcessId);
        using var crowd = Connect(server, path, bearer, count);
        LoadLoop.Idle(Settle, crowd);
        return (Memory.Anonymous(server.ProcessId) - before) / (double)count;
    }

    /// <summary>From several loopback addresses, since each has only about 28,000 ports, some of them still in TIME_WAIT.</summary>
    private static LoadGroup Connect(ChildServer server, Func<int, string> path, string? bearer, int count) =>
        new(Enumerable.Range(0, count).Select(i => new WebSocketExchange(
            server.Endpoint, path(i), "", "", bearer, new IPAddress([127, 0, 1, (byte)(1 + (i / PortsPerAddress))]))));
}
