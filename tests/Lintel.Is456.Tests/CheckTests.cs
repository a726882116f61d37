namespace Lintel.Is456;

public sealed class CheckTests
{
    private static readonly BeamSection Section = new()
    {
        Width = 300, Depth = 500, EffectiveDepth = 450, ConcreteStrength = 25, SteelStrength = 500,
    };

    [Fact]
    public void Equal_larger_utilizations_are_decided_by_the_smaller()
    {
        // Both doubly reinforced, so both at 1; the second has more shear.
        var summary = Check(new(250, 100), new(230, 150), new(260, 20));

        Assert.Equal(1, summary.GoverningCase);
        Assert.Equal(WorstCheck.Flexure, summary.GoverningWorstCheck);
        Assert.Equal(1, summary.GoverningWorstUtilization);
    }

    [Fact]
    public void Full_tie_goes_to_the_earlier_case()
    {
        var summary = Check(new(10, 10), new(100, 80), new(-100, -80));

        Assert.Equal(1, summary.GoverningCase);
    }

    [Fact]
    public void One_case_that_fails_fails_the_check_even_if_another_governs()
    {
        var rich = new BeamSection { Width = 300, Depth = 500, EffectiveDepth = 490, ConcreteStrength = 80, SteelStrength = 250 };
        BeamActions[] cases = [new(840, 10), new(100, 587)];

        Assert.True(Beam.TryCheck(rich, cases, default, new BeamDesign[2], out var summary, out _));

        Assert.False(summary.IsOk);
        Assert.Equal(1, summary.FailedCases);
        Assert.Equal(1, summary.GoverningCase);
        Assert.Equal(WorstCheck.Shear, summary.GoverningWorstCheck);
        Assert.InRange(summary.GoverningUtilization, 0.99, 1);
    }

    [Fact]
    public void Maxima_are_taken_over_all_cases()
    {
        var summary = Check(new(180, 10), new(20, 300), new(50, 50));

        Assert.Equal(3, summary.Cases);
        RandomBeams.Close(180 / 202.914, summary.MaxFlexureUtilization, 1e-4);
        RandomBeams.Close(300e3 / (300 * 450) / 3.1, summary.MaxShearUtilization);
    }

    [Fact]
    public void Each_case_may_bring_its_own_provided_steel()
    {
        var designs = new BeamDesign[2];
        BeamActions[] cases = [new(100, 150) { ProvidedTensionSteel = 2000 }, new(100, 150)];

        Assert.True(Beam.TryCheck(Section, cases, default, designs, out _, out _));

        Assert.True(designs[0].Shear.Strength > designs[1].Shear.Strength);
    }

    [Theory]
    [InlineData(null, 0, "CASE_1")]
    [InlineData("", 4, "CASE_5")]
    [InlineData("1.5(DL+LL)", 4, "1.5(DL+LL)")]
    public void Case_without_a_name_is_named_by_its_position(string? id, int index, string name) => Assert.Equal(name, Beam.CaseName(id, index));

    private static CheckSummary Check(params BeamActions[] cases)
    {
        Assert.True(Beam.TryCheck(Section, cases, default, new BeamDesign[cases.Length], out var summary, out _));
        return summary;
    }
}
