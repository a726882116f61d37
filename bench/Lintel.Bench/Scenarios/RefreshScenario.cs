using Lintel.Bench.Client;
using Lintel.Bench.Reporting;

namespace Lintel.Bench.Scenarios;

/// <summary>Token rotation, each a durable transaction.</summary>
internal sealed class RefreshScenario : IScenario
{
    private const int Clients = 64;
    private const double RateLimit = 3_000;

    public string Name => "refresh";

    public string About => "POST /auth/refresh, 64 clients, each rotating its own token";

    public async Task<Findings> RunAsync(Stage stage, CancellationToken cancellationToken)
    {
        await using var server = await stage.StartServerAsync(cancellationToken);
        await using var peer = await stage.StartBaselineAsync(cancellationToken);
        var exchanges = new List<Exchange>();
        for (var i = 0; i < Clients; i++)
        {
            var account = await Account.CreateAsync(server, $"refresh{i}", cancellationToken);
            exchanges.Add(new RefreshExchange(server.Endpoint, account.RefreshToken));
        }

        using var ours = new LoadGroup(exchanges);
        using var theirs = LoadGroup.OfRequests(peer, Clients, HttpExchange.Get("/empty"));
        LoadLoop.Run(stage.WarmUp, ours);
        LoadLoop.Run(stage.WarmUp, theirs);

        var (refresh, empty) = stage.Interleave(() => ours.Rate(stage.Window), () => theirs.Rate(stage.Window), cancellationToken);
        return new Findings().Add(new Row(
            $"POST /auth/refresh, {Clients} clients", refresh.Show(Show.Rate), $"bare GET /empty {empty.Show(Show.Rate)}",
            Show.Percent(refresh.Median / empty.Median), ">= 3,000/s", refresh.Median >= RateLimit));
    }
}
