namespace Lintel.Is456;

/// <summary>
/// Bending of T- and L-beams with the flange in compression (IS 456:2000, cl. 23.1.2, Annex G-2).
/// </summary>
/// <remarks>
/// Three ranges of xu, each a quadratic in the moment and linear in the force: in the flange; in the web with the flange's stress not
/// uniform (yf = 0.15 xu + 0.65 Df, G-2.2.1); in the web with it uniform (yf = Df, Df/xu at most 0.43, G-2.2). Where two ranges meet, the
/// code's moment steps up; a moment inside the step takes the xu of the step, which is what trying values of xu converges to.
/// </remarks>
internal readonly struct FlangedFlexure
{
    private const double Alpha = Materials.BlockForce;
    private const double Beta = Materials.BlockCentroid;
    private const double UniformRatio = 0.43;

    private readonly double _d;
    private readonly double _df;
    private readonly double _flange; // 0.36 fck bf, N/mm
    private readonly double _web;    // 0.36 fck bw, N/mm
    private readonly double _wings;  // 0.45 fck (bf - bw), N/mm

    private FlangedFlexure(in BeamSection section)
    {
        _d = section.EffectiveDepth;
        _df = section.FlangeDepth;
        _flange = Alpha * section.ConcreteStrength * section.FlangeWidth;
        _web = Alpha * section.ConcreteStrength * section.Width;
        _wings = 0.45 * section.ConcreteStrength * (section.FlangeWidth - section.Width);
    }

    private double UniformFrom => _df / UniformRatio;

    public static FlexureResult Design(in BeamSection section, double demand)
    {
        var beam = new FlangedFlexure(section);
        var max = Materials.NeutralAxisLimitRatio(section.SteelStrength) * section.EffectiveDepth;
        var limit = beam.Moment(max);

        if (demand > limit)
        {
            return Flexure.Doubly(section, demand, limit, max, beam.Force(max));
        }

        var yield = Materials.SteelDesignRatio * section.SteelStrength;
        var xu = beam.NeutralAxisForMoment(demand, max);
        var ast = beam.Force(xu) / yield;
        var min = Flexure.MinTensionSteel(section);
        var inFlange = demand <= beam.FlangeMoment(Math.Min(max, section.FlangeDepth));

        if (ast < min)
        {
            ast = min;
            xu = beam.NeutralAxisForForce(yield * min);
            inFlange = xu <= section.FlangeDepth;
        }

        return Flexure.Singly(section, demand, limit, max, xu, ast, inFlange);
    }

    private double Force(double xu) => xu <= _df ? _flange * xu : _web * xu + _wings * FlangeStressDepth(xu);

    private double Moment(double xu)
    {
        if (xu <= _df)
        {
            return FlangeMoment(xu);
        }

        var yf = FlangeStressDepth(xu);
        return _web * xu * (_d - Beta * xu) + _wings * yf * (_d - yf / 2);
    }

    private double FlangeMoment(double xu) => _flange * xu * (_d - Beta * xu);

    private double FlangeStressDepth(double xu) => xu >= UniformFrom ? _df : Math.Min(_df, 0.15 * xu + 0.65 * _df);

    private double NeutralAxisForMoment(double moment, double max)
    {
        if (moment <= FlangeMoment(Math.Min(max, _df)))
        {
            return SmallerRoot(_flange * Beta, _flange * _d, moment);
        }

        if (max < UniformFrom || moment < Moment(UniformFrom))
        {
            var c = 0.65 * _df;
            var curvature = _web * Beta + _wings * 0.15 * 0.15 / 2;
            var slope = _web * _d + _wings * 0.15 * (_d - c);
            var xu = SmallerRoot(curvature, slope, moment - _wings * c * (_d - c / 2));
            return Math.Clamp(xu, _df, Math.Min(max, UniformFrom));
        }

        return Math.Clamp(SmallerRoot(_web * Beta, _web * _d, moment - _wings * _df * (_d - _df / 2)), UniformFrom, max);
    }

    private double NeutralAxisForForce(double force)
    {
        if (force <= _flange * _df)
        {
            return force / _flange;
        }

        return force < Force(UniformFrom)
            ? Math.Min((force - _wings * 0.65 * _df) / (_web + _wings * 0.15), UniformFrom)
            : (force - _wings * _df) / _web;
    }

    /// <summary>Smaller root of slope x - curvature x^2 = value, in the form that does not cancel for small values.</summary>
    private static double SmallerRoot(double curvature, double slope, double value) =>
        2 * value / (slope + Math.Sqrt(Math.Max(0, slope * slope - 4 * curvature * value)));
}
