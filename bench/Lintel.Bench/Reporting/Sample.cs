namespace Lintel.Bench.Reporting;

/// <summary>One figure measured several times.</summary>
internal sealed class Sample(IEnumerable<double> values)
{
    private readonly double[] sorted = [.. values.Order()];

    public double Min => sorted[0];

    public double Max => sorted[^1];

    /// <summary>What a tenth of the values stay below: what it takes where nothing else disturbs it.</summary>
    public double FastestTenth => sorted[sorted.Length / 10];

    public double Median => sorted.Length % 2 == 1
        ? sorted[sorted.Length / 2]
        : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;

    /// <summary>The median, and the range when there is one.</summary>
    public string Show(Func<double, string> format) =>
        sorted.Length == 1 ? format(Median) : $"{format(Median)} ({format(Min)} to {format(Max)})";
}
