using System.Text.Json;

namespace Lintel.Is456;

public sealed class ExampleTests
{
    public static TheoryData<string> Designs => Examples.Ids("design");

    public static TheoryData<string> Flanged => Examples.Ids("flanged");

    public static TheoryData<string> Checks => Examples.Ids("check");

    public static TheoryData<string> Service => Examples.Ids("api");

    [Theory]
    [MemberData(nameof(Designs))]
    public void Rectangular_beam_is_designed_as_in_the_example(string id)
    {
        var row = Examples.Find("design", id);
        var input = row.GetProperty("in");
        var actions = new BeamActions(input.Number("mu"), input.Number("vu"));

        var designed = Beam.TryDesign(input.Section(), actions, out var design, out var problems);

        Assert.Equal(row.IsRejected(), !designed);
        Assert.Equal(row.IsRejected(), problems.Any);

        if (designed)
        {
            Assert.True(Answers.Compare(design, row, actions.Shear) >= 13);
        }
    }

    [Theory]
    [MemberData(nameof(Flanged))]
    public void Flanged_beam_is_designed_as_in_the_example(string id)
    {
        var row = Examples.Find("flanged", id);
        var input = row.GetProperty("in");

        Assert.True(Beam.TryDesign(input.Section(), new BeamActions(input.Number("mu"), 0), out var design, out _));
        Assert.True(Answers.Compare(design, row, 0) >= 9);
    }

    [Theory]
    [MemberData(nameof(Service))]
    public void Section_of_a_service_example_is_designed_as_in_the_example(string name)
    {
        var row = Examples.Find("api", name);
        var parameters = row.GetProperty("params");
        var uses = row.GetProperty("uses");
        var section = new BeamSection
        {
            Width = parameters.Number("width", 300),
            Depth = parameters.Number("depth", 500),
            EffectiveDepth = uses.Number("d"),
            CompressionSteelDepth = uses.Number("dd"),
            ConcreteStrength = parameters.Number("fck", 25),
            SteelStrength = parameters.Number("fy", 500),
            StirrupArea = uses.Number("asv"),
        };
        var actions = new BeamActions(parameters.Number("moment", 100), parameters.Number("shear", 50));

        Assert.True(Beam.TryDesign(section, actions, out var design, out _));
        Assert.True(Answers.Compare(design, row, actions.Shear) >= 14);
    }

    [Theory]
    [MemberData(nameof(Checks))]
    public void Section_is_checked_for_its_cases_as_in_the_example(string id)
    {
        var row = Examples.Find("check", id);
        var input = row.GetProperty("in");
        var cases = input.GetProperty("cases").EnumerateArray().ToArray();
        var actions = cases.Select(one => new BeamActions(one[1].GetDouble(), one[2].GetDouble())).ToArray();
        var designs = new BeamDesign[cases.Length];

        var done = Beam.TryCheck(input.Section(), actions, default, designs, out var summary, out var problems);

        Assert.Equal(row.IsRejected(), !done);
        Assert.Equal(row.IsRejected(), problems.Any);

        if (done)
        {
            Compare(row.GetProperty("exp"), cases, designs, summary);
        }
    }

    private static void Compare(JsonElement expected, JsonElement[] cases, BeamDesign[] designs, in CheckSummary summary)
    {
        Assert.Equal(expected.GetProperty("is_ok").GetBoolean(), summary.IsOk);
        Assert.Equal(expected.GetProperty("gov").GetString(), Beam.CaseName(cases[summary.GoverningCase][0].GetString(), summary.GoverningCase));
        Assert.Equal(expected.GetProperty("n").GetInt32(), summary.Cases);
        Assert.Equal(expected.GetProperty("failed").GetInt32(), summary.FailedCases);
        Assert.Equal(expected.GetProperty("worst").GetString() == "shear" ? WorstCheck.Shear : WorstCheck.Flexure, summary.GoverningWorstCheck);
        Near(expected.Number("util"), summary.GoverningUtilization, "util");
        Near(expected.Number("util"), summary.GoverningWorstUtilization, "worst");
        Near(expected.Number("max_flex"), summary.MaxFlexureUtilization, "max_flex");
        Near(expected.Number("max_shear"), summary.MaxShearUtilization, "max_shear");
        Assert.Null(summary.MaxDeflectionUtilization);

        foreach (var (wanted, index) in expected.GetProperty("cases").EnumerateArray().Select((one, index) => (one, index)))
        {
            Assert.Equal(wanted[0].GetString(), Beam.CaseName(cases[index][0].GetString(), index));
            Near(wanted[1].GetDouble(), designs[index].Flexure.Utilization, "u_flex");
            Near(wanted[2].GetDouble(), designs[index].Shear.Utilization, "u_shear");
            Assert.Equal(wanted[3].GetBoolean(), designs[index].IsOk);
        }
    }

    private static void Near(double expected, double actual, string name) =>
        Answers.Near(expected, actual, Examples.Tolerance * Math.Abs(expected), name);
}
