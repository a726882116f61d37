using Lintel.Bench.Client;
using Lintel.Bench.Reporting;
using Lintel.Bench.Servers;

namespace Lintel.Bench.Scenarios;

/// <summary>From the start of the process to the first answer, on a database that exists; then what it occupies when nobody asks.</summary>
internal sealed class StartupScenario : IScenario
{
    private const double StartLimit = 0.8;
    private const double ResidentLimit = 120 * 1024 * 1024;
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(5);

    public string Name => "startup";

    public string About => "process start to the first 200 of /health; resident memory when idle";

    public async Task<Findings> RunAsync(Stage stage, CancellationToken cancellationToken)
    {
        var folder = stage.NewFolder();
        await using (var first = await stage.StartServerAsync(folder, cancellationToken))
        {
            await Account.CreateAsync(first, "startup", cancellationToken);
        }

        var (ours, theirs) = (new List<Started>(), new List<Started>());
        for (var round = 0; round < stage.Rounds; round++)
        {
            ours.Add(await MeasureAsync(stage.StartServerAsync(folder, cancellationToken), cancellationToken));
            theirs.Add(await MeasureAsync(stage.StartBaselineAsync(cancellationToken), cancellationToken));
        }

        var (start, bareStart) = (new Sample(ours.Select(one => one.Seconds)), new Sample(theirs.Select(one => one.Seconds)));
        var (resident, bareResident) = (new Sample(ours.Select(one => one.Resident)), new Sample(theirs.Select(one => one.Resident)));
        return new Findings()
            .Add(new Row(
                "start to first 200 of /health", start.Show(Show.Seconds), $"bare Kestrel {bareStart.Show(Show.Seconds)}",
                Show.Times(start.Median / bareStart.Median), "<= 0.8 s", start.Median <= StartLimit))
            .Add(new Row(
                $"resident after {Settle.TotalSeconds} s idle", resident.Show(Show.Megabytes), $"bare Kestrel {bareResident.Show(Show.Megabytes)}",
                Show.Times(resident.Median / bareResident.Median), "<= 120 MB", resident.Median <= ResidentLimit));
    }

    private static async Task<Started> MeasureAsync(Task<ChildServer> starting, CancellationToken cancellationToken)
    {
        await using var server = await starting;
        await Task.Delay(Settle, cancellationToken);
        return new Started(server.StartedIn.TotalSeconds, Memory.Resident(server.ProcessId));
    }

    private sealed record Started(double Seconds, double Resident);
}
