namespace Lintel.Is456;

public sealed class ServiceabilityTests
{
    [Fact]
    public void Side_face_steel_is_a_thousandth_of_the_web_half_on_each_face_when_deeper_than_750()
    {
        var deep = SideFaceSteel.For(250, 900);

        Assert.True(deep.IsRequired);
        Assert.Equal(225, deep.Area, 1e-9);
        Assert.Equal(112.5, deep.AreaPerFace, 1e-9);
        Assert.Equal(250, deep.MaxSpacing);
        Assert.Equal(300, SideFaceSteel.For(400, 900).MaxSpacing);
        Assert.Equal(default, SideFaceSteel.For(250, 750));
    }

    [Theory]
    [InlineData(Support.Cantilever, 7)]
    [InlineData(Support.SimplySupported, 20)]
    [InlineData(Support.Continuous, 26)]
    public void Allowed_ratio_is_the_basic_one_times_the_factors(Support support, double basic)
    {
        var input = new SpanDepthInput
        {
            Span = 8000, Support = support, TensionSteelFactor = 1.2, CompressionSteelFactor = 1.1, FlangeFactor = 0.8,
        };

        var result = SpanDepth.Check(input, 400);

        Assert.Equal(20, result.Ratio);
        Assert.Equal(basic * 1.2 * 1.1 * 0.8, result.Allowed, 1e-12);
        Assert.Equal(20 / result.Allowed, result.Utilization, 1e-12);
        Assert.Equal(basic != 7, result.IsOk);
    }

    [Fact]
    public void Span_above_ten_metres_is_allowed_less_unless_a_cantilever()
    {
        Assert.Equal(20, SpanDepth.Check(new SpanDepthInput { Span = 10_000 }, 700).Allowed);
        Assert.Equal(20 * 10 / 12.5, SpanDepth.Check(new SpanDepthInput { Span = 12_500 }, 700).Allowed, 1e-12);
        Assert.Equal(7, SpanDepth.Check(new SpanDepthInput { Span = 12_500, Support = Support.Cantilever }, 700).Allowed);
    }

    [Fact]
    public void Span_depth_counts_in_the_verdict_where_it_was_asked_for()
    {
        var section = new BeamSection { Width = 300, Depth = 500, EffectiveDepth = 450, ConcreteStrength = 25, SteelStrength = 500 };
        var options = new DesignOptions { SpanDepth = new SpanDepthInput { Span = 9900 } };

        var asked = RandomBeams.Design(section, 50, 40, options);
        var unasked = RandomBeams.Design(section, 50, 40);

        Assert.True(unasked.IsOk);
        Assert.Null(unasked.SpanDepth);
        Assert.False(asked.IsOk);
        Assert.Equal(FailedChecks.SpanDepthAboveLimit, asked.FailedChecks);
        Assert.Equal(22 / 20.0, asked.Utilization, 1e-12);

        Assert.True(Beam.TryCheck(section, [new BeamActions(50, 40)], options, new BeamDesign[1], out var summary, out _));
        Assert.False(summary.IsOk);
        Assert.Equal(1.1, summary.MaxDeflectionUtilization!.Value, 1e-12);
        Assert.Equal(1.1, summary.GoverningUtilization, 1e-12);
        Assert.Equal(WorstCheck.Flexure, summary.GoverningWorstCheck);
    }
}
