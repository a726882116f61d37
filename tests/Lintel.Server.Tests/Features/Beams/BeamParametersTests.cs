using System.Text;
using System.Text.Json;
using Lintel.Is456;

namespace Lintel.Features.Beams;

public sealed class BeamParametersTests
{
    public static TheoryData<string> NumericFields =>
    [
        "width", "depth", "moment", "shear", "fck", "fy", "cover", "stirrup_dia_mm", "main_bar_dia_mm", "effective_depth", "asv", "dd",
        "flange_width", "flange_depth",
    ];

    [Fact]
    public void Beam_without_fields_is_the_beam_that_older_clients_rely_on()
    {
        var (section, actions) = BeamText.Read("{}");

        Assert.Equal(
            new BeamSection
            {
                Width = 300,
                Depth = 500,
                EffectiveDepth = 452,
                CompressionSteelDepth = 50,
                ConcreteStrength = 25,
                SteelStrength = 500,
                StirrupArea = 100,
            },
            section);
        Assert.Equal(new BeamActions(100, 50), actions);
    }

    [Fact]
    public void Every_field_is_read()
    {
        var (section, actions) = BeamText.Read("""
            {"width":250.5,"depth":650,"moment":1.5e2,"shear":75,"fck":30,"fy":415,"cover":25,"stirrup_dia_mm":10,"main_bar_dia_mm":25,
             "asv":157.08,"dd":60,"flange_width":1200,"flange_depth":125}
            """);

        Assert.Equal(
            new BeamSection
            {
                Width = 250.5,
                Depth = 650,
                EffectiveDepth = 650 - 25 - 10 - 12.5,
                CompressionSteelDepth = 60,
                ConcreteStrength = 30,
                SteelStrength = 415,
                StirrupArea = 157.08,
                FlangeWidth = 1200,
                FlangeDepth = 125,
            },
            section);
        Assert.Equal(new BeamActions(150, 75), actions);
    }

    [Theory]
    [InlineData("""{"cover":30}""", 462, 50)]
    [InlineData("""{"stirrup_dia_mm":10}""", 500 - 40 - 10 - 10, 60)]
    [InlineData("""{"main_bar_dia_mm":16}""", 500 - 40 - 8 - 8, 56)]
    [InlineData("""{"stirrup_dia_mm":10,"main_bar_dia_mm":25,"cover":25}""", 452.5, 47.5)]
    [InlineData("""{"effective_depth":440}""", 440, 50)]
    [InlineData("""{"effective_depth":440,"main_bar_dia_mm":16}""", 440, 56)]
    [InlineData("""{"dd":42,"main_bar_dia_mm":16}""", 444, 42)]
    [InlineData("""{"dd":42}""", 452, 42)]
    public void Depths_follow_the_bars_when_any_is_given(string beam, double effective, double compression)
    {
        var (section, _) = BeamText.Read(beam);

        Assert.Equal(effective, section.EffectiveDepth);
        Assert.Equal(compression, section.CompressionSteelDepth);
    }

    [Theory]
    [InlineData("stirrup_dia_mm", 6)]
    [InlineData("stirrup_dia_mm", 16)]
    public void Stirrup_diameter_does_not_change_the_stirrup_area(string field, double value) =>
        Assert.Equal(100, BeamText.Read($$"""{"{{field}}":{{value}}}""").Section.StirrupArea);

    [Theory]
    [InlineData("width", 100, 2000, 99.9, 2000.1)]
    [InlineData("depth", 150, 1800, 149.9, 3000.1)]
    [InlineData("moment", 0, 1e9, -0.1, 1.1e9)]
    [InlineData("shear", 0, 1e9, -0.1, 1.1e9)]
    [InlineData("fck", 15, 80, 14.9, 80.1)]
    [InlineData("fy", 250, 550, 249.9, 550.1)]
    [InlineData("cover", 20, 75, 19.9, 75.1)]
    [InlineData("stirrup_dia_mm", 6, 16, 5.9, 16.1)]
    [InlineData("main_bar_dia_mm", 8, 36, 7.9, 36.1)]
    [InlineData("effective_depth", 20, 499.9, 19.9, 500)]
    [InlineData("asv", 0.1, 5000, 0, 5000.1)]
    [InlineData("dd", 0.1, 5000, 0, 5000.1)]
    public void Range_includes_its_limits_and_nothing_beyond(string field, double least, double most, double below, double above)
    {
        Assert.Equal("", BeamText.Problems($$"""{"{{field}}":{{least}}}"""));
        Assert.Equal("", BeamText.Problems($$"""{"{{field}}":{{most}}}"""));
        Assert.Equal([field], BeamText.BadFields($$"""{"{{field}}":{{below}}}"""));
        Assert.Equal([field], BeamText.BadFields($$"""{"{{field}}":{{above}}}"""));
    }

    [Theory]
    [MemberData(nameof(NumericFields))]
    public void What_is_no_number_is_refused_in_every_field(string field)
    {
        foreach (var value in (string[])["\"300\"", "null", "true", "false", "[]", "[1]", "{}", """{"width":[{}]}""", "\"NaN\""])
        {
            var beam = $$"""{"{{field}}":{{value}},"id":"after"}""";
            Assert.Contains($"{field} must be a number", BeamText.Problems(beam));
            Assert.Contains(field, BeamText.BadFields(beam));
            Assert.Equal("\"after\"", Id(beam));
        }

        foreach (var value in (string[])["1e999", "-1e999"])
        {
            Assert.Contains($"{field} must be a finite number", BeamText.Problems($$"""{"{{field}}":{{value}}}"""));
        }
    }

    [Fact]
    public void Every_bad_field_is_named_at_once()
    {
        var fields = BeamText.BadFields("""
            {"width":"wide","depth":1,"moment":-5,"shear":null,"fck":5,"fy":1000,"cover":[1],"stirrup_dia_mm":0,"main_bar_dia_mm":{},
             "effective_depth":-1,"asv":0,"dd":false,"flange_width":-1,"flange_depth":1e999,"id":{},"beam_id":[],"member_id":true}
            """);

        Assert.Equal([.. NumericFields.Select(row => row.Data), "id", "beam_id", "member_id"], fields);
    }

    [Fact]
    public void Message_says_what_the_field_must_be()
    {
        Assert.Equal("width must be between 100 and 2000 mm; fck must be a number", BeamText.Problems("""{"width":1,"fck":"M25"}"""));
        Assert.Equal("asv must be greater than 0 and at most 5000 mm2", BeamText.Problems("""{"asv":0}"""));
    }

    [Theory]
    [InlineData("""{"width":100,"depth":600.1}""", "depth must not be more than 6 times the width")]
    [InlineData("""{"effective_depth":500}""", "effective_depth must be less than the depth")]
    [InlineData("""{"flange_width":900}""", "flange_depth is required for a flanged beam")]
    [InlineData("""{"flange_depth":100}""", "flange_width is required for a flanged beam")]
    [InlineData("""{"flange_width":299,"flange_depth":100}""", "flange_width must not be less than the width")]
    [InlineData("""{"flange_width":900,"flange_depth":500}""", "flange_depth must be less than the depth")]
    public void Fields_that_contradict_each_other_are_named(string beam, string problem) => Assert.Equal(problem, BeamText.Problems(beam));

    [Fact]
    public void Depth_may_be_six_times_the_width() => Assert.Equal("", BeamText.Problems("""{"width":100,"depth":600}"""));

    [Fact]
    public void Bad_field_hides_no_other_and_starts_no_contradiction()
    {
        Assert.Equal("width must be a number", BeamText.Problems("""{"width":"x","depth":2500}"""));
        Assert.Equal("depth must be between 150 and 3000 mm", BeamText.Problems("""{"depth":10,"effective_depth":400}"""));
    }

    [Fact]
    public void Unknown_fields_are_ignored_and_names_are_case_sensitive()
    {
        var expected = BeamText.Read("{}");

        Assert.Equal(expected, BeamText.Read("""{"Width":1,"DEPTH":"x","storey":[{"a":[1,2,{"width":5}]}],"":null,"widthh":7,"span":{}}"""));
    }

    [Fact]
    public void Escaped_names_are_the_names_they_spell()
    {
        Assert.Equal(350, BeamText.Read("""{"wid\u0074h":350}""").Section.Width);
        Assert.Equal(300, BeamText.Read("""{"wid\ud800h":350}""").Section.Width);
        Assert.Equal(300, BeamText.Read($$"""{"{{string.Concat(Enumerable.Repeat("\\u0077", 200))}}":350}""").Section.Width);
    }

    [Fact]
    public void Last_of_a_repeated_field_counts()
    {
        Assert.Equal(400, BeamText.Read("""{"width":"x","width":350,"width":400}""").Section.Width);
        Assert.Equal("width must be a number", BeamText.Problems("""{"width":350,"width":null}"""));
        Assert.Equal("\"b\"", Id("""{"id":{},"id":"b"}"""));
    }

    [Theory]
    [InlineData("""{"id":"A"}""", "\"A\"")]
    [InlineData("""{"beam_id":"B"}""", "\"B\"")]
    [InlineData("""{"member_id":"C"}""", "\"C\"")]
    [InlineData("""{"member_id":"C","beam_id":"B","id":"A"}""", "\"A\"")]
    [InlineData("""{"member_id":"C","beam_id":"","id":null}""", "\"C\"")]
    [InlineData("""{"id":17}""", "17")]
    [InlineData("""{"id":"é \"x\" \u0041"}""", """
        "é \"x\" \u0041"
        """)]
    [InlineData("""{"id":""}""", "")]
    [InlineData("{}", "")]
    public void Identifier_is_kept_as_it_was_sent(string beam, string id) => Assert.Equal(id, Id(beam));

    [Theory]
    [InlineData("true", "must be a string")]
    [InlineData("[\"a\"]", "must be a string")]
    [InlineData("{\"a\":1}", "must be a string")]
    [InlineData("\"\\ud800\"", "must be valid text")]
    public void Identifier_that_is_none_is_refused(string value, string problem) =>
        Assert.Equal($"beam_id {problem}", BeamText.Problems($$"""{"beam_id":{{value}}}"""));

    [Fact]
    public void Identifier_has_a_longest_length()
    {
        Assert.Equal("", BeamText.Problems($$"""{"id":"{{new string('x', 512)}}"}"""));
        Assert.Equal("id must not be longer than 512 bytes", BeamText.Problems($$"""{"id":"{{new string('x', 513)}}"}"""));
    }

    [Theory]
    [InlineData("null")]
    [InlineData("17")]
    [InlineData("\"beam\"")]
    [InlineData("[1,[2]]")]
    public void What_is_no_object_is_no_beam(string beam)
    {
        Assert.Equal("A beam must be a JSON object", BeamText.Problems(beam));
        Assert.Equal(["beam"], BeamText.BadFields(beam));
    }

    [Fact]
    public void Beam_of_more_than_16_KB_is_refused()
    {
        var note = new string('x', BeamParameters.MaxBytes - 11);

        Assert.Equal("", BeamText.Problems($$"""{"note":"{{note}}"}"""));
        Assert.Equal("A beam must not be larger than 16 KB", BeamText.Problems($$"""{"note":"{{note}}x"}"""));
    }

    [Fact]
    public void Text_that_is_no_UTF8_is_refused_and_not_echoed()
    {
        byte[] beam = [.. "{\"id\":\"a"u8, 0xff, .. "\"}"u8];

        var read = BeamParameters.Read(beam);

        Assert.Contains("A beam must be valid UTF-8", read.Errors.Message);
        Assert.True(read.Id.IsEmpty);
        Assert.True(read.Json.IsEmpty);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("{} {}")]
    [InlineData("{\"width\":}")]
    [InlineData("{\"width\":NaN}")]
    [InlineData("{\"width\":Infinity}")]
    [InlineData("{'width':1}")]
    [InlineData("{\"width\":300,}")]
    public void Text_that_is_not_JSON_is_the_callers_to_catch(string text) =>
        Assert.ThrowsAny<JsonException>(() => BeamParameters.Read(Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void Reader_is_left_at_the_end_of_the_beam()
    {
        var json = """[{"width":400,"x":[{}]},7,{"width":"bad"},{"width":500}]"""u8;
        var reader = new Utf8JsonReader(json);
        reader.Read();

        List<string> seen = [];

        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            var beam = BeamParameters.Read(ref reader, json);
            seen.Add($"{Encoding.UTF8.GetString(beam.Json)} {beam.Section.Width} {beam.Errors.Any}");
        }

        Assert.Equal(
            ["""{"width":400,"x":[{}]} 400 False""", "7 0 True", """{"width":"bad"} 0 True""", """{"width":500} 500 False"""],
            seen);
    }

    [Fact]
    public void Beam_with_errors_is_not_designed() =>
        Assert.Throws<InvalidOperationException>(() => BeamParameters.Read("""{"width":0}"""u8).Design());

    private static string Id(string beam) => Encoding.UTF8.GetString(BeamParameters.Read(Encoding.UTF8.GetBytes(beam)).Id);
}
