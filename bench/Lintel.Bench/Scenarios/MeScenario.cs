using Lintel.Bench.Client;
using Lintel.Bench.Reporting;
using Lintel.Bench.Servers;

namespace Lintel.Bench.Scenarios;

/// <summary>What a signed-in request costs over one that asks nothing.</summary>
internal sealed class MeScenario : IScenario
{
    private const int Connections = 64;
    private const double ShareLimit = 0.55;

    public string Name => "me";

    public string About => "GET /auth/me with a bearer token at 64 connections";

    public async Task<Findings> RunAsync(Stage stage, CancellationToken cancellationToken)
    {
        await using var server = await stage.StartServerAsync(cancellationToken);
        await using var peer = await stage.StartBaselineAsync(cancellationToken);
        var account = await Account.CreateAsync(server, "me", cancellationToken);

        using var signedIn = LoadGroup.OfRequests(server, Connections, HttpExchange.Get("/auth/me", account.AccessToken));
        using var health = LoadGroup.OfRequests(server, Connections, HttpExchange.Get("/health"));
        using var bare = LoadGroup.OfRequests(peer, Connections, HttpExchange.Get("/empty"));
        foreach (var group in (LoadGroup[])[signedIn, health, bare])
        {
            LoadLoop.Run(stage.WarmUp, group);
        }

        var findings = new Findings();
        var (me, empty) = stage.Interleave(() => signedIn.Rate(stage.Window), () => bare.Rate(stage.Window), cancellationToken);
        var share = me.Median / empty.Median;
        findings.Add(new Row(
            $"GET /auth/me, {Connections} connections", me.Show(Show.Rate), $"bare GET /empty {empty.Show(Show.Rate)}",
            Show.Percent(share), ">= 55 %", share >= ShareLimit));

        // What every request costs before the server knows who asks: the rest of the way to /auth/me is the caller's.
        var (plain, emptyAgain) = stage.Interleave(() => health.Rate(stage.Window), () => bare.Rate(stage.Window), cancellationToken);
        findings.Add(new Row(
            $"GET /health, {Connections} connections", plain.Show(Show.Rate), $"bare GET /empty {emptyAgain.Show(Show.Rate)}",
            Show.Percent(plain.Median / emptyAgain.Median)));

        var costs = new[] { (server, signedIn), (server, health), (peer, bare) }.Select(each => Cost(each.Item1, each.Item2, stage.Window)).ToArray();
        return findings.Note(
            $"processor time of the server for each request: {costs[0]} for /auth/me, {costs[1]} for /health, {costs[2]} for the bare endpoint.");
    }

    /// <summary>Unlike a rate, this hardly moves when the machine is busy with something else.</summary>
    private static string Cost(ChildServer server, LoadGroup group, TimeSpan window)
    {
        var before = server.ProcessorTime;
        LoadLoop.Run(window, group);
        return Show.Microseconds((server.ProcessorTime - before).TotalMicroseconds / group.CountWithLast);
    }
}
