using System.Text.Json;

namespace Lintel.Is456;

public sealed class PublishedExampleTests
{
    public static TheoryData<string> Published => Examples.Ids("published");

    [Theory]
    [MemberData(nameof(Published))]
    public void Published_example_is_reproduced(string id)
    {
        var row = Examples.Find("published", id);
        var input = row.GetProperty("in");
        var expected = row.GetProperty("exp");
        var tolerance = row.Number("tol");

        switch (row.GetProperty("kind").GetString())
        {
            case "design" or "flanged":
                Design(row, input, tolerance);
                break;
            case "shear":
                ShearAlone(expected, input, tolerance);
                break;
            case "mulim_factor":
                Series(input.GetProperty("fck"), expected.GetProperty("factor"), tolerance, fck => LimitingFactor(fck, input.Number("fy")));
                break;
            case "pt_for_factor":
                Series(input.GetProperty("factor"), expected.GetProperty("pt"), tolerance, factor => SteelPercent(factor, input));
                break;
            case "fsc":
                var atLimit = 0.0035 * (1 - input.Number("dd_over_d") / Materials.NeutralAxisLimitRatio(input.Number("fy")));
                Near(expected.Number("fsc"), SteelCurve.Stress(atLimit, input.Number("fy")), tolerance, "fsc");
                break;
            case "fsc_at_strain":
                Near(expected.Number("fsc"), SteelCurve.Stress(input.Number("strain"), input.Number("fy")), tolerance, "fsc");
                break;
            case "vus_capacity":
                var capacity = Stirrups.Capacity(input.Number("asv"), input.Number("fy_stirrup"), input.Number("d"), input.Number("sv"));
                Near(expected.Number("vus"), capacity / 1e3, tolerance, "vus");
                break;
            case "deflection":
                Deflection(expected, input, tolerance);
                break;
            case "check":
                Check(expected, input, tolerance);
                break;
            case var other:
                Assert.Fail($"No test for examples of kind {other}.");
                break;
        }
    }

    private static void Design(JsonElement row, JsonElement input, double tolerance)
    {
        var actions = new BeamActions(input.Number("mu"), input.Number("vu", 0));

        Assert.True(Beam.TryDesign(input.Section(), actions, out var design, out _));
        Assert.True(Answers.Compare(design, row, actions.Shear, tolerance) >= 2);
    }

    private static void ShearAlone(JsonElement expected, JsonElement input, double tolerance)
    {
        var result = Shear.Design(new ShearInput
        {
            Width = input.Number("b"),
            EffectiveDepth = input.Number("d"),
            Shear = input.Number("vu"),
            ConcreteStrength = input.Number("fck"),
            SteelPercent = input.Number("pt"),
            StirrupStrength = input.Number("fy_stirrup"),
            StirrupArea = input.Number("asv"),
        });

        foreach (var field in expected.EnumerateObject())
        {
            Near(field.Value.GetDouble(), Answers.Number(new BeamDesign { Shear = result }, field.Name), tolerance, field.Name);
        }
    }

    private static double LimitingFactor(double fck, double fy)
    {
        var section = new BeamSection { Width = 300, Depth = 600, EffectiveDepth = 550, ConcreteStrength = fck, SteelStrength = fy };
        return Flexure.Design(section, 0).LimitingMoment * 1e6 / (300 * 550 * 550);
    }

    private static double SteelPercent(double factor, JsonElement input)
    {
        var section = new BeamSection
        {
            Width = 300, Depth = 600, EffectiveDepth = 550, ConcreteStrength = input.Number("fck"), SteelStrength = input.Number("fy"),
        };
        return 100 * Flexure.Design(section, factor * 300 * 550 * 550 / 1e6).TensionSteel / (300 * 550);
    }

    private static void Series(JsonElement given, JsonElement expected, double tolerance, Func<double, double> answer)
    {
        Assert.Equal(given.GetArrayLength(), expected.GetArrayLength());

        foreach (var (input, wanted) in given.EnumerateArray().Zip(expected.EnumerateArray()))
        {
            Near(wanted.GetDouble(), answer(input.GetDouble()), tolerance, $"at {input}");
        }
    }

    private static void Deflection(JsonElement expected, JsonElement input, double tolerance)
    {
        Assert.Equal("simply_supported", input.GetProperty("support").GetString());

        var result = SpanDepth.Check(new SpanDepthInput { Span = input.Number("span"), Support = Support.SimplySupported }, input.Number("d"));

        Near(expected.Number("ld_ratio"), result.Ratio, tolerance, "ld_ratio");
        Near(expected.Number("allowable_ld"), result.Allowed, tolerance, "allowable_ld");
        Assert.Equal(expected.GetProperty("is_ok").GetBoolean(), result.IsOk);
    }

    private static void Check(JsonElement expected, JsonElement input, double tolerance)
    {
        var cases = input.GetProperty("cases").EnumerateArray().ToArray();
        var actions = cases.Select(one => new BeamActions(one[1].GetDouble(), one[2].GetDouble())).ToArray();

        Assert.True(Beam.TryCheck(input.Section(), actions, default, new BeamDesign[cases.Length], out var summary, out _));
        Assert.Equal(expected.GetProperty("is_ok").GetBoolean(), summary.IsOk);
        Assert.Equal(expected.GetProperty("gov").GetString(), cases[summary.GoverningCase][0].GetString());
        Near(expected.Number("util"), summary.GoverningUtilization, tolerance, "util");
    }

    private static void Near(double expected, double actual, double tolerance, string name) =>
        Answers.Near(expected, actual, tolerance * Math.Abs(expected), name);
}
