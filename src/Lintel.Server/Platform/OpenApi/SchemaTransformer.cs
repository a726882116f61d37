using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lintel.Platform.Security;
using Microsoft.AspNetCore.Mvc.Infrastructure;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Lintel.Platform.OpenApi;

/// <summary>Adds to schemas what the framework cannot tell from a contract: the type behind a converter, and the values that a text can have.</summary>
internal sealed class SchemaTransformer : IOpenApiSchemaTransformer
{
    public Task TransformAsync(OpenApiSchema schema, OpenApiSchemaTransformerContext context, CancellationToken cancellationToken)
    {
        var type = context.JsonTypeInfo.Type;
        if (type == typeof(DateTimeOffset) || type == typeof(DateTimeOffset?))
        {
            schema.Type = type == typeof(DateTimeOffset) ? JsonSchemaType.String : JsonSchemaType.String | JsonSchemaType.Null;
            schema.Examples = [JsonValue.Create("2026-01-31T12:00:00.123456Z")];
        }

        if (type == typeof(BinaryContent))
        {
            schema.Type = JsonSchemaType.String;
            schema.Format = "binary";
            schema.Properties?.Clear();
        }

        var attributes = context.JsonPropertyInfo?.AttributeProvider?.GetCustomAttributes(inherit: true)
            ?? (context.ParameterDescription?.ParameterDescriptor as IParameterInfoParameterDescriptor)?.ParameterInfo.GetCustomAttributes(inherit: true)
            ?? [];
        if (attributes.OfType<AllowedValuesAttribute>().FirstOrDefault() is { } allowed)
        {
            schema.Enum = [.. allowed.Values.OfType<string>().Select(static value => JsonValue.Create(value))];
            if (schema.Type is { } nullable && nullable.HasFlag(JsonSchemaType.Null))
            {
                schema.Enum.Add(JsonNullSentinel.JsonNull);
            }
        }

        if (attributes.OfType<TextOrNumberAttribute>().Any() && type == typeof(JsonElement?))
        {
            schema.Type = JsonSchemaType.String | JsonSchemaType.Number | JsonSchemaType.Null;
        }

        if (attributes.OfType<ScopeNamesAttribute>().Any() && schema.Items is OpenApiSchema items)
        {
            items.Enum = [.. Scopes.All.ToNames().Select(static name => JsonValue.Create(name))];
        }

        return Task.CompletedTask;
    }
}

/// <summary>Bytes, of whatever meaning.</summary>
public sealed class BinaryContent;

/// <summary>Describes an identifier that clients may send as a text or as a number.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class TextOrNumberAttribute : Attribute;

/// <summary>Describes a list of scopes.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class ScopeNamesAttribute : Attribute;
