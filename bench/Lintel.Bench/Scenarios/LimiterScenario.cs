using System.Diagnostics;
using System.Net;
using Lintel.Bench.Reporting;
using Lintel.Platform.RateLimits;

namespace Lintel.Bench.Scenarios;

/// <summary>What counting a request costs, in this process: many callers and addresses in turn, on one thread and on all.</summary>
internal sealed class LimiterScenario : IScenario
{
    private const int Callers = 10_000;
    private const double CostLimit = 2;

    private static readonly RateLimitPolicy Policy = new("bench", 1_000_000_000, TimeSpan.FromMinutes(1));

    public string Name => "limiter";

    public string About => "counting requests of 10,000 callers against their limits";

    public Task<Findings> RunAsync(Stage stage, CancellationToken cancellationToken)
    {
        var partitions = new RateLimitPartitions(TimeProvider.System, RateLimitPartitions.DefaultCapacity);
        var keys = Enumerable.Range(0, Callers)
            .Select(i => i % 2 == 0
                ? RateLimitPartition.OfCaller(Policy, $"user:{i}")
                : RateLimitPartition.OfAddress(Policy, new IPAddress([10, (byte)(i >> 16), (byte)(i >> 8), (byte)i])))
            .ToArray();
        Take(partitions, keys, stage.WarmUp, 0);
        var (alone, together) = (new List<double>(), new List<double>());
        for (var round = 0; round < stage.Rounds; round++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            alone.Add(Take(partitions, keys, stage.Window, 0));
            var costs = new double[Environment.ProcessorCount];
            Parallel.For(0, costs.Length, new ParallelOptions { CancellationToken = cancellationToken }, thread => costs[thread] = Take(partitions, keys, stage.Window, thread * 17));
            together.Add(costs.Max());
        }

        var (one, all) = (new Sample(alone), new Sample(together));
        return Task.FromResult(new Findings()
            .Add(new Row("rate limiter, a request on one thread", one.Show(Show.Microseconds), Target: "<= 2 µs", Met: one.Median <= CostLimit))
            .Add(new Row($"rate limiter, a request on {Environment.ProcessorCount} threads", all.Show(Show.Microseconds), Target: "<= 2 µs", Met: all.Median <= CostLimit)));
    }

    /// <summary>Microseconds a request.</summary>
    private static double Take(RateLimitPartitions partitions, RateLimitPartition[] keys, TimeSpan window, int from)
    {
        var taken = 0L;
        var start = Stopwatch.GetTimestamp();
        TimeSpan elapsed;
        do
        {
            for (var i = 0; i < keys.Length; i++)
            {
                var outcome = partitions.TakeAsync(keys[(i + from) % keys.Length]);
                if (!outcome.IsCompletedSuccessfully || !outcome.Result.IsAllowed)
                {
                    throw new InvalidOperationException("A request within its limit was refused.");
                }
            }

            taken += keys.Length;
            elapsed = Stopwatch.GetElapsedTime(start);
        }
        while (elapsed < window);

        return elapsed.TotalMicroseconds / taken;
    }
}
