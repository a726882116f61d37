namespace Lintel.Bench.Reporting;

/// <summary>One line of the report.</summary>
/// <param name="Figure">What was measured.</param>
/// <param name="Measured">What came out.</param>
/// <param name="Beside">The peer or ceiling of the same run, named.</param>
/// <param name="Ratio">Measured to the peer.</param>
/// <param name="Target">What it must reach.</param>
/// <param name="Met">Null where there is no target.</param>
internal sealed record Row(
    string Figure, string Measured, string Beside = "", string Ratio = "", string Target = "", bool? Met = null);
