using System.Net;
using Lintel.Bench.Client;
using Lintel.Bench.Reporting;
using Lintel.Bench.Servers;
using Lintel.Bench.Storage;

namespace Lintel.Bench.Scenarios;

/// <summary>What ten thousand sockets that only listen cost in memory.</summary>
internal sealed class FollowersScenario : IScenario
{
    private const int PortsPerAddress = 5_000;
    private const double PerConnectionLimit = 16 * 1024;
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(8);

    public string Name => "followers";

    public string About => "memory of each of 10,000 followers of a job, WS /ws/jobs/{id}, while nothing happens";

    public async Task<Findings> RunAsync(Stage stage, CancellationToken cancellationToken)
    {
        var count = stage.Quick ? 2_000 : 10_000;
        var rounds = stage.Quick ? 1 : 3;
        var (jobs, echoes) = (new List<double>(), new List<double>());
        for (var round = 0; round < rounds; round++)
        {
            jobs.Add(await OfJobAsync(stage, count, cancellationToken));
            await using var peer = await stage.StartBaselineAsync(cancellationToken);
            echoes.Add(Measure(peer, "/echo", bearer: null, count));
        }

        var (ours, bare) = (new Sample(jobs), new Sample(echoes));
        return new Findings().Add(new Row(
            $"each of {Show.Count(count)} idle followers", ours.Show(Show.Kilobytes), $"bare echo sockets {bare.Show(Show.Kilobytes)}",
            Show.Times(ours.Median / bare.Median), "<= 16 KB", ours.Median <= PerConnectionLimit))
            .Note("growth of the server's anonymous resident memory over the number of sockets, after they have been silent for some seconds; no collection is forced.");
    }

    /// <summary>They follow a job that waits: its stream is watched, and nothing comes.</summary>
    private static async Task<double> OfJobAsync(Stage stage, int count, CancellationToken cancellationToken)
    {
        var folder = stage.NewFolder();
        Account account;
        await using (var server = await stage.StartServerAsync(folder, cancellationToken))
        {
            account = await Account.CreateAsync(server, "followers", cancellationToken);
        }

        var job = await WaitingJob.SubmitAsync(folder, account.Id, cancellationToken);
        await using var again = await stage.StartServerAsync(folder, cancellationToken);
        return Measure(again, $"/ws/jobs/{job}", account.AccessToken, count);
    }

    private static double Measure(ChildServer server, string path, string? bearer, int count)
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
    private static LoadGroup Connect(ChildServer server, string path, string? bearer, int count) =>
        new(Enumerable.Range(0, count).Select(i => new WebSocketExchange(
            server.Endpoint, path, "", "", bearer, new IPAddress([127, 0, 1, (byte)(1 + (i / PortsPerAddress))]))));
}
