using System.Text.Json;
using System.Text.Json.Serialization;

namespace Lintel.Platform.Http;

/// <summary>Instants as ISO 8601 in UTC that end in <c>Z</c>, whole microseconds at most.</summary>
internal sealed class UtcTimeConverter : JsonConverter<DateTimeOffset>
{
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.GetDateTimeOffset().ToUniversalTime();

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.UtcDateTime);
}
