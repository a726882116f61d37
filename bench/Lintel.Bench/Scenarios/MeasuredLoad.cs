using Lintel.Bench.Client;
using Lintel.Bench.Reporting;
using Lintel.Bench.Servers;

namespace Lintel.Bench.Scenarios;

/// <summary>A load on a server: how much of it goes through, and what each request costs the server's processors.</summary>
internal sealed class MeasuredLoad(ChildServer server, LoadGroup group)
{
    private readonly List<double> rates = [];
    private readonly List<double> costs = [];

    public Sample Rate => new(rates);

    /// <summary>Microseconds.</summary>
    public Sample Cost => new(costs);

    public void Run(TimeSpan window)
    {
        var before = server.ProcessorTime;
        LoadLoop.Run(window, group);
        rates.Add(group.PerSecond);
        costs.Add((server.ProcessorTime - before).TotalMicroseconds / group.CountWithLast);
    }
}
