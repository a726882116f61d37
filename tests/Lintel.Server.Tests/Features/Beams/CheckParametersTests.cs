using System.Text;
using Lintel.Is456;

namespace Lintel.Features.Beams;

public sealed class CheckParametersTests
{
    [Fact]
    public void Section_and_cases_are_read()
    {
        var check = Read("""
            {"width":350,"depth":600,"cover":30,"main_bar_dia_mm":20,"fck":30,"fy":415,"moment":"ignored",
             "cases":[{"case_id":"DL+LL","mu_knm":120,"vu_kn":80,"note":[]},{"mu_knm":-200.5,"vu_kn":-3,"ast_mm2_for_shear":900,"case_id":null}]}
            """);

        Assert.Equal("", check.Errors.Message);
        Assert.Equal(600 - 30 - 8 - 10, check.Section.EffectiveDepth);
        Assert.Equal(2, check.Cases.Count);
        Assert.Equal(new BeamActions(120, 80), check.Cases.Actions[0]);
        Assert.Equal(new BeamActions(-200.5, -3) { ProvidedTensionSteel = 900 }, check.Cases.Actions[1]);
        Assert.Equal("\"DL+LL\"", Encoding.UTF8.GetString(check.CaseId(0)));
        Assert.True(check.CaseId(1).IsEmpty);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"cases":[]}""")]
    [InlineData("""{"cases":null}""")]
    [InlineData("""{"cases":[{"mu_knm":1,"vu_kn":1}],"cases":[]}""")]
    public void Check_without_cases_is_refused(string json) => Assert.Equal("No load cases provided", Read(json).Errors.Message);

    [Theory]
    [InlineData("""{"cases":7}""", "cases must be an array")]
    [InlineData("""{"cases":{"a":[]}}""", "cases must be an array")]
    [InlineData("""{"cases":[[]]}""", "cases[0] must be an object")]
    [InlineData("""{"cases":[{"mu_knm":1,"vu_kn":1},{"vu_kn":2}]}""", "cases[1].mu_knm is required")]
    [InlineData("""{"cases":[{"mu_knm":1}]}""", "cases[0].vu_kn is required")]
    [InlineData("""{"cases":[{"mu_knm":"1","vu_kn":null}]}""", "cases[0].mu_knm must be a number; cases[0].vu_kn must be a number")]
    [InlineData("""{"cases":[{"mu_knm":1e999,"vu_kn":2e9}]}""", "cases[0].mu_knm must be a finite number; cases[0].vu_kn must be between -1000000000 and 1000000000")]
    [InlineData("""{"cases":[{"mu_knm":1,"vu_kn":1,"ast_mm2_for_shear":-1}]}""", "cases[0].ast_mm2_for_shear must be between 0 and 1000000000")]
    [InlineData("""{"cases":[{"mu_knm":1,"vu_kn":1,"case_id":{}}]}""", "cases[0].case_id must be a string")]
    [InlineData("""{"width":1,"cases":[{"mu_knm":"x","mu_knm":5}]}""", "width must be between 100 and 2000 mm; cases[0].vu_kn is required")]
    [InlineData("[1]", "The parameters must be a JSON object")]
    public void Everything_wrong_is_named(string json, string problem) => Assert.Equal(problem, Read(json).Errors.Message);

    [Fact]
    public void Fields_are_named_by_case_for_the_error_envelope()
    {
        var fields = Read("""{"fck":1,"cases":[{"mu_knm":1,"vu_kn":1},{}]}""").Errors.ToDictionary();

        Assert.Equal(["fck", "cases[1].mu_knm", "cases[1].vu_kn"], fields.Keys);
        Assert.Equal(["is required"], fields["cases[1].mu_knm"]);
    }

    [Fact]
    public void Number_of_cases_is_bounded()
    {
        var one = """{"mu_knm":1,"vu_kn":1}""";

        Assert.False(Read($$"""{"cases":[{{string.Join(',', Enumerable.Repeat(one, 1000))}}]}""").Errors.Any);

        var many = Read($$"""{"cases":[{{string.Join(',', Enumerable.Repeat(one, 1000))}},{"mu_knm":[]},7]}""");
        Assert.Equal("cases must not have more than 1000 entries", many.Errors.Message);
        Assert.Equal(1000, many.Cases.Count);
    }

    [Fact]
    public void Number_of_messages_is_bounded()
    {
        var check = Read($$"""{"cases":[{{string.Join(',', Enumerable.Repeat("{}", 1000))}}]}""");

        Assert.Equal(100, check.Errors.All.Length);
    }

    private static CheckParameters Read(string json) => CheckParameters.Read(Encoding.UTF8.GetBytes(json));
}
