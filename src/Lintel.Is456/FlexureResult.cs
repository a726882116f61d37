namespace Lintel.Is456;

/// <summary>Steel that a section needs for a moment (IS 456:2000, cl. 38.1, 26.5.1, Annex G). Lengths mm, areas mm2, moments kN.m.</summary>
public readonly record struct FlexureResult
{
    /// <summary>Limiting moment Mu,lim of the section without compression steel (Annex G-1.1 c, G-2.2).</summary>
    public double LimitingMoment { get; init; }

    /// <summary>Limit xu,max of the neutral axis (cl. 38.1, note).</summary>
    public double NeutralAxisLimit { get; init; }

    /// <summary>Depth of the neutral axis xu that belongs to <see cref="TensionSteel"/>; xu,max when doubly reinforced.</summary>
    public double NeutralAxis { get; init; }

    /// <summary>Tension steel Ast required, not less than <see cref="MinTensionSteel"/>; 0 when compression steel cannot work.</summary>
    public double TensionSteel { get; init; }

    /// <summary>Compression steel Asc required (Annex G-1.2, with the displaced concrete of SP:16 2.3.2); 0 when singly reinforced.</summary>
    public double CompressionSteel { get; init; }

    /// <summary>The part Ast2 of the tension steel that balances the compression steel (Annex G-1.2).</summary>
    public double BalancingTensionSteel { get; init; }

    /// <summary>Stress fsc of the compression bars, N/mm2 (Fig. 23); 0 when singly reinforced.</summary>
    public double CompressionSteelStress { get; init; }

    /// <summary>Least tension steel Ast,min = 0.85 b d/fy (cl. 26.5.1.1 a).</summary>
    public double MinTensionSteel { get; init; }

    /// <summary>Greatest area 0.04 b D of tension steel, and of compression steel (cl. 26.5.1.1 b, 26.5.1.2).</summary>
    public double MaxSteel { get; init; }

    /// <summary>True exactly when |Mu| exceeds <see cref="LimitingMoment"/>.</summary>
    public bool IsDoublyReinforced { get; init; }

    /// <summary>Whether the neutral axis lies in the flange of a flanged beam (Annex G-2.1).</summary>
    public bool IsNeutralAxisInFlange { get; init; }

    /// <summary>0 without moment, 1 when doubly reinforced and safe, else |Mu|/Mu,lim.</summary>
    public double Utilization { get; init; }

    /// <summary>The checks of flexure that fail; the areas are reported even then.</summary>
    public FailedChecks FailedChecks { get; init; }

    public bool IsSafe => FailedChecks == FailedChecks.None;
}
