namespace Lintel.Is456;

public sealed class ValidationTests
{
    private static readonly BeamSection Good = new()
    {
        Width = 300, Depth = 500, EffectiveDepth = 450, ConcreteStrength = 25, SteelStrength = 500,
    };

    private static readonly BeamSection Tee = Good with { FlangeWidth = 1200, FlangeDepth = 120 };

    public static TheoryData<double> NotNumbers => [double.NaN, double.PositiveInfinity, double.NegativeInfinity];

    [Fact]
    public void Limits_of_every_range_are_inside_it()
    {
        Assert.False(Beam.Validate(Good with { ConcreteStrength = 15, SteelStrength = 250 }).Any);
        Assert.False(Beam.Validate(Good with { ConcreteStrength = 80, SteelStrength = 550 }).Any);
        Assert.False(Beam.Validate(Good with { Width = 5000, Depth = 5000, StirrupArea = 5000, CompressionSteelDepth = 5000 }).Any);
        Assert.False(Beam.Validate(Tee).Any);
        Assert.False(Beam.Validate(Tee with { FlangeWidth = 300 }).Any);
        Assert.False(Beam.Validate(new BeamActions(0, 0)).Any);
        Assert.False(Beam.Validate(new BeamActions(-1, -1) { ProvidedTensionSteel = 0 }).Any);
    }

    [Fact]
    public void Every_bad_field_is_named_at_once()
    {
        var section = new BeamSection
        {
            Width = 0,
            Depth = -1,
            EffectiveDepth = double.NaN,
            CompressionSteelDepth = 5001,
            ConcreteStrength = 14.9,
            SteelStrength = 551,
            StirrupArea = double.PositiveInfinity,
            FlangeWidth = -5,
            FlangeDepth = 6000,
        };
        var actions = new BeamActions(double.NaN, 1e13) { ProvidedTensionSteel = -1 };
        var options = new DesignOptions
        {
            StirrupStrength = 200,
            SpanDepth = new SpanDepthInput { Span = 0, TensionSteelFactor = -1, CompressionSteelFactor = double.NaN, FlangeFactor = 0 },
        };

        Assert.False(Beam.TryDesign(section, actions, options, out var design, out var problems));

        Assert.Equal(default, design);
        Assert.Equal(
            [
                "b", "D", "d", "dd", "fck", "fy", "asv", "bf", "Df", "mu", "vu", "ast_provided", "fy_stirrup", "span",
                "mf_tension_steel", "mf_compression_steel", "mf_flange",
            ],
            Names(problems));
        Assert.Contains("fck must be between 15 and 80 N/mm2", problems.ToString());
        Assert.Contains("d must be a finite number", problems.ToString());
        Assert.Contains("asv must be a finite number", problems.ToString());
        Assert.Contains("dd must be greater than 0 and at most 5000 mm", problems.ToString());
        Assert.Contains("vu is too large", problems.ToString());
    }

    [Theory]
    [MemberData(nameof(NotNumbers))]
    public void What_is_no_finite_number_is_refused_in_every_field(double value)
    {
        Assert.Equal(["b"], Names(Beam.Validate(Good with { Width = value })));
        Assert.Equal(["D"], Names(Beam.Validate(Good with { Depth = value })));
        Assert.Equal(["d"], Names(Beam.Validate(Good with { EffectiveDepth = value })));
        Assert.Equal(["dd"], Names(Beam.Validate(Good with { CompressionSteelDepth = value })));
        Assert.Equal(["fck"], Names(Beam.Validate(Good with { ConcreteStrength = value })));
        Assert.Equal(["fy"], Names(Beam.Validate(Good with { SteelStrength = value })));
        Assert.Equal(["asv"], Names(Beam.Validate(Good with { StirrupArea = value })));
        Assert.Equal(["bf"], Names(Beam.Validate(Tee with { FlangeWidth = value })));
        Assert.Equal(["Df"], Names(Beam.Validate(Tee with { FlangeDepth = value })));
        Assert.Equal(["mu"], Names(Beam.Validate(new BeamActions(value, 0))));
        Assert.Equal(["vu"], Names(Beam.Validate(new BeamActions(0, value))));
        Assert.Equal(["ast_provided"], Names(Beam.Validate(new BeamActions(0, 0) { ProvidedTensionSteel = value })));
        Assert.Equal(["fy_stirrup"], Names(Beam.Validate(new DesignOptions { StirrupStrength = value })));
        Assert.Equal(["span"], Names(Beam.Validate(new DesignOptions { SpanDepth = new SpanDepthInput { Span = value } })));
    }

    [Fact]
    public void Measures_that_disagree_name_the_one_that_does_not_fit()
    {
        Assert.Equal("d must be less than the overall depth", Beam.Validate(Good with { EffectiveDepth = 500 }).ToString());
        Assert.Equal("bf must not be less than the width of the web", Beam.Validate(Tee with { FlangeWidth = 299 }).ToString());
        Assert.Equal("Df must be less than the overall depth", Beam.Validate(Tee with { FlangeDepth = 500 }).ToString());
        Assert.Equal(["d", "bf", "Df"], Names(Beam.Validate(Tee with { EffectiveDepth = 600, FlangeWidth = 100, FlangeDepth = 700 })));
    }

    [Fact]
    public void Half_a_flange_is_refused()
    {
        Assert.Equal(["Df"], Names(Beam.Validate(Good with { FlangeWidth = 900 })));
        Assert.Equal(["bf"], Names(Beam.Validate(Good with { FlangeDepth = 100 })));
    }

    [Fact]
    public void Concrete_above_M55_is_designed_with_a_warning()
    {
        Assert.Equal(BeamWarnings.None, RandomBeams.Design(Good with { ConcreteStrength = 55 }, 100, 50).Warnings);
        Assert.Equal(BeamWarnings.ConcreteAboveM55, RandomBeams.Design(Good with { ConcreteStrength = 55.1 }, 100, 50).Warnings);
    }

    [Fact]
    public void Check_names_the_bad_fields_of_the_section_and_of_each_case()
    {
        BeamActions[] cases = [new(100, 50), new(double.NaN, 50), new(100, 50), new(1, double.PositiveInfinity)];

        Assert.False(Beam.TryCheck(Good with { Width = 0 }, cases, default, new BeamDesign[4], out var summary, out var problems));

        Assert.Equal(default, summary);
        Assert.Equal(["b"], Names(problems.Section));
        Assert.False(problems.HasNoCases);
        Assert.Equal(1, problems.FirstBadCase);
        Assert.False(problems.OfCase(0).Any);
        Assert.Equal(["mu"], Names(problems.OfCase(1)));
        Assert.Equal(["vu"], Names(problems.OfCase(3)));
    }

    [Fact]
    public void Check_without_cases_is_refused()
    {
        Assert.False(Beam.TryCheck(Good, [], default, [], out _, out var problems));
        Assert.True(problems.HasNoCases);
    }

    [Fact]
    public void Check_needs_room_for_every_design() =>
        Assert.Throws<ArgumentException>(() => Beam.TryCheck(Good, [new BeamActions(1, 1)], default, [], out _, out _));

    private static List<string> Names(BeamProblems problems)
    {
        var names = new List<string>();

        foreach (var problem in problems)
        {
            names.Add(problem.Name);
        }

        return names;
    }
}
