namespace Lintel.Is456;

public sealed class FlangedFlexureTests
{
    [Fact]
    public void Steel_is_that_of_trying_neutral_axes_until_the_moment_fits()
    {
        int flange = 0, partly = 0, uniform = 0;

        foreach (var section in RandomBeams.Flanged(11))
        {
            var limit = RandomBeams.Design(section, 0).Flexure.LimitingMoment;
            var max = Materials.NeutralAxisLimitRatio(section.SteelStrength) * section.EffectiveDepth;
            RandomBeams.Close(Block(section, max).Moment / 1e6, limit);

            foreach (var part in (double[])[0.05, 0.4, 0.7, 0.9, 0.99])
            {
                var flexure = RandomBeams.Design(section, part * limit).Flexure;
                var xu = Bisect(section, part * limit * 1e6, max);
                var ast = Block(section, xu).Force / (0.87 * section.SteelStrength);

                if (ast > flexure.MinTensionSteel)
                {
                    // At the step where the whole flange becomes uniformly stressed the two may stand on its two sides.
                    RandomBeams.Close(ast, flexure.TensionSteel, 2e-3);
                    RandomBeams.Close(xu, flexure.NeutralAxis, 1e-6);
                }
                else
                {
                    Assert.Equal(flexure.MinTensionSteel, flexure.TensionSteel);
                    RandomBeams.Close(0.87 * section.SteelStrength * flexure.TensionSteel, Block(section, flexure.NeutralAxis).Force, 2e-3);
                }

                var zone = section.FlangeDepth / flexure.NeutralAxis;
                flange += zone > 1 ? 1 : 0;
                partly += zone is <= 1 and > 0.43 ? 1 : 0;
                uniform += zone <= 0.43 ? 1 : 0;
            }
        }

        Assert.True(flange > 500 && partly > 500 && uniform > 100, $"{flange} {partly} {uniform}");
    }

    [Fact]
    public void Flange_no_wider_than_the_web_is_a_rectangular_beam()
    {
        foreach (var section in RandomBeams.Rectangular(12))
        {
            var flanged = section with { FlangeWidth = section.Width, FlangeDepth = 0.2 * section.Depth };

            foreach (var moment in (double[])[0, 50, 400, 2500])
            {
                var expected = RandomBeams.Design(section, moment, 90);
                var actual = RandomBeams.Design(flanged, moment, 90);

                RandomBeams.Close(expected.Flexure.TensionSteel, actual.Flexure.TensionSteel);
                RandomBeams.Close(expected.Flexure.CompressionSteel, actual.Flexure.CompressionSteel);
                RandomBeams.Close(expected.Flexure.NeutralAxis, actual.Flexure.NeutralAxis);
                RandomBeams.Close(expected.Flexure.LimitingMoment, actual.Flexure.LimitingMoment);
                RandomBeams.Close(expected.Shear.Strength, actual.Shear.Strength);
                Assert.Equal(expected.FailedChecks, actual.FailedChecks);
            }
        }
    }

    [Fact]
    public void Flange_deeper_than_the_limiting_neutral_axis_is_a_rectangular_beam_of_its_width()
    {
        var flanged = new BeamSection
        {
            Width = 300, Depth = 500, EffectiveDepth = 450, ConcreteStrength = 25, SteelStrength = 500, FlangeWidth = 900, FlangeDepth = 250,
        };
        var wide = flanged with { Width = 900, FlangeWidth = 0, FlangeDepth = 0 };

        var expected = RandomBeams.Design(wide, 500).Flexure;
        var actual = RandomBeams.Design(flanged, 500).Flexure;

        RandomBeams.Close(expected.LimitingMoment, actual.LimitingMoment);
        RandomBeams.Close(expected.TensionSteel, actual.TensionSteel);
        RandomBeams.Close(expected.MaxSteel / 3, actual.MaxSteel);
        Assert.True(actual.IsNeutralAxisInFlange);
    }

    [Fact]
    public void Shear_of_a_flanged_beam_rests_on_its_web()
    {
        var section = RandomBeams.Flanged(13).First();

        var design = RandomBeams.Design(section, 100, 150);

        RandomBeams.Close(150e3 / (section.Width * section.EffectiveDepth), design.Shear.Stress);
    }

    [Fact]
    public void Effective_width_is_that_of_clause_23_1_2_but_not_more_than_the_slab_has()
    {
        Assert.Equal(6000 / 6.0 + 300 + 6 * 120, EffectiveFlange.OfTBeam(6000, 300, 120, 3000));
        Assert.Equal(6000 / 12.0 + 300 + 3 * 120, EffectiveFlange.OfLBeam(6000, 300, 120, 3000));
        Assert.Equal(1500, EffectiveFlange.OfTBeam(6000, 300, 120, 1500));
        Assert.Equal(1000, EffectiveFlange.OfLBeam(6000, 300, 120, 1000));
    }

    /// <summary>Annex G-2 as it is printed, for a trial xu.</summary>
    private static (double Force, double Moment) Block(in BeamSection s, double xu)
    {
        var (fck, d, df) = (s.ConcreteStrength, s.EffectiveDepth, s.FlangeDepth);

        if (xu <= df)
        {
            var force = 0.36 * fck * s.FlangeWidth * xu;
            return (force, force * (d - 0.42 * xu));
        }

        var yf = df / xu <= 0.43 ? df : Math.Min(df, 0.15 * xu + 0.65 * df);
        var web = 0.36 * fck * s.Width * xu;
        var wings = 0.45 * fck * (s.FlangeWidth - s.Width) * yf;
        return (web + wings, web * (d - 0.42 * xu) + wings * (d - yf / 2));
    }

    private static double Bisect(in BeamSection section, double moment, double max)
    {
        var (low, high) = (0.0, max);

        for (var i = 0; i < 200; i++)
        {
            var middle = (low + high) / 2;

            if (Block(section, middle).Moment < moment)
            {
                low = middle;
            }
            else
            {
                high = middle;
            }
        }

        return high;
    }
}
