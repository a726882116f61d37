using System.Text.Json.Nodes;

namespace Lintel.Features.Beams;

public sealed class BeamResultsTests
{
    [Theory]
    [InlineData("""{"moment":100}""")]
    [InlineData("""{"moment":400,"depth":800}""")]
    [InlineData("""{"moment":9000}""")]
    [InlineData("""{"shear":900}""")]
    [InlineData("""{"moment":0,"shear":0}""")]
    [InlineData("""{"fck":70,"shear":400,"flange_width":900,"flange_depth":100}""")]
    public void Result_has_every_field_of_its_contract_and_no_other(string beam)
    {
        var json = BeamText.Data(beam);
        var (section, actions) = BeamText.Read(beam);
        Assert.True(Is456.Beam.TryDesign(section, actions, out var design, out _));

        var data = json.As<DesignedBeam>();

        Near(design.Flexure.TensionSteel, data.Flexure.AstRequired);
        Near(design.Flexure.MinTensionSteel, data.Flexure.AstMin);
        Near(design.Flexure.MaxSteel, data.Flexure.AstMax);
        Near(design.Flexure.CompressionSteel, data.Flexure.AscRequired);
        Near(design.Flexure.Utilization, data.Flexure.Utilization);
        Near(design.Flexure.Utilization, data.Utilizations.Flexure);
        Near(design.Shear.StirrupAreaPerLength, data.Shear.AsvRequired);
        Near(design.Shear.Capacity, data.Shear.ShearCapacity);
        Near(design.Shear.Utilization, data.Utilizations.Shear);
        Near(design.Utilization, data.GoverningUtilization);
        Assert.Equal(300, data.Shear.SvMax);
        Assert.Equal(design.Flexure.IsDoublyReinforced, data.Flexure.IsDoublyReinforced);
        Assert.Equal(section.EffectiveDepth, data.EffectiveDepthUsed);
        Assert.Equal(section.CompressionSteelDepth, data.CompressionSteelDepthUsed);
        Assert.Equal(design.IsOk, data.IsOk);
        Assert.Equal(design.IsOk, data.Success);
        Assert.Equal(design.IsOk, data.IsSafe);
        Assert.Equal(design.IsOk ? "PASS" : "FAIL", data.Status);
        Assert.Equal(design.IsOk, data.FailedChecks.Count == 0);
        Assert.Equal(section.Depth > 750, data.SideFace is not null);
    }

    [Fact]
    public void Names_of_both_generations_carry_the_same_values()
    {
        var data = BeamText.Data("""{"moment":180,"shear":220}""");
        var (flexure, shear) = (data["flexure"]!, data["shear"]!);

        foreach (var (old, later) in ((string, string)[])[("tv", "tau_v"), ("tc", "tau_c"), ("tc_max", "tau_c_max"), ("spacing", "stirrup_spacing")])
        {
            Assert.True(JsonNode.DeepEquals(shear[old], shear[later]), old);
        }

        Assert.True(JsonNode.DeepEquals(flexure["mu_lim"], flexure["moment_capacity"]));
        Assert.True(JsonNode.DeepEquals(flexure["ast_required"], data["ast_total"]));
        Assert.True(JsonNode.DeepEquals(flexure["asc_required"], data["asc_total"]));
    }

    [Fact]
    public void Failure_says_which_check_and_why()
    {
        var data = BeamText.Data("""{"moment":9000,"shear":5000}""").As<DesignedBeam>();

        Assert.Equal(
            [
                "flexure (tension steel above 4 % of the section)",
                "flexure (compression steel above 4 % of the section)",
                "shear (tau_v above tau_c_max: the section must grow)",
            ],
            data.FailedChecks);
        Assert.Equal($"Design failed: {string.Join("; ", data.FailedChecks)}", data.Message);
        Assert.Equal(2, data.UtilizationRatio);
        Assert.True(data.GoverningUtilization > 40);
    }

    [Fact]
    public void Compression_steel_too_deep_is_a_failure_of_flexure()
    {
        var data = BeamText.Data("""{"moment":300,"dd":400}""").As<DesignedBeam>();

        Assert.StartsWith("flexure (moment above the limiting moment", Assert.Single(data.FailedChecks), StringComparison.Ordinal);
        Assert.False(data.Flexure.IsSafe);
        Assert.True(data.Shear.IsSafe);
    }

    [Fact]
    public void Warnings_are_told()
    {
        var data = BeamText.Data("""{"fck":60,"shear":420}""").As<DesignedBeam>();

        Assert.True(data.IsOk);
        Assert.Equal(2, data.Warnings.Count);
        Assert.Contains("fck is above 55", data.Warnings[0]);
        Assert.Contains("closer than 75 mm", data.Warnings[1]);
        Assert.Equal("Design complete: Ast = 526 mm2", data.Message);
    }

    [Fact]
    public void Deep_beam_gets_side_face_steel()
    {
        var data = BeamText.Data("""{"width":250,"depth":900,"moment":300}""").As<DesignedBeam>();

        Assert.Equal(new DesignedSideFace(225, 112.5, 250), data.SideFace);
    }

    [Theory]
    [InlineData("""{"width":100,"depth":150,"cover":75,"moment":1e9,"shear":1e9,"main_bar_dia_mm":36,"stirrup_dia_mm":16}""")]
    [InlineData("""{"width":100,"depth":150,"effective_depth":20,"moment":1e9,"shear":1e9}""")]
    [InlineData("""{"moment":1e9,"effective_depth":499.99999999999994,"dd":499.9999999999999}""")]
    [InlineData("""{"moment":1e-300,"shear":1e-300,"asv":1e-300}""")]
    [InlineData("""{"flange_width":5000,"flange_depth":1e-300,"moment":1e9}""")]
    public void Nothing_but_numbers_is_ever_written(string beam)
    {
        var text = BeamText.Data(beam).ToJsonString();

        Assert.DoesNotContain("NaN", text);
        Assert.DoesNotContain("Infinity", text);
        BeamText.Data(beam).As<DesignedBeam>();
    }

    private static void Near(double expected, double actual) => Assert.Equal(expected, actual, Math.Abs(expected) * 5e-7);
}
