using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Lintel.Platform.OpenApi;

/// <summary>Makes contracts that no handler's signature shows part of the document.</summary>
internal static class SchemaComponents
{
    // Where the framework leaves what it knows of a schema that is to be referred to.
    private const string IdKey = "x-schema-id";
    private const string DescriptionKey = "x-ref-description";
    private const string NullableKey = "x-is-nullable-property";

    /// <summary>A reference to the schema of a contract, which is added with all that it refers to when it is first needed.</summary>
    public static async Task<OpenApiSchemaReference> ReferenceAsync(Type type, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        var document = context.Document!;
        if (document.Components?.Schemas?.ContainsKey(type.Name) != true)
        {
            var schema = await context.GetOrCreateSchemaAsync(type, null, cancellationToken);
            ReferToParts(schema, document);
            document.AddComponent(type.Name, schema);
        }

        return new(type.Name, document);
    }

    // The framework hands a schema out in one piece, its parts repeated in each that has them.
    private static void ReferToParts(OpenApiSchema schema, OpenApiDocument document)
    {
        if (schema.Properties is { } properties)
        {
            foreach (var (name, part) in properties.ToArray())
            {
                properties[name] = Refer(part, document);
            }
        }

        schema.Items = schema.Items is null ? null : Refer(schema.Items, document);
        schema.AdditionalProperties = schema.AdditionalProperties is null ? null : Refer(schema.AdditionalProperties, document);
    }

    private static IOpenApiSchema Refer(IOpenApiSchema part, OpenApiDocument document)
    {
        if (part is not OpenApiSchema schema)
        {
            return part;
        }

        ReferToParts(schema, document);
        if (schema.Metadata is not { } metadata || !metadata.TryGetValue(IdKey, out var key) || key is not string { Length: > 0 } id)
        {
            return schema;
        }

        var isNullable = metadata.TryGetValue(NullableKey, out var nullable) && nullable is true;
        if (document.Components?.Schemas?.ContainsKey(id) != true)
        {
            schema.Type &= ~JsonSchemaType.Null;
            document.AddComponent(id, schema);
        }

        var description = metadata.TryGetValue(DescriptionKey, out var text) ? text as string : null;
        return isNullable
            ? new OpenApiSchema { Description = description, OneOf = [new OpenApiSchema { Type = JsonSchemaType.Null }, new OpenApiSchemaReference(id, document)] }
            : new OpenApiSchemaReference(id, document) { Description = description };
    }
}
