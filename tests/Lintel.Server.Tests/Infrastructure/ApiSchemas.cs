using System.Globalization;
using System.Text.Json;

namespace Lintel.Infrastructure;

/// <summary>
/// The schemas of an OpenAPI document, to hold real JSON against them. Stricter than JSON Schema in one thing: a member that no schema names is a fault too, or
/// what the server sends could drift away from what it describes.
/// </summary>
internal sealed class ApiSchemas(JsonElement document)
{
    public static async Task<ApiSchemas> OfAsync(HttpClient client) =>
        new(JsonDocument.Parse(await client.GetStringAsync("/openapi.json", TestContext.Current.CancellationToken)).RootElement);

    /// <summary>What is wrong with <paramref name="value"/> as a component; empty when nothing is.</summary>
    public IReadOnlyList<string> FaultsOf(JsonElement value, string component) =>
        Check(value, document.GetProperty("components").GetProperty("schemas").GetProperty(component), "$", closed: true);

    /// <summary>What is wrong with the body of a response of an operation.</summary>
    public IReadOnlyList<string> FaultsOf(JsonElement body, string path, string method, int status)
    {
        var responses = document.GetProperty("paths").GetProperty(path).GetProperty(method).GetProperty("responses");
        if (!responses.TryGetProperty(status.ToString(CultureInfo.InvariantCulture), out var response))
        {
            return [$"{method} {path} does not describe {status}"];
        }

        return Check(body, Resolve(response).GetProperty("content").GetProperty("application/json").GetProperty("schema"), "$", closed: true);
    }

    private JsonElement Resolve(JsonElement schema)
    {
        while (schema.TryGetProperty("$ref", out var reference))
        {
            schema = reference.GetString()!.Split('/')[1..].Aggregate(document, static (place, step) => place.GetProperty(step));
        }

        return schema;
    }

    private List<string> Check(JsonElement value, JsonElement unresolved, string at, bool closed)
    {
        var schema = Resolve(unresolved);
        List<string> faults = [];
        if (schema.TryGetProperty("anyOf", out var any) || schema.TryGetProperty("oneOf", out any))
        {
            var tries = any.EnumerateArray().Select(option => Check(value, option, at, closed)).ToList();
            return tries.Exists(static found => found.Count == 0) ? [] : tries.MinBy(static found => found.Count)!;
        }

        if (schema.TryGetProperty("allOf", out var all))
        {
            foreach (var part in all.EnumerateArray())
            {
                faults.AddRange(Check(value, part, at, closed: false));
            }
        }

        CheckValue(value, schema, at, faults);
        if (value.ValueKind == JsonValueKind.Object)
        {
            CheckMembers(value, schema, at, closed, faults);
        }
        else if (value.ValueKind == JsonValueKind.Array && schema.TryGetProperty("items", out var items))
        {
            faults.AddRange(value.EnumerateArray().SelectMany((item, i) => Check(item, items, $"{at}[{i}]", closed: true)));
        }

        return faults;
    }

    private static void CheckValue(JsonElement value, JsonElement schema, string at, List<string> faults)
    {
        if (schema.TryGetProperty("type", out var type))
        {
            string[] types = type.ValueKind == JsonValueKind.Array ? [.. type.EnumerateArray().Select(static each => each.GetString()!)] : [type.GetString()!];
            if (!Array.Exists(types, each => Is(value, each)))
            {
                faults.Add($"{at} is {value.ValueKind}, not {string.Join(" or ", types)}");
            }
        }

        if (schema.TryGetProperty("const", out var constant) && !JsonElement.DeepEquals(value, constant))
        {
            faults.Add($"{at} is {value.GetRawText()}, not {constant.GetRawText()}");
        }

        if (schema.TryGetProperty("enum", out var values) && !values.EnumerateArray().Any(each => JsonElement.DeepEquals(value, each)))
        {
            faults.Add($"{at} is {value.GetRawText()}, none of {values.GetRawText()}");
        }

        if (value.ValueKind == JsonValueKind.String && schema.TryGetProperty("format", out var format) && !HasFormat(value.GetString()!, format.GetString()!))
        {
            faults.Add($"{at} is {value.GetRawText()}, which is no {format.GetString()}");
        }
    }

    private void CheckMembers(JsonElement value, JsonElement schema, string at, bool closed, List<string> faults)
    {
        if (schema.TryGetProperty("required", out var required))
        {
            faults.AddRange(required.EnumerateArray().Where(name => !value.TryGetProperty(name.GetString()!, out _)).Select(name => $"{at} has no {name.GetString()}"));
        }

        var known = PropertiesOf(schema).ToLookup(static property => property.Name, static property => property.Value);
        var own = schema.TryGetProperty("properties", out var properties) ? properties : default;
        var others = schema.TryGetProperty("additionalProperties", out var additional) ? additional : default;
        foreach (var member in value.EnumerateObject())
        {
            var place = $"{at}.{member.Name}";
            if (own.ValueKind == JsonValueKind.Object && own.TryGetProperty(member.Name, out var described))
            {
                faults.AddRange(Check(member.Value, described, place, closed: true));
            }
            else if (others.ValueKind == JsonValueKind.Object)
            {
                faults.AddRange(Check(member.Value, others, place, closed: true));
            }
            else if (closed && known.Count != 0 && !known.Contains(member.Name))
            {
                faults.Add($"{place} is in no schema");
            }
        }
    }

    /// <summary>The members that a schema names, itself or by its parts.</summary>
    private IEnumerable<JsonProperty> PropertiesOf(JsonElement unresolved)
    {
        var schema = Resolve(unresolved);
        var own = schema.TryGetProperty("properties", out var properties) ? properties.EnumerateObject().ToArray() : [];
        return schema.TryGetProperty("allOf", out var all) ? own.Concat(all.EnumerateArray().SelectMany(PropertiesOf)) : own;
    }

    private static bool Is(JsonElement value, string type) => type switch
    {
        "null" => value.ValueKind == JsonValueKind.Null,
        "string" => value.ValueKind == JsonValueKind.String,
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "number" => value.ValueKind == JsonValueKind.Number,
        "integer" => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _),
        "array" => value.ValueKind == JsonValueKind.Array,
        "object" => value.ValueKind == JsonValueKind.Object,
        _ => false,
    };

    private static bool HasFormat(string text, string format) => format switch
    {
        // Exactly as docs/api writes instants, which is less than the format allows.
        "date-time" => DateTimeOffset.TryParseExact(text, "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out _),
        "uuid" => Guid.TryParseExact(text, "D", out _),
        _ => true,
    };
}
