namespace Lintel.Is456;

/// <summary>The ranges that the formulas hold for. One pass of comparisons when all is well; names are looked up only when not.</summary>
internal static class Validation
{
    private const double MaxDimension = 5000;

    // Larger than any beam by far, and small enough that no formula overflows for a section of visible size.
    private const double MaxAction = 1e12;

    public static BeamProblems Section(in BeamSection s)
    {
        var sound = IsDimension(s.Width) && IsDimension(s.Depth) && IsDimension(s.EffectiveDepth) && IsDimension(s.CompressionSteelDepth)
            && IsDimension(s.StirrupArea) && IsConcrete(s.ConcreteStrength) && IsSteel(s.SteelStrength) && s.EffectiveDepth < s.Depth
            && (!s.IsFlanged
                || IsDimension(s.FlangeWidth) && IsDimension(s.FlangeDepth) && s.FlangeWidth >= s.Width && s.FlangeDepth < s.Depth);

        return sound ? default : SectionProblems(s);
    }

    public static BeamProblems Actions(in BeamActions a)
    {
        var sound = Math.Abs(a.Moment) <= MaxAction && Math.Abs(a.Shear) <= MaxAction
            && (a.ProvidedTensionSteel is not { } steel || IsArea(steel));

        return sound ? default : ActionProblems(a);
    }

    public static BeamProblems Options(in DesignOptions o)
    {
        var problems = default(BeamProblems);

        if (o.StirrupStrength is { } strength)
        {
            problems = problems.With(BeamField.StirrupStrength, strength, IsSteel(strength));
        }

        return o.SpanDepth is { } spanDepth ? problems | SpanDepthProblems(spanDepth) : problems;
    }

    private static BeamProblems SectionProblems(in BeamSection s)
    {
        var problems = default(BeamProblems)
            .With(BeamField.Width, s.Width, IsDimension(s.Width))
            .With(BeamField.Depth, s.Depth, IsDimension(s.Depth))
            .With(BeamField.EffectiveDepth, s.EffectiveDepth, IsDimension(s.EffectiveDepth))
            .With(BeamField.CompressionSteelDepth, s.CompressionSteelDepth, IsDimension(s.CompressionSteelDepth))
            .With(BeamField.ConcreteStrength, s.ConcreteStrength, IsConcrete(s.ConcreteStrength))
            .With(BeamField.SteelStrength, s.SteelStrength, IsSteel(s.SteelStrength))
            .With(BeamField.StirrupArea, s.StirrupArea, IsDimension(s.StirrupArea));

        // A depth that is itself bad says nothing about the others.
        if (s.EffectiveDepth >= s.Depth && !problems.Contains(BeamField.Depth))
        {
            problems = problems.WithInconsistent(BeamField.EffectiveDepth);
        }

        return s.IsFlanged ? FlangeProblems(s, problems) : problems;
    }

    private static BeamProblems FlangeProblems(in BeamSection s, BeamProblems problems)
    {
        problems = problems
            .With(BeamField.FlangeWidth, s.FlangeWidth, IsDimension(s.FlangeWidth))
            .With(BeamField.FlangeDepth, s.FlangeDepth, IsDimension(s.FlangeDepth));

        if (s.FlangeWidth < s.Width && !problems.Contains(BeamField.Width))
        {
            problems = problems.WithInconsistent(BeamField.FlangeWidth);
        }

        return s.FlangeDepth >= s.Depth && !problems.Contains(BeamField.Depth)
            ? problems.WithInconsistent(BeamField.FlangeDepth)
            : problems;
    }

    private static BeamProblems ActionProblems(in BeamActions a)
    {
        var problems = default(BeamProblems)
            .With(BeamField.Moment, a.Moment, Math.Abs(a.Moment) <= MaxAction)
            .With(BeamField.Shear, a.Shear, Math.Abs(a.Shear) <= MaxAction);

        return a.ProvidedTensionSteel is { } steel
            ? problems.With(BeamField.ProvidedTensionSteel, steel, IsArea(steel))
            : problems;
    }

    private static BeamProblems SpanDepthProblems(in SpanDepthInput i) => default(BeamProblems)
        .With(BeamField.Span, i.Span, i.Span > 0)
        .With(BeamField.TensionSteelFactor, i.TensionSteelFactor, i.TensionSteelFactor > 0)
        .With(BeamField.CompressionSteelFactor, i.CompressionSteelFactor, i.CompressionSteelFactor > 0)
        .With(BeamField.FlangeFactor, i.FlangeFactor, i.FlangeFactor > 0);

    private static bool IsDimension(double value) => value is > 0 and <= MaxDimension;

    private static bool IsConcrete(double value) => value is >= 15 and <= 80;

    private static bool IsSteel(double value) => value is >= 250 and <= 550;

    private static bool IsArea(double value) => value is >= 0 and < double.PositiveInfinity;
}
