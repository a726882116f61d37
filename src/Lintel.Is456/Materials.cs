namespace Lintel.Is456;

/// <summary>Constants of concrete and steel at the limit state of collapse (IS 456:2000, cl. 36.4 and 38.1). N/mm2.</summary>
public static class Materials
{
    /// <summary>Modulus of elasticity of steel Es, N/mm2 (cl. 5.6.3).</summary>
    public const double SteelModulus = 200_000;

    /// <summary>Greatest compressive strain of concrete in bending (cl. 38.1 b).</summary>
    public const double ConcreteStrain = 0.0035;

    /// <summary>Force of the stress block over fck b xu (cl. 38.1 c, Fig. 22).</summary>
    public const double BlockForce = 0.36;

    /// <summary>Depth of the block's centroid below the compression face, over xu (cl. 38.1 c, Fig. 22).</summary>
    public const double BlockCentroid = 0.42;

    /// <summary>Peak stress of the block over fck: 0.67/1.5 (cl. 38.1 c, Fig. 21).</summary>
    public const double PeakStress = 0.446;

    /// <summary>Design strength of steel over fy: 1/1.15 as the code prints it (cl. 36.4.2, 38.1 e).</summary>
    public const double SteelDesignRatio = 0.87;

    /// <summary>The highest strength at which stirrups may work, N/mm2 (cl. 40.4, 26.5.1.6).</summary>
    public const double MaxStirrupStrength = 415;

    /// <summary>The grade above which the code says its parameters may not apply, N/mm2 (Table 2, note).</summary>
    public const double HighestCoveredConcrete = 55;

    /// <summary>
    /// The greatest xu/d that lets the tension steel yield (cl. 38.1, note): the code's two-decimal values for Fe 250, 415 and 500,
    /// and 0.0035/(0.0055 + 0.87 fy/Es) for any other <paramref name="fy"/> in N/mm2.
    /// </summary>
    public static double NeutralAxisLimitRatio(double fy)
    {
        if (IsGrade(fy, 415))
        {
            return 0.48;
        }

        if (IsGrade(fy, 500))
        {
            return 0.46;
        }

        return IsGrade(fy, 250) ? 0.53 : 700 / (1100 + SteelDesignRatio * fy);
    }

    internal static bool IsGrade(double fy, double grade) => Math.Abs(fy - grade) < 0.5;
}
