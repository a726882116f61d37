namespace Lintel.Is456;

/// <summary>Which of the two strength checks presses harder.</summary>
public enum WorstCheck
{
    Flexure,
    Shear,
}

/// <summary>One section under several load cases, summed up.</summary>
public readonly record struct CheckSummary
{
    /// <summary>Whether every case is safe.</summary>
    public bool IsOk => FailedCases == 0;

    public int Cases { get; init; }

    public int FailedCases { get; init; }

    /// <summary>
    /// Index of the governing case: the one with the greatest pair (larger of the utilizations of flexure and shear, then the smaller);
    /// the earlier one of equals.
    /// </summary>
    public int GoverningCase { get; init; }

    /// <summary>The governing case's <see cref="BeamDesign.Utilization"/>.</summary>
    public double GoverningUtilization { get; init; }

    /// <summary>The check that presses harder in the governing case; flexure of equals.</summary>
    public WorstCheck GoverningWorstCheck { get; init; }

    /// <summary>The utilization of <see cref="GoverningWorstCheck"/> in the governing case.</summary>
    public double GoverningWorstUtilization { get; init; }

    /// <summary>The greatest utilization of flexure over all cases.</summary>
    public double MaxFlexureUtilization { get; init; }

    /// <summary>The greatest utilization of shear over all cases.</summary>
    public double MaxShearUtilization { get; init; }

    /// <summary>Span/depth utilization, null when that check was not asked for.</summary>
    public double? MaxDeflectionUtilization { get; init; }

    internal static CheckSummary Of(ReadOnlySpan<BeamDesign> designs)
    {
        var governing = 0;
        var failed = 0;
        double maxFlexure = 0, maxShear = 0;

        for (var i = 0; i < designs.Length; i++)
        {
            ref readonly var design = ref designs[i];
            failed += design.IsOk ? 0 : 1;
            maxFlexure = Math.Max(maxFlexure, design.Flexure.Utilization);
            maxShear = Math.Max(maxShear, design.Shear.Utilization);

            if (Pair(design).CompareTo(Pair(designs[governing])) > 0)
            {
                governing = i;
            }
        }

        ref readonly var worst = ref designs[governing];

        return new CheckSummary
        {
            Cases = designs.Length,
            FailedCases = failed,
            GoverningCase = governing,
            GoverningUtilization = worst.Utilization,
            GoverningWorstCheck = worst.Shear.Utilization > worst.Flexure.Utilization ? WorstCheck.Shear : WorstCheck.Flexure,
            GoverningWorstUtilization = Pair(worst).Larger,
            MaxFlexureUtilization = maxFlexure,
            MaxShearUtilization = maxShear,
            MaxDeflectionUtilization = worst.SpanDepth?.Utilization,
        };
    }

    private static (double Larger, double Smaller) Pair(in BeamDesign design) =>
        (Math.Max(design.Flexure.Utilization, design.Shear.Utilization), Math.Min(design.Flexure.Utilization, design.Shear.Utilization));
}
