namespace Lintel.Is456;

/// <summary>Design stress-strain curve of reinforcement in compression (IS 456:2000, Fig. 23; SP:16, Table A).</summary>
public static class SteelCurve
{
    // Cold-worked steel: inelastic strain at each fraction of the design strength; straight lines between.
    private static ReadOnlySpan<double> StressFractions => [0.80, 0.85, 0.90, 0.95, 0.975, 1.00];

    private static ReadOnlySpan<double> InelasticStrains => [0, 0.0001, 0.0003, 0.0007, 0.0010, 0.0020];

    /// <summary>Stress in N/mm2 at <paramref name="strain"/> for steel of characteristic strength <paramref name="fy"/> (N/mm2).</summary>
    /// <remarks>Fe 250 is elastic-plastic (Fig. 23B). Every other strength follows the six points of cold-worked bars (Fig. 23A).</remarks>
    public static double Stress(double strain, double fy)
    {
        var elastic = Materials.SteelModulus * strain;
        var yield = Materials.SteelDesignRatio * fy;

        if (Materials.IsGrade(fy, 250))
        {
            return Math.Min(elastic, yield);
        }

        var stress = StressFractions[0] * yield;

        if (elastic <= stress)
        {
            return elastic;
        }

        var at = stress / Materials.SteelModulus;

        for (var i = 1; i < StressFractions.Length; i++)
        {
            var nextStress = StressFractions[i] * yield;
            var next = nextStress / Materials.SteelModulus + InelasticStrains[i];

            if (strain <= next)
            {
                return stress + (nextStress - stress) * (strain - at) / (next - at);
            }

            (stress, at) = (nextStress, next);
        }

        return yield;
    }
}
