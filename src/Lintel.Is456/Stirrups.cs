namespace Lintel.Is456;

/// <summary>Vertical stirrups (IS 456:2000, cl. 40.4, 26.5.1.5, 26.5.1.6). Areas mm2, lengths mm, strengths N/mm2, shears N.</summary>
public static class Stirrups
{
    /// <summary>The widest spacing whatever the depth, mm (cl. 26.5.1.5).</summary>
    public const double MaxSpacing = 300;

    /// <summary>The closest spacing that is placed in practice, mm.</summary>
    public const double MinSpacing = 75;

    /// <summary>The strength at which stirrups may work: <paramref name="fy"/>, not above 415 (cl. 40.4, 26.5.1.6).</summary>
    public static double WorkingStrength(double fy) => Math.Min(fy, Materials.MaxStirrupStrength);

    /// <summary>Spacing at which stirrups carry <paramref name="shear"/> (N): 0.87 fy Asv d/Vus (cl. 40.4 a).</summary>
    public static double SpacingForShear(double area, double strength, double effectiveDepth, double shear) =>
        Materials.SteelDesignRatio * strength * area * effectiveDepth / shear;

    /// <summary>Spacing of minimum stirrups: 0.87 fy Asv/(0.4 b) (cl. 26.5.1.6).</summary>
    public static double SpacingForMinimum(double area, double strength, double width) =>
        Materials.SteelDesignRatio * strength * area / (0.4 * width);

    /// <summary>Shear that stirrups at <paramref name="spacing"/> carry, N: 0.87 fy Asv d/sv (cl. 40.4 a).</summary>
    public static double Capacity(double area, double strength, double effectiveDepth, double spacing) =>
        Materials.SteelDesignRatio * strength * area * effectiveDepth / spacing;

    /// <summary>
    /// Spacing as placed: steps of 25 mm from 75 to 300, never wider than <paramref name="calculated"/>; below 75 whole millimetres,
    /// for rounding up to 75 would be unsafe.
    /// </summary>
    public static double Practical(double calculated)
    {
        // A spacing that is a whole step but for the last bits of its arithmetic is that step.
        var reached = calculated * (1 + 1e-12);
        return reached < MinSpacing ? Math.Floor(reached) : Math.Min(MaxSpacing, Math.Floor(reached / 25) * 25);
    }
}
