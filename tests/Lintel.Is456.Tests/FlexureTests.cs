namespace Lintel.Is456;

public sealed class FlexureTests
{
    [Fact]
    public void Stress_block_is_the_area_of_the_parabola_and_rectangle_of_figure_21()
    {
        const int Strips = 100_000;
        double force = 0, moment = 0;

        for (var i = 0; i < Strips; i++)
        {
            var y = (i + 0.5) / Strips;                          // from the neutral axis, over xu
            var r = Math.Min(0.0035 * y / 0.002, 1);
            var stress = 0.67 / 1.5 * (2 * r - r * r);
            force += stress / Strips;
            moment += stress * y / Strips;
        }

        Assert.Equal(Materials.BlockForce, force, 0.0025);
        Assert.Equal(Materials.BlockCentroid, 1 - moment / force, 0.0045);
    }

    [Fact]
    public void Singly_reinforced_section_is_in_equilibrium()
    {
        foreach (var section in RandomBeams.Rectangular(1))
        {
            var limit = RandomBeams.Design(section, 0).Flexure.LimitingMoment;

            foreach (var part in (double[])[0.3, 0.6, 0.9, 0.999])
            {
                var flexure = RandomBeams.Design(section, part * limit).Flexure;
                var tension = 0.87 * section.SteelStrength * flexure.TensionSteel;
                var compression = 0.36 * section.ConcreteStrength * section.Width * flexure.NeutralAxis;
                RandomBeams.Close(tension, compression);

                var resisted = tension * (section.EffectiveDepth - 0.42 * flexure.NeutralAxis) / 1e6;

                if (flexure.TensionSteel > flexure.MinTensionSteel)
                {
                    RandomBeams.Close(part * limit, resisted);
                }
                else
                {
                    Assert.True(resisted >= part * limit);
                }

                Assert.True(flexure.NeutralAxis <= flexure.NeutralAxisLimit);
                Assert.Equal(0, flexure.CompressionSteel);
            }
        }
    }

    [Fact]
    public void Doubly_reinforced_section_is_in_equilibrium()
    {
        var checkedSome = 0;

        foreach (var section in RandomBeams.Rectangular(2))
        {
            var moment = 1.4 * RandomBeams.Design(section, 0).Flexure.LimitingMoment;
            var flexure = RandomBeams.Design(section, moment).Flexure;

            if (flexure.FailedChecks.HasFlag(FailedChecks.CompressionSteelCannotWork))
            {
                continue;
            }

            checkedSome++;
            var block = 0.36 * section.ConcreteStrength * section.Width * flexure.NeutralAxis;
            var bars = flexure.CompressionSteel * (flexure.CompressionSteelStress - 0.446 * section.ConcreteStrength);
            RandomBeams.Close(0.87 * section.SteelStrength * flexure.TensionSteel, block + bars);

            var aboutTension = block * (section.EffectiveDepth - 0.42 * flexure.NeutralAxis)
                + bars * (section.EffectiveDepth - section.CompressionSteelDepth);
            RandomBeams.Close(moment * 1e6, aboutTension);
            Assert.Equal(flexure.NeutralAxisLimit, flexure.NeutralAxis);
        }

        Assert.True(checkedSome > RandomBeams.Count / 2);
    }

    [Fact]
    public void Steel_is_continuous_where_compression_steel_begins()
    {
        foreach (var section in RandomBeams.Rectangular(3).Concat(RandomBeams.Flanged(3)))
        {
            var limit = RandomBeams.Design(section, 0).Flexure.LimitingMoment;
            var below = RandomBeams.Design(section, limit * (1 - 1e-9)).Flexure;
            var above = RandomBeams.Design(section, limit * (1 + 1e-9)).Flexure;

            Assert.False(below.IsDoublyReinforced);
            Assert.True(above.IsDoublyReinforced);

            if (!above.FailedChecks.HasFlag(FailedChecks.CompressionSteelCannotWork))
            {
                RandomBeams.Close(below.TensionSteel, above.TensionSteel, 1e-6);
                Assert.InRange(above.CompressionSteel, 0, 1e-4 * above.TensionSteel);
            }
        }
    }

    [Fact]
    public void More_moment_never_needs_less_steel()
    {
        foreach (var section in RandomBeams.Rectangular(4).Concat(RandomBeams.Flanged(4)))
        {
            var limit = RandomBeams.Design(section, 0).Flexure.LimitingMoment;
            var last = default(FlexureResult);

            for (var part = 0.0; part <= 1.5; part += 0.05)
            {
                var flexure = RandomBeams.Design(section, part * limit).Flexure;

                if (flexure.FailedChecks.HasFlag(FailedChecks.CompressionSteelCannotWork))
                {
                    break;
                }

                Assert.True(flexure.TensionSteel >= last.TensionSteel, $"{section} at {part}");
                Assert.True(flexure.CompressionSteel >= last.CompressionSteel);
                last = flexure;
            }
        }
    }

    [Fact]
    public void Twice_the_size_takes_eight_times_the_moment_with_four_times_the_steel()
    {
        foreach (var section in RandomBeams.Rectangular(5).Concat(RandomBeams.Flanged(5)))
        {
            var twice = section with
            {
                Width = 2 * section.Width,
                Depth = 2 * section.Depth,
                EffectiveDepth = 2 * section.EffectiveDepth,
                CompressionSteelDepth = 2 * section.CompressionSteelDepth,
                FlangeWidth = 2 * section.FlangeWidth,
                FlangeDepth = 2 * section.FlangeDepth,
            };

            if (Beam.Validate(twice).Any)
            {
                continue;
            }

            foreach (var part in (double[])[0.1, 0.7, 1.2])
            {
                var moment = part * RandomBeams.Design(section, 0).Flexure.LimitingMoment;
                var small = RandomBeams.Design(section, moment, 100);
                var large = RandomBeams.Design(twice, 8 * moment, 400);

                RandomBeams.Close(8 * small.Flexure.LimitingMoment, large.Flexure.LimitingMoment);
                RandomBeams.Close(4 * small.Flexure.TensionSteel, large.Flexure.TensionSteel, 1e-7);
                RandomBeams.Close(4 * small.Flexure.CompressionSteel, large.Flexure.CompressionSteel, 1e-7);
                RandomBeams.Close(small.Utilization, large.Utilization);
                RandomBeams.Close(small.Shear.Stress, large.Shear.Stress);
                RandomBeams.Close(small.Shear.Strength, large.Shear.Strength, 1e-7);
            }
        }
    }

    [Fact]
    public void Sign_of_the_actions_does_not_matter()
    {
        foreach (var section in RandomBeams.Rectangular(6).Concat(RandomBeams.Flanged(6)))
        {
            Assert.Equal(RandomBeams.Design(section, 120, 80), RandomBeams.Design(section, -120, -80));
        }
    }

    [Fact]
    public void Section_without_moment_gets_minimum_steel_and_no_utilization()
    {
        var section = RandomBeams.Rectangular(7).First();
        var flexure = RandomBeams.Design(section, 0).Flexure;

        Assert.Equal(0.85 * section.Width * section.EffectiveDepth / section.SteelStrength, flexure.TensionSteel, 1e-9);
        Assert.Equal(0, flexure.Utilization);
        Assert.True(flexure.IsSafe);
    }

    [Fact]
    public void Rich_concrete_with_mild_steel_can_exceed_four_percent_below_its_limiting_moment()
    {
        var section = new BeamSection { Width = 300, Depth = 500, EffectiveDepth = 490, ConcreteStrength = 80, SteelStrength = 250 };
        var limit = RandomBeams.Design(section, 0).Flexure.LimitingMoment;

        var design = RandomBeams.Design(section, 0.99 * limit);

        Assert.False(design.IsOk);
        Assert.Equal(FailedChecks.TensionSteelAboveMaximum, design.FailedChecks);
        Assert.InRange(design.Utilization, 0.98, 1);
        Assert.True(design.Flexure.TensionSteel > design.Flexure.MaxSteel);
    }

    [Fact]
    public void Doubly_reinforced_section_over_the_limit_reports_its_areas_and_a_utilization_above_one()
    {
        var section = new BeamSection { Width = 200, Depth = 1000, EffectiveDepth = 967, ConcreteStrength = 30, SteelStrength = 500 };

        var flexure = RandomBeams.Design(section, 9000).Flexure;

        Assert.Equal(FailedChecks.TensionSteelAboveMaximum | FailedChecks.CompressionSteelAboveMaximum, flexure.FailedChecks);
        Assert.True(flexure.CompressionSteel > flexure.MaxSteel);
        RandomBeams.Close(9000 / flexure.LimitingMoment, flexure.Utilization);
    }

    [Theory]
    [InlineData(500, 572)]     // at the tension steel, or below it
    [InlineData(500, 263.12)]  // at the limiting neutral axis
    [InlineData(500, 262)]     // bars strained so little that the concrete they displace was stronger
    public void Compression_steel_that_lies_too_deep_fails_the_design(double fy, double depth)
    {
        var section = new BeamSection
        {
            Width = 300, Depth = 600, EffectiveDepth = 572, CompressionSteelDepth = depth, ConcreteStrength = 15, SteelStrength = fy,
        };

        var design = RandomBeams.Design(section, 300);

        Assert.Equal(FailedChecks.CompressionSteelCannotWork, design.FailedChecks);
        Assert.Equal(0, design.Flexure.TensionSteel);
        Assert.Equal(0, design.Flexure.CompressionSteel);
        Assert.Equal(design.Flexure.NeutralAxisLimit, design.Flexure.NeutralAxis);
        Assert.True(design.Flexure.Utilization > 1);
        Assert.True(design.Flexure.MinTensionSteel > 0);
    }
}
