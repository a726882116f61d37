namespace Lintel.Is456;

/// <summary>Stresses and stirrups of a section under shear (IS 456:2000, cl. 40). Stresses N/mm2, forces kN, lengths mm.</summary>
public readonly record struct ShearResult
{
    /// <summary>Nominal shear stress tau_v = |Vu|/(b d) (cl. 40.1).</summary>
    public double Stress { get; init; }

    /// <summary>Design shear strength of the concrete tau_c (Table 19).</summary>
    public double Strength { get; init; }

    /// <summary>Ceiling of the shear stress tau_c,max (Table 20).</summary>
    public double Ceiling { get; init; }

    /// <summary>Shear Vus left to the stirrups, kN (cl. 40.4); 0 when the concrete suffices or the section is too small.</summary>
    public double StirrupShear { get; init; }

    /// <summary>Stirrup steel required as Asv/sv, mm2/mm, not less than the minimum of cl. 26.5.1.6; 0 when the section is too small.</summary>
    public double StirrupAreaPerLength { get; init; }

    /// <summary>Spacing that the minimum of cl. 26.5.1.6 alone would ask for, before every other limit.</summary>
    public double MinimumStirrupSpacing { get; init; }

    /// <summary>Governing spacing before rounding (cl. 40.4, 26.5.1.5, 26.5.1.6); 0 when the section is too small.</summary>
    public double CalculatedSpacing { get; init; }

    /// <summary>Spacing as placed, see <see cref="Stirrups.Practical"/>; 0 when the section is too small.</summary>
    public double Spacing { get; init; }

    /// <summary>Shear that the section carries with stirrups at <see cref="Spacing"/>, not above the ceiling, kN.</summary>
    public double Capacity { get; init; }

    /// <summary>tau_v/tau_c,max: how near the section is to its ceiling, not how hard the stirrups work.</summary>
    public double Utilization { get; init; }

    /// <summary><see cref="BeamWarnings.StirrupsTooClose"/> or none.</summary>
    public BeamWarnings Warnings { get; init; }

    /// <summary><see cref="FailedChecks.ShearStressAboveCeiling"/> or none.</summary>
    public FailedChecks FailedChecks { get; init; }

    public bool IsSafe => FailedChecks == FailedChecks.None;
}
