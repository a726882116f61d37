namespace Lintel.Is456;

/// <summary>Design for bending (IS 456:2000, cl. 38.1, Annex G). Sections are taken as valid: check them with <see cref="Beam.Validate(in BeamSection)"/>.</summary>
public static class Flexure
{
    /// <summary>Least tension steel Ast,min = 0.85 b d/fy in mm2 (cl. 26.5.1.1 a), b being the web of a flanged beam.</summary>
    public static double MinTensionSteel(in BeamSection section) =>
        0.85 * section.Width * section.EffectiveDepth / section.SteelStrength;

    /// <summary>Greatest tension steel, and greatest compression steel, 0.04 b D in mm2 (cl. 26.5.1.1 b, 26.5.1.2).</summary>
    public static double MaxSteel(in BeamSection section) => 0.04 * section.Width * section.Depth;

    /// <summary>The steel that <paramref name="section"/>, rectangular or flanged, needs for the magnitude of <paramref name="moment"/> in kN.m.</summary>
    public static FlexureResult Design(in BeamSection section, double moment)
    {
        var demand = Math.Abs(moment) * 1e6;
        return section.IsFlanged ? FlangedFlexure.Design(section, demand) : Rectangular(section, demand);
    }

    private static FlexureResult Rectangular(in BeamSection section, double demand)
    {
        const double Alpha = Materials.BlockForce;
        const double Beta = Materials.BlockCentroid;

        var d = section.EffectiveDepth;
        var ratio = Materials.NeutralAxisLimitRatio(section.SteelStrength);
        var block = Alpha * section.ConcreteStrength * section.Width;
        var unit = section.ConcreteStrength * section.Width * d * d;
        var limit = Alpha * ratio * (1 - Beta * ratio) * unit;

        if (demand > limit)
        {
            return Doubly(section, demand, limit, ratio * d, block * ratio * d);
        }

        // Smaller root of 0.36 fck b xu (d - 0.42 xu) = M, in the form that does not cancel for small moments.
        var x = 4 * Beta / Alpha * demand / unit;
        var xu = d * x / ((1 + Math.Sqrt(1 - x)) * 2 * Beta);
        var yield = Materials.SteelDesignRatio * section.SteelStrength;
        var ast = Math.Max(block * xu / yield, MinTensionSteel(section));

        return Singly(section, demand, limit, ratio * d, yield * ast / block, ast, inFlange: false);
    }

    internal static FlexureResult Singly(
        in BeamSection section, double demand, double limit, double neutralAxisLimit, double neutralAxis, double ast, bool inFlange)
    {
        var max = MaxSteel(section);

        return new FlexureResult
        {
            LimitingMoment = limit * 1e-6,
            NeutralAxisLimit = neutralAxisLimit,
            NeutralAxis = neutralAxis,
            TensionSteel = ast,
            MinTensionSteel = MinTensionSteel(section),
            MaxSteel = max,
            IsNeutralAxisInFlange = inFlange,
            Utilization = demand / limit,
            FailedChecks = ast > max ? FailedChecks.TensionSteelAboveMaximum : FailedChecks.None,
        };
    }

    /// <param name="section">The section, rectangular or flanged.</param>
    /// <param name="demand">|Mu|, N.mm.</param>
    /// <param name="limit">Mu,lim, N.mm.</param>
    /// <param name="neutralAxisLimit">xu,max, mm.</param>
    /// <param name="limitForce">Compression in the concrete at xu,max, N.</param>
    internal static FlexureResult Doubly(in BeamSection section, double demand, double limit, double neutralAxisLimit, double limitForce)
    {
        var max = MaxSteel(section);
        var ast = 0.0;
        var failed = FailedChecks.CompressionSteelCannotWork;

        if (CompressionSteel.TryFind(section, neutralAxisLimit, demand - limit, out var steel))
        {
            ast = limitForce / (Materials.SteelDesignRatio * section.SteelStrength) + steel.BalancingArea;
            failed = (ast > max ? FailedChecks.TensionSteelAboveMaximum : FailedChecks.None)
                | (steel.Area > max ? FailedChecks.CompressionSteelAboveMaximum : FailedChecks.None);
        }

        return new FlexureResult
        {
            LimitingMoment = limit * 1e-6,
            NeutralAxisLimit = neutralAxisLimit,
            NeutralAxis = neutralAxisLimit,
            TensionSteel = ast,
            CompressionSteel = steel.Area,
            BalancingTensionSteel = steel.BalancingArea,
            CompressionSteelStress = steel.Stress,
            MinTensionSteel = MinTensionSteel(section),
            MaxSteel = max,
            IsDoublyReinforced = true,
            IsNeutralAxisInFlange = section.IsFlanged && neutralAxisLimit <= section.FlangeDepth,
            Utilization = failed == FailedChecks.None ? 1 : demand / limit,
            FailedChecks = failed,
        };
    }
}
