namespace Lintel.Is456;

/// <summary>
/// Design and check of beams to IS 456:2000, limit state of collapse in flexure and shear: rectangular beams, and T- and L-beams when the
/// section has a flange. Pure functions that allocate nothing.
/// </summary>
public static class Beam
{
    /// <summary>Names every measure or strength of <paramref name="section"/> that cannot be used.</summary>
    public static BeamProblems Validate(in BeamSection section) => Validation.Section(section);

    /// <summary>Names every action that cannot be used.</summary>
    public static BeamProblems Validate(in BeamActions actions) => Validation.Actions(actions);

    /// <summary>Names every option that cannot be used.</summary>
    public static BeamProblems Validate(in DesignOptions options) => Validation.Options(options);

    /// <summary>Designs <paramref name="section"/> for <paramref name="actions"/> with the code as written.</summary>
    /// <returns>False, with every bad field in <paramref name="problems"/>, when there is nothing to compute. A section that is too
    /// small is no problem of this kind: it is a design whose <see cref="BeamDesign.IsOk"/> is false.</returns>
    public static bool TryDesign(in BeamSection section, in BeamActions actions, out BeamDesign design, out BeamProblems problems) =>
        TryDesign(section, actions, default, out design, out problems);

    /// <inheritdoc cref="TryDesign(in BeamSection, in BeamActions, out BeamDesign, out BeamProblems)"/>
    public static bool TryDesign(
        in BeamSection section, in BeamActions actions, in DesignOptions options, out BeamDesign design, out BeamProblems problems)
    {
        problems = Validation.Section(section) | Validation.Actions(actions) | Validation.Options(options);

        if (problems.Any)
        {
            design = default;
            return false;
        }

        design = Design(section, actions, options);
        return true;
    }

    /// <summary>Designs <paramref name="section"/> for each of <paramref name="cases"/> and finds the case that governs.</summary>
    /// <param name="section">The section, the same for all cases.</param>
    /// <param name="cases">The load cases; none at all is a problem.</param>
    /// <param name="options">The caller's choices, the same for all cases.</param>
    /// <param name="designs">Takes the design of each case; as long as <paramref name="cases"/> or longer.</param>
    /// <param name="summary">The verdict over all cases.</param>
    /// <param name="problems">Every bad field of the section and of every case.</param>
    /// <returns>False, with nothing in <paramref name="summary"/>, when <paramref name="problems"/> has any.</returns>
    /// <exception cref="ArgumentException"><paramref name="designs"/> is shorter than <paramref name="cases"/>.</exception>
    public static bool TryCheck(
        in BeamSection section,
        ReadOnlySpan<BeamActions> cases,
        in DesignOptions options,
        Span<BeamDesign> designs,
        out CheckSummary summary,
        out CheckProblems problems)
    {
        if (designs.Length < cases.Length)
        {
            throw new ArgumentException("There must be room for the design of every case.", nameof(designs));
        }

        problems = new CheckProblems(Validation.Section(section) | Validation.Options(options), cases);

        if (problems.Any)
        {
            summary = default;
            return false;
        }

        for (var i = 0; i < cases.Length; i++)
        {
            designs[i] = Design(section, cases[i], options);
        }

        summary = CheckSummary.Of(designs[..cases.Length]);
        return true;
    }

    /// <summary>The name of a load case: its own, or <c>CASE_1</c>, <c>CASE_2</c> … by its position when it has none.</summary>
    public static string CaseName(string? id, int index) => string.IsNullOrEmpty(id) ? $"CASE_{index + 1}" : id;

    private static BeamDesign Design(in BeamSection section, in BeamActions actions, in DesignOptions options)
    {
        var flexure = Flexure.Design(section, actions.Moment);
        var stirrupStrength = options.StirrupStrength ?? section.SteelStrength;

        var shear = Shear.Design(new ShearInput
        {
            Width = section.Width,
            EffectiveDepth = section.EffectiveDepth,
            Shear = actions.Shear,
            ConcreteStrength = section.ConcreteStrength,
            SteelPercent = 100 * (actions.ProvidedTensionSteel ?? flexure.TensionSteel) / (section.Width * section.EffectiveDepth),
            StirrupStrength = options.UncappedStirrups ? stirrupStrength : Stirrups.WorkingStrength(stirrupStrength),
            StirrupArea = section.StirrupArea,
        });

        var concrete = section.ConcreteStrength > Materials.HighestCoveredConcrete ? BeamWarnings.ConcreteAboveM55 : BeamWarnings.None;

        return new BeamDesign
        {
            Flexure = flexure,
            Shear = shear,
            SpanDepth = options.SpanDepth is { } spanDepth ? SpanDepth.Check(spanDepth, section.EffectiveDepth) : null,
            Warnings = concrete | shear.Warnings,
        };
    }
}
