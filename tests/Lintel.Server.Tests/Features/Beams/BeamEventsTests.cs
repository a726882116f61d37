using System.Text.Json.Nodes;
using Lintel.Features.Beams.Batches;

namespace Lintel.Features.Beams;

public sealed class BeamEventsTests
{
    [Fact]
    public void Designed_beam_is_a_result_with_the_names_of_both_generations()
    {
        var (body, outcome, _) = BeamText.Event("""{"id":"S03-B042","moment":150,"shear":75}""", 41);

        Assert.Equal(BeamOutcome.Pass, outcome);
        Assert.Equal("S03-B042", (string?)body["beam_id"]);
        Assert.Equal(41, (int)body["index"]!);
        Assert.Equal("PASS", (string?)body["status"]);
        Assert.True((bool)body["is_safe"]!);
        Assert.Equal(878.4044, (double)body["flexure"]!["ast_required"]!, 1e-3);
        Assert.Equal(["ast_required", "asc_required", "mu_lim", "xu", "xu_max", "is_safe"], Names(body["flexure"]));
        Assert.Equal(
            ["tv", "tau_v", "tc", "tau_c", "tc_max", "tau_c_max", "vus", "spacing", "stirrup_spacing", "is_safe"],
            Names(body["shear"]));
        Assert.Equal(0.7327012, (double)body["utilization_ratio"]!, 1e-6);
        Assert.Empty(body["failed_checks"]!.AsArray());
        Assert.False(body.ContainsKey("warnings"));
    }

    [Theory]
    [InlineData("""{"moment":9000}""", "flexure (")]
    [InlineData("""{"shear":900}""", "shear (")]
    public void Beam_that_is_not_safe_in_either_check_fails(string beam, string check)
    {
        var (body, outcome, _) = BeamText.Event(beam);

        Assert.Equal(BeamOutcome.Fail, outcome);
        Assert.Equal("FAIL", (string?)body["status"]);
        Assert.False((bool)body["is_safe"]!);
        Assert.All(body["failed_checks"]!.AsArray(), text => Assert.StartsWith(check, (string)text!, StringComparison.Ordinal));
    }

    [Fact]
    public void Bad_beam_is_an_error_that_names_its_fields()
    {
        var (body, outcome, _) = BeamText.Event("""{"beam_id":"B7","width":-1,"fck":"M25"}""", 6);

        Assert.Equal(BeamOutcome.Refused, outcome);
        Assert.Equal("B7", (string?)body["beam_id"]);
        Assert.Equal(6, (int)body["index"]!);
        Assert.Equal("width must be between 100 and 2000 mm; fck must be a number", (string?)body["message"]);
        Assert.Equal(["width", "fck"], Names(body["fields"]));
        Assert.Equal("must be a number", (string?)body["fields"]!["fck"]![0]);
        Assert.False(body.ContainsKey("input"));
    }

    [Theory]
    [InlineData("{}", 0, "beam_1")]
    [InlineData("""{"id":""}""", 9, "beam_10")]
    [InlineData("""{"id":12.50}""", 0, "12.50")]
    [InlineData("[]", 3, "beam_4")]
    [InlineData("""{"id":"a\"b\\c\u00e9"}""", 0, "a\"b\\cé")]
    public void Beam_is_named_by_its_identifier_or_its_position(string beam, int index, string id) =>
        Assert.Equal(id, (string?)BeamText.Event(beam, index).Body["beam_id"]);

    [Fact]
    public void Input_is_echoed_byte_for_byte_when_it_is_one_line()
    {
        const string Beam = """{ "id" : "B1", "width":300.0,  "note":"ä \\n", "x":[1, 2] }""";

        Assert.Contains($"\"input\":{Beam},", BeamText.Event(Beam).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    [InlineData("\r")]
    public void Event_is_one_line_whatever_the_input(string newLine)
    {
        var beam = """
            {
              "id" : "B 1",
              "note":"two  spaces, a \" quote, a \\ and \\\" both",
              "list":[ 1 , { "a" : "\n" } ]
            }
            """.ReplaceLineEndings(newLine);

        var (body, _, text) = BeamText.Event(beam);

        Assert.DoesNotContain('\n', text);
        Assert.DoesNotContain('\r', text);
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(beam), body["input"]));
        Assert.Contains("""{"id":"B 1","note":"two  spaces, a \" quote, a \\ and \\\" both","list":[1,{"a":"\n"}]}""", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Whatever_JSON_a_beam_is_its_event_is_JSON_on_one_line()
    {
        var random = new Random(42);
        string[] names = ["width", "depth", "moment", "shear", "fck", "fy", "cover", "id", "beam_id", "dd", "asv", "flange_width", "flange_depth", "zz\\u0041", "effective_depth"];
        string[] values =
        [
            "300", "500", "1e3", "-1", "0", "1e999", "null", "true", "\"x\"", "\"\\ud800\"", "[]", "{\"a\":[1,\n2]}", "25", "\"\"", "415.5", "1E-400", "600",
        ];

        for (var i = 0; i < 20_000; i++)
        {
            var fields = Enumerable.Range(0, random.Next(9))
                .Select(_ => $"\"{names[random.Next(names.Length)]}\":{(random.Next(4) == 0 ? "\n" : "")}{values[random.Next(values.Length)]}");

            var (body, outcome, text) = BeamText.Event($"{{{string.Join(',', fields)}}}", i);

            Assert.DoesNotContain('\n', text);
            Assert.Equal(outcome == BeamOutcome.Refused, body.ContainsKey("message"));
            Assert.Equal(i, (int)body["index"]!);
        }
    }

    [Fact]
    public void Bytes_that_are_no_text_do_not_reach_the_event()
    {
        var (body, outcome, _) = BeamText.Event([.. "{\"id\":\""u8, 0xc3, 0x28, .. "\"}"u8], 4);

        Assert.Equal(BeamOutcome.Refused, outcome);
        Assert.Equal("beam_5", (string?)body["beam_id"]);
    }

    private static IEnumerable<string> Names(JsonNode? node) => node!.AsObject().Select(member => member.Key);
}
