using Lintel.Bench.Client;
using Lintel.Bench.Reporting;

namespace Lintel.Bench.Tests;

public sealed class SampleTests
{
    [Theory]
    [InlineData(new double[] { 3 }, 3)]
    [InlineData(new double[] { 9, 1, 5 }, 5)]
    [InlineData(new double[] { 4, 1, 9, 2 }, 3)]
    public void The_median_is_the_middle_one_or_between_the_two(double[] values, double median) =>
        Assert.Equal(median, new Sample(values).Median);

    [Fact]
    public void A_percentile_is_the_latency_that_so_many_did_not_exceed()
    {
        using var load = new LoadGroup([]);
        load.Begin(TimeSpan.FromSeconds(2));
        foreach (var milliseconds in Enumerable.Range(1, 100).Reverse())
        {
            load.Record(milliseconds * System.Diagnostics.Stopwatch.Frequency / 1000);
        }

        Assert.Equal(50, load.PerSecond);
        Assert.Equal((50, 99, 100), (load.Milliseconds(50), load.Milliseconds(99), load.Milliseconds(100)));
    }
}
