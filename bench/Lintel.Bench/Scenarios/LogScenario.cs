using System.Text;
using Lintel.Bench.Reporting;
using Lintel.Bench.Storage;

namespace Lintel.Bench.Scenarios;

/// <summary>Durable appends to the log on SQLite, beside SQLite alone with as many rows in each transaction.</summary>
internal sealed class LogScenario : IScenario
{
    private const int Producers = 128;
    private const int Hundred = 100;
    private const int EventBytes = 200;
    private const double SinglesLimit = 30_000;
    private const double HundredsLimit = 100_000;

    public string Name => "log";

    public string About => "durable appends of 200-byte events on SQLite";

    public async Task<Findings> RunAsync(Stage stage, CancellationToken cancellationToken)
    {
        var (singles, ceiling) = await MeasureAsync(stage, Producers, 1, cancellationToken);
        var (hundreds, ceilingOfHundreds) = await MeasureAsync(stage, 1, Hundred, cancellationToken);
        return new Findings()
            .Add(new Row(
                $"{Producers} producers, one event each time", singles.Show(Show.Rate), $"raw SQLite, {Producers} rows a commit {ceiling.Show(Show.Rate)}",
                Show.Percent(singles.Median / ceiling.Median), ">= 30,000/s", singles.Median >= SinglesLimit))
            .Add(new Row(
                "one producer, in hundreds", hundreds.Show(Show.Rate), $"raw SQLite, {Hundred} rows a commit {ceilingOfHundreds.Show(Show.Rate)}",
                Show.Percent(hundreds.Median / ceilingOfHundreds.Median), ">= 100,000/s", hundreds.Median >= HundredsLimit))
            .Note(
                $"{EventBytes}-byte events, each append awaited until it is durable (WAL, synchronous=FULL); in this process, producers and writer on the " +
                "same cores. The ceiling is one thread that does nothing but insert and commit.");
    }

    private static async Task<(Sample Log, Sample Ceiling)> MeasureAsync(Stage stage, int producers, int group, CancellationToken cancellationToken)
    {
        var data = Encoding.UTF8.GetBytes("""{"text":""}""".Insert(9, new string('x', EventBytes - 11)));
        await using var log = await LogOnSqlite.OpenAsync(stage.NewFolder(), data, group, cancellationToken);
        using var raw = new RawSqlite(stage.NewFolder());
        await log.RateAsync(producers, stage.WarmUp, cancellationToken);
        raw.Rate(producers * group, producers, data, stage.WarmUp / 2);

        var (rates, ceilings) = (new List<double>(), new List<double>());
        for (var round = 0; round < stage.Rounds; round++)
        {
            rates.Add(await log.RateAsync(producers, stage.Window, cancellationToken));
            ceilings.Add(raw.Rate(producers * group, producers, data, stage.Window));
        }

        return (new Sample(rates), new Sample(ceilings));
    }
}
