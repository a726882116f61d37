using System.Diagnostics;
using Lintel.Bench.Reporting;
using Lintel.Is456;

namespace Lintel.Bench.Scenarios;

/// <summary>The arithmetic alone: rectangular beams designed by the library on one core, in this process.</summary>
internal sealed class Is456Scenario : IScenario
{
    private const int Varied = 4096;
    private const double RateLimit = 3_000_000;

    private readonly (BeamSection Section, BeamActions Actions)[] beams = Vary();

    public string Name => "is456";

    public string About => "rectangular designs on one core, and what they allocate";

    public Task<Findings> RunAsync(Stage stage, CancellationToken cancellationToken)
    {
        Design(stage.WarmUp, out _);
        var rates = new List<double>();
        var allocated = 0L;
        for (var round = 0; round < stage.Rounds; round++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            rates.Add(Design(stage.Window, out var bytes));
            allocated += bytes;
        }

        var rate = new Sample(rates);
        return Task.FromResult(new Findings()
            .Add(new Row("rectangular designs, one core", rate.Show(Show.Rate), Target: ">= 3,000,000/s", Met: rate.Median >= RateLimit))
            .Add(new Row("bytes allocated by all of them", Show.Count(allocated), Target: "0", Met: allocated == 0))
            .Note($"{Varied:N0} different beams in turn, singly and doubly reinforced, each validated and designed for flexure and shear."));
    }

    /// <summary>Designs a second. The sum keeps the compiler from dropping work whose result nobody reads.</summary>
    private double Design(TimeSpan window, out long allocated)
    {
        var designs = 0L;
        var sum = 0.0;
        var before = GC.GetAllocatedBytesForCurrentThread();
        var start = Stopwatch.GetTimestamp();
        TimeSpan elapsed;
        do
        {
            foreach (ref readonly var beam in beams.AsSpan())
            {
                if (!Beam.TryDesign(beam.Section, beam.Actions, out var design, out _))
                {
                    throw new InvalidOperationException("A valid beam was refused.");
                }

                sum += design.Utilization;
            }

            designs += beams.Length;
            elapsed = Stopwatch.GetElapsedTime(start);
        }
        while (elapsed < window);

        allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        return double.IsFinite(sum) ? designs / elapsed.TotalSeconds : throw new InvalidOperationException("A design is not finite.");
    }

    private static (BeamSection Section, BeamActions Actions)[] Vary()
    {
        var random = new Random(456);
        return [.. Enumerable.Range(0, Varied).Select(_ =>
        {
            var depth = 400 + (25 * random.Next(17));
            var section = new BeamSection
            {
                Width = 230 + (10 * random.Next(18)),
                Depth = depth,
                EffectiveDepth = depth - 48,
                ConcreteStrength = 20 + (5 * random.Next(5)),
                SteelStrength = random.Next(2) == 0 ? 415 : 500,
            };
            return (section, new BeamActions(40 + (random.NextDouble() * 260), 30 + (random.NextDouble() * 170)));
        })];
    }
}
