using System.Text.Json.Nodes;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Lintel.Platform.OpenApi;

/// <summary>
/// Describes events and socket messages, for which OpenAPI 3.1 has no words of its own, as schemas: one for each type, and one for each direction of a connection
/// that is any of them. The facts are the contracts themselves. <c>docs/api/README.md</c> tells readers how to take them.
/// </summary>
internal static class MessageSchemas
{
    /// <summary>The schema of an event stream's events: <c>id</c>, <c>event</c> and the parsed <c>data</c> of each.</summary>
    public static Task<OpenApiSchemaReference> EventsAsync(MessageUnion union, OpenApiOperationTransformerContext context, CancellationToken cancellationToken) =>
        UnionAsync(union, "Event", Event, context, cancellationToken);

    /// <summary>The schema of one direction of a socket: the facts of each message, with its <c>type</c> among them.</summary>
    public static Task<OpenApiSchemaReference> MessagesAsync(MessageUnion union, OpenApiOperationTransformerContext context, CancellationToken cancellationToken) =>
        UnionAsync(union, "Message", Message, context, cancellationToken);

    private static async Task<OpenApiSchemaReference> UnionAsync(
        MessageUnion union,
        string suffix,
        Func<MessageType, OpenApiSchemaReference?, OpenApiSchema> describe,
        OpenApiOperationTransformerContext context,
        CancellationToken cancellationToken)
    {
        var document = context.Document!;
        if (document.Components?.Schemas?.ContainsKey(union.Name) == true)
        {
            return new(union.Name, document);
        }

        var any = new List<IOpenApiSchema>();
        foreach (var type in union.Types.Distinct())
        {
            var name = NameOf(type) + suffix;
            if (document.Components?.Schemas?.ContainsKey(name) != true)
            {
                var facts = type.Facts is null ? null : await SchemaComponents.ReferenceAsync(type.Facts, context, cancellationToken);
                document.AddComponent(name, describe(type, facts));
            }

            any.Add(new OpenApiSchemaReference(name, document));
        }

        // "Any of" and not "one of": two events of one name may differ in their facts alone.
        document.AddComponent(union.Name, new OpenApiSchema { Description = union.Description, AnyOf = any });
        return new(union.Name, document);
    }

    private static string NameOf(MessageType type)
    {
        if (type.Facts is { Name: var name })
        {
            return name.EndsWith("View", StringComparison.Ordinal) ? name[..^"View".Length] : name;
        }

        return char.ToUpperInvariant(type.Name[0]) + type.Name[1..];
    }

    private static OpenApiSchema Event(MessageType type, OpenApiSchemaReference? facts)
    {
        var schema = Head("event", type);
        schema.Description = facts?.Description;
        schema.Required!.Add("data");
        schema.Properties!["data"] = facts ?? (IOpenApiSchema)new OpenApiSchema { Type = JsonSchemaType.Object };
        return schema;
    }

    private static OpenApiSchema Message(MessageType type, OpenApiSchemaReference? facts)
    {
        var head = Head("type", type);
        return facts is null ? head : new OpenApiSchema { Description = facts.Description, AllOf = [head, facts], Examples = Examples(type, facts) };
    }

    /// <summary>The example of the facts as a message, which viewers would otherwise show without its head.</summary>
    private static List<JsonNode>? Examples(MessageType type, OpenApiSchemaReference facts)
    {
        if (facts.Examples?.FirstOrDefault() is not JsonObject known)
        {
            return null;
        }

        var message = new JsonObject { ["type"] = type.Name };
        if (type.IsLogged)
        {
            message["id"] = "019b3c4e-7a10-7c1e-9d3f-2f6a5b8c9d01.1769860800.1";
        }

        foreach (var (name, value) in known)
        {
            message[name] = value?.DeepClone();
        }

        return [message];
    }

    private static OpenApiSchema Head(string discriminator, MessageType type)
    {
        var schema = new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Required = new HashSet<string>(StringComparer.Ordinal) { discriminator },
            Properties = new Dictionary<string, IOpenApiSchema>(StringComparer.Ordinal) { [discriminator] = new OpenApiSchema { Type = JsonSchemaType.String, Const = type.Name } },
        };
        if (type.IsLogged)
        {
            schema.Required.Add("id");
            schema.Properties["id"] = new OpenApiSchema { Type = JsonSchemaType.String, Description = "The event's place in the stream, to resume from; opaque." };
        }

        return schema;
    }
}
