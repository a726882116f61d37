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

        using var signedIn = LoadGroup.OfRequests(server, Connections, HttpExchange.Get("/auth/me", account.AccessToken));
        using var health = LoadGroup.OfRequests(server, Connections, HttpExchange.Get("/health"));
        using var bare = LoadGroup.OfRequests(peer, Connections, HttpExchange.Get("/empty"));
        var (me, plain, empty) = (new MeasuredLoad(server, signedIn), new MeasuredLoad(server, health), new MeasuredLoad(peer, bare));
        foreach (var group in (LoadGroup[])[signedIn, health, bare])
        {
            LoadLoop.Run(stage.WarmUp, group);
        }

        for (var round = 0; round < stage.Rounds; round++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            me.Run(stage.Window);
            empty.Run(stage.Window);
            plain.Run(stage.Window);
        }

        var share = me.Rate.Median / empty.Rate.Median;
        return new Findings()
            .Add(new Row(
                $"GET /auth/me, {Connections} connections", me.Rate.Show(Show.Rate), $"bare GET /empty {empty.Rate.Show(Show.Rate)}",
                Show.Percent(share), ">= 55 %", share >= ShareLimit))

            // What every request costs before the server knows who asks: the rest of the way to /auth/me is the caller's.
            .Add(new Row(
                $"GET /health, {Connections} connections", plain.Rate.Show(Show.Rate), $"bare GET /empty {empty.Rate.Show(Show.Rate)}",
                Show.Percent(plain.Rate.Median / empty.Rate.Median)))
            .Note(
                $"processor time of the server for each request, which a busy machine disturbs less than the rate: /auth/me {me.Cost.Show(Show.Microseconds)}, " +
                $"/health {plain.Cost.Show(Show.Microseconds)}, bare endpoint {empty.Cost.Show(Show.Microseconds)}.");
    }
}
