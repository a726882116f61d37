using Lintel.Bench.Client;
using Lintel.Bench.Reporting;
using Lintel.Bench.Servers;

namespace Lintel.Bench.Scenarios;

/// <summary>One beam at a time over a WebSocket, as someone drags a slider.</summary>
internal sealed class LiveScenario : IScenario
{
    private const int Many = 50;
    private const double LatencyLimit = 0.06;
    private const double RateLimit = 45_000;

    public string Name => "live";

    public string About => "design_beam over WS /ws/design/{session}, one message in flight on each connection";

    public async Task<Findings> RunAsync(Stage stage, CancellationToken cancellationToken)
    {
        await using var server = await stage.StartServerAsync(cancellationToken);
        await using var peer = await stage.StartBaselineAsync(cancellationToken);
        var account = await Account.CreateAsync(server, "live", cancellationToken);
        var message = Beams.DesignMessage();

        using var oneOurs = new LoadGroup(Designers(server, "one", account, message, 1));
        using var manyOurs = new LoadGroup(Designers(server, "many", account, message, Many));
        LoadLoop.Run(stage.WarmUp, manyOurs);
        LoadLoop.Run(stage.WarmUp / 4, oneOurs);
        var answerSize = ((WebSocketExchange)oneOurs.Exchanges[0]).AnswerSize;

        using var oneTheirs = new LoadGroup(Echoes(peer, message, answerSize, 1));
        using var manyTheirs = new LoadGroup(Echoes(peer, message, answerSize, Many));
        LoadLoop.Run(stage.WarmUp, manyTheirs);
        LoadLoop.Run(stage.WarmUp / 4, oneTheirs);

        var tails = (Ours: new List<double>(), Theirs: new List<double>());
        var (p50, bareP50) = stage.Interleave(
            () => MedianLatency(oneOurs, stage.Window, tails.Ours), () => MedianLatency(oneTheirs, stage.Window, tails.Theirs), cancellationToken);
        var (rate, bareRate) = stage.Interleave(
            () => manyOurs.Rate(stage.Window), () => manyTheirs.Rate(stage.Window), cancellationToken);
        var (p99, bareP99) = (new Sample(tails.Ours), new Sample(tails.Theirs));

        return new Findings()
            .Add(new Row(
                "p50, one connection", p50.Show(Show.Milliseconds), $"bare echo {bareP50.Show(Show.Milliseconds)}",
                Show.Times(p50.Median / bareP50.Median), "<= 0.06 ms", p50.Median <= LatencyLimit))
            .Add(new Row(
                "p99, one connection", p99.Show(Show.Milliseconds), $"bare echo {bareP99.Show(Show.Milliseconds)}",
                Show.Times(p99.Median / bareP99.Median)))
            .Add(new Row(
                $"{Many} connections", rate.Show(Show.Rate), $"bare echo {bareRate.Show(Show.Rate)}",
                Show.Percent(rate.Median / bareRate.Median), ">= 45,000/s", rate.Median >= RateLimit))
            .Note($"{message.Length} bytes in, {answerSize} bytes out, at the peer too.");
    }

    // A session of its own for each connection: within one, each would see the others' results.
    private static IEnumerable<Exchange> Designers(ChildServer server, string name, Account account, string message, int count) =>
        Enumerable.Range(0, count).Select(i =>
            new WebSocketExchange(server.Endpoint, $"/ws/design/{name}-{i}", message, "\"design_result\"", account.AccessToken));

    private static IEnumerable<Exchange> Echoes(ChildServer peer, string message, int answerSize, int count) =>
        Enumerable.Range(0, count).Select(_ =>
            new WebSocketExchange(peer.Endpoint, $"/echo?reply={answerSize}", message, "xxx"));

    private static double MedianLatency(LoadGroup one, TimeSpan window, List<double> tails)
    {
        LoadLoop.Run(window, one);
        tails.Add(one.Milliseconds(99));
        return one.Milliseconds(50);
    }
}
