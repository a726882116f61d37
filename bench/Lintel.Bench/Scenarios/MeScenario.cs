using Lintel.Bench.Client;
using Lintel.Bench.Reporting;

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

        using var ours = LoadGroup.OfRequests(server, Connections, HttpExchange.Get("/auth/me", account.AccessToken));
        using var theirs = LoadGroup.OfRequests(peer, Connections, HttpExchange.Get("/empty"));
        LoadLoop.Run(stage.WarmUp, ours);
        LoadLoop.Run(stage.WarmUp, theirs);

        var (me, empty) = stage.Interleave(() => ours.Rate(stage.Window), () => theirs.Rate(stage.Window), cancellationToken);
        var share = me.Median / empty.Median;
        return new Findings().Add(new Row(
            $"GET /auth/me, {Connections} connections", me.Show(Show.Rate), $"bare GET /empty {empty.Show(Show.Rate)}",
            Show.Percent(share), ">= 55 %", share >= ShareLimit));
    }
}
