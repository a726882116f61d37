using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lintel.Features.Beams.Batches;
using Lintel.Is456;

namespace Lintel.Features.Beams;

/// <summary>Short ways to read beams from text and results back from it.</summary>
internal static class BeamText
{
    private static readonly JsonSerializerOptions Strict = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Disallow,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
    };

    public static (BeamSection Section, BeamActions Actions) Read(string json)
    {
        var beam = BeamParameters.Read(Encoding.UTF8.GetBytes(json));
        Assert.False(beam.Errors.Any, beam.Errors.Any ? beam.Errors.Message : "");
        return (beam.Section, beam.Actions);
    }

    public static string[] BadFields(string json)
    {
        var beam = BeamParameters.Read(Encoding.UTF8.GetBytes(json));
        Assert.Equal(default, beam.Section);
        Assert.Equal(default, beam.Actions);
        return [.. beam.Errors.ToDictionary().Keys];
    }

    public static string Problems(string json) => BeamParameters.Read(Encoding.UTF8.GetBytes(json)).Errors.Message;

    public static (JsonObject Body, BeamOutcome Outcome, string Text) Event(string beam, int index = 0) => Event(Encoding.UTF8.GetBytes(beam), index);

    public static (JsonObject Body, BeamOutcome Outcome, string Text) Event(byte[] beam, int index = 0)
    {
        var output = new ArrayBufferWriter<byte>();
        var outcome = BeamEvents.Write(output, BeamParameters.Read(beam), index);
        var text = Encoding.UTF8.GetString(output.WrittenSpan);
        return (Parse(output), outcome, text);
    }

    public static JsonObject Data(string beam)
    {
        var output = new ArrayBufferWriter<byte>();
        BeamResults.WriteData(output, BeamParameters.Read(Encoding.UTF8.GetBytes(beam)));
        return Parse(output);
    }

    public static JsonObject CheckData(string check)
    {
        var output = new ArrayBufferWriter<byte>();
        CheckResults.WriteData(output, CheckParameters.Read(Encoding.UTF8.GetBytes(check)));
        return Parse(output);
    }

    public static JsonObject Parse(ArrayBufferWriter<byte> output) => JsonNode.Parse(output.WrittenSpan)!.AsObject();

    /// <summary>Reads a result as its contract, refusing a field too many and a field too few.</summary>
    public static T As<T>(this JsonObject json) => json.Deserialize<T>(Strict)!;
}
