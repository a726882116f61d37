namespace Lintel.Is456;

/// <summary>The couple of steel that carries what a moment has above the limiting one (IS 456:2000, Annex G-1.2).</summary>
internal readonly struct CompressionSteel
{
    private CompressionSteel(double stress, double area, double balancingArea)
    {
        Stress = stress;
        Area = area;
        BalancingArea = balancingArea;
    }

    public double Stress { get; }

    public double Area { get; }

    public double BalancingArea { get; }

    /// <summary>
    /// Finds Asc and Ast2 for <paramref name="excess"/> = Mu - Mu,lim in N.mm. False when bars at d' cannot help. The concrete
    /// that the bars displace is taken off, as SP:16 2.3.2 does; the code's own expression leaves it in.
    /// </summary>
    public static bool TryFind(in BeamSection section, double neutralAxisLimit, double excess, out CompressionSteel steel)
    {
        var depth = section.CompressionSteelDepth;
        var arm = section.EffectiveDepth - depth;
        steel = default;

        if (arm <= 0 || depth >= neutralAxisLimit)
        {
            return false;
        }

        var strain = Materials.ConcreteStrain * (1 - depth / neutralAxisLimit);
        var stress = SteelCurve.Stress(strain, section.SteelStrength);
        var net = stress - Materials.PeakStress * section.ConcreteStrength;

        if (net <= 0)
        {
            return false;
        }

        steel = new CompressionSteel(stress, excess / (net * arm), excess / (Materials.SteelDesignRatio * section.SteelStrength * arm));
        return true;
    }
}
