using System.Text.Json;

namespace Lintel.Infrastructure;

/// <summary>A check that lets everything through would prove nothing.</summary>
public sealed class ApiSchemasTests
{
    private static readonly ApiSchemas Schemas = new(JsonDocument.Parse(
        """
        {"components":{"schemas":{
          "Point":{"type":"object","required":["x","at"],"properties":{
            "x":{"type":"integer"},"at":{"type":"string","format":"date-time"},"note":{"type":["null","string"]},"kind":{"enum":["a","b"]},
            "tags":{"type":"array","items":{"type":"string"}},"bad":{"type":"object","additionalProperties":{"type":"number"}}}},
          "Named":{"allOf":[{"type":"object","required":["type"],"properties":{"type":{"const":"point"}}},{"$ref":"#/components/schemas/Point"}]},
          "Either":{"anyOf":[{"$ref":"#/components/schemas/Named"},{"type":"object","required":["y"],"properties":{"y":{"type":"boolean"}}}]}}}}
        """).RootElement);

    [Theory]
    [InlineData("Point", """{"x":1,"at":"2026-01-31T12:00:00.120000Z","note":null,"kind":"a","tags":["t"],"bad":{"k":1.5}}""")]
    [InlineData("Named", """{"type":"point","x":1,"at":"2026-01-31T12:00:00.120000Z"}""")]
    [InlineData("Either", """{"y":true}""")]
    public void What_a_schema_says_passes(string component, string json) => Assert.Empty(Faults(component, json));

    [Theory]
    [InlineData("Point", """{"at":"2026-01-31T12:00:00.120000Z"}""", "$ has no x")]
    [InlineData("Point", """{"x":1.5,"at":"2026-01-31T12:00:00.120000Z"}""", "$.x is Number, not integer")]
    [InlineData("Point", """{"x":1,"at":"2026-01-31T12:00:00.12Z"}""", "$.at is \"2026-01-31T12:00:00.12Z\", which is no date-time")]
    [InlineData("Point", """{"x":1,"at":"2026-01-31T12:00:00.120000Z","z":0}""", "$.z is in no schema")]
    [InlineData("Point", """{"x":1,"at":"2026-01-31T12:00:00.120000Z","note":3}""", "$.note is Number, not null or string")]
    [InlineData("Point", """{"x":1,"at":"2026-01-31T12:00:00.120000Z","kind":"c"}""", "$.kind is \"c\", none of [\"a\",\"b\"]")]
    [InlineData("Point", """{"x":1,"at":"2026-01-31T12:00:00.120000Z","tags":[1]}""", "$.tags[0] is Number, not string")]
    [InlineData("Point", """{"x":1,"at":"2026-01-31T12:00:00.120000Z","bad":{"k":"v"}}""", "$.bad.k is String, not number")]
    [InlineData("Named", """{"type":"line","x":1,"at":"2026-01-31T12:00:00.120000Z"}""", "$.type is \"line\", not \"point\"")]
    [InlineData("Named", """{"type":"point","x":1,"at":"2026-01-31T12:00:00.120000Z","z":0}""", "$.z is in no schema")]
    [InlineData("Either", """{"y":1}""", "$.y is Number, not boolean")]
    public void What_a_schema_forbids_is_named(string component, string json, string fault) => Assert.Equal([fault], Faults(component, json));

    private static IReadOnlyList<string> Faults(string component, string json) => Schemas.FaultsOf(JsonDocument.Parse(json).RootElement, component);
}
