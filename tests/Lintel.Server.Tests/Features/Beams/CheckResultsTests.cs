namespace Lintel.Features.Beams;

public sealed class CheckResultsTests
{
    [Fact]
    public void Result_has_every_field_of_its_contract_and_no_other()
    {
        var data = BeamText.CheckData("""
            {"effective_depth":450,"cases":[{"case_id":"DL+LL","mu_knm":80,"vu_kn":60},{"case_id":"1.5(DL+LL)","mu_knm":120,"vu_kn":200},{"mu_knm":-20,"vu_kn":5}]}
            """).As<CheckedBeam>();

        Assert.True(data.IsOk);
        Assert.Equal("1.5(DL+LL)", data.GoverningCaseId);
        Assert.Equal(0.59138, data.GoverningUtilization, 1e-4);
        Assert.Equal(3, data.NumCases);
        Assert.Equal(450, data.EffectiveDepthUsed);
        Assert.Equal(
            new CheckedSummary(true, "1.5(DL+LL)", data.GoverningUtilization, 3, 0, "flexure", data.GoverningUtilization, data.GoverningUtilization,
                data.Summary.MaxUtilShear, null, null),
            data.Summary);
        Assert.Equal(200e3 / (300 * 450) / 3.1, data.Summary.MaxUtilShear, 1e-6);
        Assert.Equal(["DL+LL", "1.5(DL+LL)", "CASE_3"], data.Cases.Select(one => one.CaseId));
        Assert.Equal(100, data.Cases[1].StirrupSpacing);
        Assert.Equal(-20, data.Cases[2].MuKnm);
    }

    [Fact]
    public void Case_that_fails_is_told()
    {
        var data = BeamText.CheckData("""{"cases":[{"mu_knm":10,"vu_kn":10},{"mu_knm":10,"vu_kn":900}]}""").As<CheckedBeam>();

        Assert.False(data.IsOk);
        Assert.Equal("CASE_2", data.GoverningCaseId);
        Assert.Equal(1, data.Summary.NumFailedCases);
        Assert.Equal("shear", data.Summary.GoverningWorstCheck);
        Assert.True(data.Cases[0].IsOk);
        Assert.StartsWith("shear (", Assert.Single(data.Cases[1].FailedChecks), StringComparison.Ordinal);
    }

    [Fact]
    public void Provided_steel_of_a_case_carries_its_shear()
    {
        var data = BeamText.CheckData("""{"cases":[{"mu_knm":50,"vu_kn":90},{"mu_knm":50,"vu_kn":90,"ast_mm2_for_shear":2000}]}""").As<CheckedBeam>();

        Assert.True(data.Cases[1].TauC > data.Cases[0].TauC);
    }

    [Fact]
    public void Check_with_errors_is_not_made() => Assert.Throws<InvalidOperationException>(() => BeamText.CheckData("{}"));
}
