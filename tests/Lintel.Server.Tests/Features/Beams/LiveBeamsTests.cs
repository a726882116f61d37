using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using Lintel.Features.Beams.Live;

namespace Lintel.Features.Beams;

public sealed class LiveBeamsTests
{
    [Fact]
    public void Design_is_answered_with_its_result_and_latency()
    {
        var (answer, isResult) = Answer("""{"type":"design_beam","params":{"width":300,"depth":500,"moment":150,"shear":75,"fck":25,"fy":500}}""");

        Assert.True(isResult);
        Assert.Equal(["type", "latency_ms", "data"], answer.Select(member => member.Key));
        Assert.Equal("design_result", (string?)answer["type"]);
        Assert.Equal(0.25, (double)answer["latency_ms"]!);
        Assert.Equal(878.4044, answer["data"]!.AsObject().As<DesignedBeam>().Flexure.AstRequired, 1e-3);
    }

    [Fact]
    public void Check_is_answered_with_its_result_and_latency()
    {
        var (answer, isResult) = Answer("""{"params":{"cases":[{"mu_knm":10,"vu_kn":10},{"mu_knm":100,"vu_kn":5}]},"type":"check_beam"}""");

        Assert.True(isResult);
        Assert.Equal("check_result", (string?)answer["type"]);
        Assert.Equal(0.25, (double)answer["latency_ms"]!);
        Assert.Equal("CASE_2", answer["data"]!.AsObject().As<CheckedBeam>().GoverningCaseId);
    }

    [Fact]
    public void Ping_is_answered_with_the_time()
    {
        var (answer, isResult) = Answer("""{"type":"ping"}""");

        Assert.False(isResult);
        Assert.Equal("""{"type":"pong","timestamp":"2026-01-02T03:04:05.678000Z"}""", answer.ToJsonString());
    }

    [Theory]
    [InlineData("""{"type":"draw"}""", "Unknown message type: draw")]
    [InlineData("""{"type":"dr\"aw"}""", "Unknown message type: dr\\\"aw")]
    [InlineData("""{"type":7}""", "Unknown message type: unknown")]
    [InlineData("{}", "Unknown message type: unknown")]
    [InlineData("[]", "Unknown message type: unknown")]
    [InlineData("null", "Unknown message type: unknown")]
    [InlineData("""{"type":"check_beam"}""", "No load cases provided")]
    [InlineData("""{"type":"check_beam","params":{"cases":[]}}""", "No load cases provided")]
    [InlineData("""{"type":"check_beam","params":{"cases":[{"mu_knm":1}]}}""", "cases[0].vu_kn is required")]
    [InlineData("""{"type":"design_beam","params":{"moment":-1}}""", "moment must be between 0 and 1000000000 kN.m")]
    [InlineData("""{"type":"design_beam","params":[]}""", "A beam must be a JSON object")]
    [InlineData("""{"type":"design_beam","params":null}""", "A beam must be a JSON object")]
    public void What_cannot_be_done_is_answered_with_an_error(string message, string error)
    {
        var (answer, isResult) = Answer(message);

        Assert.False(isResult);
        Assert.Equal("error", (string?)answer["type"]);
        Assert.Equal(error, (string?)answer["message"]);
    }

    [Fact]
    public void Design_without_parameters_is_that_of_the_defaults()
    {
        var (answer, _) = Answer("""{"type":"design\u005fbeam"}""");

        Assert.Equal(452, (double)answer["data"]!["effective_depth_used"]!);
    }

    [Fact]
    public void Error_names_the_fields()
    {
        var (answer, _) = Answer("""{"type":"design_beam","params":{"fck":1,"fy":"x"}}""");

        Assert.Equal(["fck", "fy"], answer["fields"]!.AsObject().Select(field => field.Key));
    }

    [Fact]
    public void Long_type_is_not_echoed_whole()
    {
        var (answer, _) = Answer($$"""{"type":"{{new string('é', 5000)}}"}""");

        Assert.InRange(((string)answer["message"]!).Length, 40, 100);
    }

    [Theory]
    [InlineData("")]
    [InlineData("ping")]
    [InlineData("{\"type\":\"ping\"")]
    [InlineData("{\"type\":\"ping\"} x")]
    [InlineData("{\"type\":\"ping\",\"params\":{\"width\":NaN}}")]
    public void Text_that_is_not_JSON_is_no_message(string text) => Assert.False(BeamMessage.TryRead(Encoding.UTF8.GetBytes(text), out _));

    [Fact]
    public void New_credentials_are_left_to_the_socket()
    {
        Assert.True(BeamMessage.TryRead("""{"type":"auth","token":"x"}"""u8, out var message));
        Assert.Equal(BeamMessageType.Auth, message.Type);
    }

    private static (JsonObject Answer, bool IsResult) Answer(string text)
    {
        var time = new StoppedClock();
        var output = new ArrayBufferWriter<byte>();
        Assert.True(BeamMessage.TryRead(Encoding.UTF8.GetBytes(text), out var message));
        var isResult = LiveBeams.Answer(message, output, time, started: 0);
        return (BeamText.Parse(output), isResult);
    }

    /// <summary>Stands still a quarter of a millisecond after the message arrived.</summary>
    private sealed class StoppedClock : TimeProvider
    {
        public override long TimestampFrequency => 1_000_000;

        public override DateTimeOffset GetUtcNow() => new(2026, 1, 2, 3, 4, 5, 678, TimeSpan.Zero);

        public override long GetTimestamp() => 250;
    }
}
