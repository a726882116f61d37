namespace Lintel.Is456;

public sealed class ShearTests
{
    private static readonly BeamSection Section = new()
    {
        Width = 300, Depth = 500, EffectiveDepth = 450, ConcreteStrength = 25, SteelStrength = 500,
    };

    [Fact]
    public void Section_carries_the_shear_it_was_designed_for()
    {
        foreach (var section in RandomBeams.Rectangular(21))
        {
            var ceiling = ShearStrengthTable.Ceiling(section.ConcreteStrength) * section.Width * section.EffectiveDepth / 1e3;

            for (var part = 0.0; part < 1; part += 0.09)
            {
                var shear = RandomBeams.Design(section, 150, part * ceiling).Shear;

                Assert.True(shear.IsSafe);
                Assert.True(shear.Spacing <= shear.CalculatedSpacing);
                Assert.True(shear.Spacing < 1 || shear.Capacity >= part * ceiling * (1 - 1e-12), $"{section} {part}");
                Assert.True(shear.Capacity <= ceiling * (1 + 1e-12));

                var strength = Math.Min(section.SteelStrength, 415);
                Assert.True(section.StirrupArea / shear.CalculatedSpacing >= shear.StirrupAreaPerLength * (1 - 1e-12));
                Assert.True(shear.StirrupAreaPerLength >= 0.4 * section.Width / (0.87 * strength) * (1 - 1e-12));
            }
        }
    }

    [Fact]
    public void More_shear_never_widens_the_stirrups()
    {
        foreach (var section in RandomBeams.Rectangular(22))
        {
            var last = new ShearResult { CalculatedSpacing = double.MaxValue, Spacing = double.MaxValue };

            for (var shear = 0.0; ; shear += 40)
            {
                var result = RandomBeams.Design(section, 100, shear).Shear;
                Assert.True(result.CalculatedSpacing <= last.CalculatedSpacing);
                Assert.True(result.Spacing <= last.Spacing);

                if (!result.IsSafe)
                {
                    break;
                }

                Assert.True(result.StirrupShear >= last.StirrupShear);
                last = result;
            }
        }
    }

    [Fact]
    public void Section_over_the_ceiling_has_no_stirrups_and_must_grow()
    {
        var ceiling = 3.1 * 300 * 450 / 1e3;

        var within = RandomBeams.Design(Section, 50, ceiling * (1 - 1e-9));
        var over = RandomBeams.Design(Section, 50, ceiling * (1 + 1e-9));

        Assert.True(within.Shear.IsSafe);
        Assert.Equal(FailedChecks.ShearStressAboveCeiling, over.FailedChecks);
        Assert.Equal(0, over.Shear.Spacing);
        Assert.Equal(0, over.Shear.CalculatedSpacing);
        Assert.Equal(0, over.Shear.StirrupShear);
        Assert.Equal(0, over.Shear.StirrupAreaPerLength);
        Assert.True(over.Utilization > 1);
    }

    [Fact]
    public void Stirrups_work_at_no_more_than_415_unless_the_caller_insists()
    {
        var capped = RandomBeams.Design(Section, 120, 200).Shear;
        var uncapped = RandomBeams.Design(Section, 120, 200, new DesignOptions { UncappedStirrups = true }).Shear;
        var milder = RandomBeams.Design(Section, 120, 200, new DesignOptions { StirrupStrength = 250 }).Shear;
        var alsoCapped = RandomBeams.Design(Section, 120, 200, new DesignOptions { StirrupStrength = 500 }).Shear;

        Assert.Equal(100, capped.Spacing);
        Assert.Equal(125, uncapped.Spacing);
        RandomBeams.Close(capped.CalculatedSpacing * 500 / 415, uncapped.CalculatedSpacing);
        RandomBeams.Close(capped.CalculatedSpacing * 250 / 415, milder.CalculatedSpacing);
        Assert.Equal(capped, alsoCapped);
    }

    [Theory]
    [InlineData(300.4, 300)]
    [InlineData(299.99, 275)]
    [InlineData(1000, 300)]
    [InlineData(100, 100)]
    [InlineData(99.99, 75)]
    [InlineData(75, 75)]
    [InlineData(74.99, 74)]
    [InlineData(61.4, 61)]
    [InlineData(0.4, 0)]
    public void Spacing_steps_down_and_never_up(double calculated, double placed) => Assert.Equal(placed, Stirrups.Practical(calculated));

    [Fact]
    public void Spacing_that_is_a_whole_step_but_for_rounding_is_that_step()
    {
        Assert.Equal(100, Stirrups.Practical(Math.BitDecrement(100)));
        Assert.Equal(75, Stirrups.Practical(Math.BitDecrement(75)));
        Assert.Equal(61, Stirrups.Practical(Math.BitDecrement(61)));
    }

    [Fact]
    public void Stirrups_closer_than_75_come_with_a_warning()
    {
        var close = RandomBeams.Design(Section, 120, 350);
        var wide = RandomBeams.Design(Section, 120, 200);

        Assert.InRange(close.Shear.Spacing, 30, 74);
        Assert.Equal(BeamWarnings.StirrupsTooClose, close.Warnings);
        Assert.True(close.IsOk);
        Assert.Equal(BeamWarnings.None, wide.Warnings);
    }

    [Fact]
    public void Strength_rests_on_the_required_steel_unless_the_provided_is_given()
    {
        var actions = new BeamActions(120, 200) { ProvidedTensionSteel = 1500 };

        Assert.True(Beam.TryDesign(Section, actions, out var provided, out _));
        var required = RandomBeams.Design(Section, 120, 200);

        Assert.Equal(ShearStrengthTable.Strength(100 * required.Flexure.TensionSteel / (300 * 450), 25), required.Shear.Strength);
        Assert.Equal(ShearStrengthTable.Strength(100 * 1500.0 / (300 * 450), 25), provided.Shear.Strength);
        Assert.Equal(required.Flexure, provided.Flexure);
    }

    [Theory]
    [InlineData(15, 0.60, 2.5)]
    [InlineData(19.9, 0.60, 2.794)]
    [InlineData(20, 0.62, 2.8)]
    [InlineData(22.5, 0.62, 2.95)]
    [InlineData(25, 0.64, 3.1)]
    [InlineData(30, 0.66, 3.5)]
    [InlineData(35, 0.67, 3.7)]
    [InlineData(39, 0.67, 3.94)]
    [InlineData(40, 0.68, 4.0)]
    [InlineData(80, 0.68, 4.0)]
    public void Strength_takes_the_lower_grade_and_ceiling_lies_between_grades(double fck, double strengthAtOnePercent, double ceiling)
    {
        Assert.Equal(strengthAtOnePercent, ShearStrengthTable.Strength(1.0, fck), 1e-12);
        Assert.Equal(ceiling, ShearStrengthTable.Ceiling(fck), 1e-12);
    }

    [Theory]
    [InlineData(0, 0.28)]
    [InlineData(0.15, 0.28)]
    [InlineData(0.20, 0.32)]
    [InlineData(0.25, 0.36)]
    [InlineData(0.375, 0.42)]
    [InlineData(0.5, 0.48)]
    [InlineData(1.9, 0.774)]
    [InlineData(2.25, 0.81)]
    [InlineData(2.75, 0.82)]
    [InlineData(3.0, 0.82)]
    [InlineData(9, 0.82)]
    public void Strength_is_linear_in_the_steel_and_held_to_the_ends_of_table_19(double percent, double strength) =>
        Assert.Equal(strength, ShearStrengthTable.Strength(percent, 20), 1e-12);

    [Fact]
    public void Table_19_is_within_three_percent_of_the_formula_behind_it()
    {
        foreach (var fck in (double[])[15, 20, 25, 30, 35, 40])
        {
            for (var percent = 0.15; percent <= 3; percent += 0.01)
            {
                var beta = Math.Max(1, 0.8 * fck / (6.89 * percent));
                var formula = 0.85 * Math.Sqrt(0.8 * fck) * (Math.Sqrt(1 + 5 * beta) - 1) / (6 * beta);
                Answers.Near(formula, ShearStrengthTable.Strength(percent, fck), 0.03 * formula, $"{fck} {percent}");
            }
        }
    }
}
