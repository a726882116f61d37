using System.Diagnostics;
using Lintel.Bench.Servers;

namespace Lintel.Bench.Client;

/// <summary>Connections of one kind and what the last run over them gave.</summary>
internal sealed class LoadGroup(IEnumerable<Exchange> exchanges) : IDisposable
{
    private readonly List<long> latencies = [];

    public IReadOnlyList<Exchange> Exchanges { get; } = [.. exchanges];

    public TimeSpan Window { get; private set; }

    /// <summary>Answers within the window.</summary>
    public int Count => latencies.Count;

    /// <summary>Also those that were still on their way when the window closed: one on every connection.</summary>
    public int CountWithLast => Count + Exchanges.Count;

    public double PerSecond => Count / Window.TotalSeconds;

    public static LoadGroup OfRequests(ChildServer server, int connections, byte[] request) =>
        new(Enumerable.Range(0, connections).Select(_ => new HttpExchange(server.Endpoint, request)));

    /// <summary>Runs this group alone.</summary>
    public double Rate(TimeSpan window)
    {
        LoadLoop.Run(window, this);
        return PerSecond;
    }

    public double Milliseconds(double percentile)
    {
        if (latencies.Count == 0)
        {
            return double.NaN;
        }

        latencies.Sort();
        var rank = (int)Math.Ceiling(percentile / 100 * latencies.Count) - 1;
        return Stopwatch.GetElapsedTime(0, latencies[Math.Max(rank, 0)]).TotalMilliseconds;
    }

    public void Begin(TimeSpan window)
    {
        Window = window;
        latencies.Clear();
    }

    public void Record(long ticks) => latencies.Add(ticks);

    public void Dispose()
    {
        foreach (var exchange in Exchanges)
        {
            exchange.Dispose();
        }
    }
}
