namespace Lintel.Is456;

/// <summary>What a design for shear starts from. Lengths mm, areas mm2, strengths N/mm2.</summary>
public readonly record struct ShearInput
{
    /// <summary>Width b, or width of the web.</summary>
    public required double Width { get; init; }

    /// <summary>Effective depth d.</summary>
    public required double EffectiveDepth { get; init; }

    /// <summary>Factored shear Vu, kN; its magnitude is used.</summary>
    public required double Shear { get; init; }

    /// <summary>fck, 15 or more.</summary>
    public required double ConcreteStrength { get; init; }

    /// <summary>pt = 100 Ast/(b d).</summary>
    public required double SteelPercent { get; init; }

    /// <summary>Strength at which the stirrups work; hold it to 415 by <see cref="Stirrups.WorkingStrength"/>.</summary>
    public required double StirrupStrength { get; init; }

    /// <summary>Area Asv of all legs of one stirrup.</summary>
    public required double StirrupArea { get; init; }
}

/// <summary>Design for shear with vertical stirrups (IS 456:2000, cl. 40). Inputs are taken as valid.</summary>
public static class Shear
{
    /// <summary>Stresses, the shear left to the stirrups, and their spacing. Minimum stirrups are always provided.</summary>
    public static ShearResult Design(in ShearInput input)
    {
        var shear = Math.Abs(input.Shear) * 1e3;
        var area = input.Width * input.EffectiveDepth;
        var stress = shear / area;
        var strength = ShearStrengthTable.Strength(input.SteelPercent, input.ConcreteStrength);
        var ceiling = ShearStrengthTable.Ceiling(input.ConcreteStrength);
        var minimum = Stirrups.SpacingForMinimum(input.StirrupArea, input.StirrupStrength, input.Width);

        if (stress > ceiling)
        {
            return new ShearResult
            {
                Stress = stress,
                Strength = strength,
                Ceiling = ceiling,
                MinimumStirrupSpacing = minimum,
                Capacity = ceiling * area * 1e-3,
                Utilization = stress / ceiling,
                FailedChecks = FailedChecks.ShearStressAboveCeiling,
            };
        }

        var carried = strength * area;
        var left = Math.Max(0, shear - carried);
        var calculated = Math.Min(Math.Min(minimum, Stirrups.MaxSpacing), 0.75 * input.EffectiveDepth);

        if (left > 0)
        {
            calculated = Math.Min(calculated, Stirrups.SpacingForShear(input.StirrupArea, input.StirrupStrength, input.EffectiveDepth, left));
        }

        var spacing = Stirrups.Practical(calculated);
        var byStirrups = spacing > 0
            ? Stirrups.Capacity(input.StirrupArea, input.StirrupStrength, input.EffectiveDepth, spacing)
            : 0;
        var yield = Materials.SteelDesignRatio * input.StirrupStrength;

        return new ShearResult
        {
            Stress = stress,
            Strength = strength,
            Ceiling = ceiling,
            StirrupShear = left * 1e-3,
            StirrupAreaPerLength = Math.Max(left / (yield * input.EffectiveDepth), 0.4 * input.Width / yield),
            MinimumStirrupSpacing = minimum,
            CalculatedSpacing = calculated,
            Spacing = spacing,
            Capacity = Math.Min(carried + byStirrups, ceiling * area) * 1e-3,
            Utilization = stress / ceiling,
            Warnings = calculated < Stirrups.MinSpacing ? BeamWarnings.StirrupsTooClose : BeamWarnings.None,
        };
    }
}
