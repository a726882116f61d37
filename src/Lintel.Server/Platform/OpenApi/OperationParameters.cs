using Lintel.Platform.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Lintel.Platform.OpenApi;

/// <summary>Describes the parameters of handlers that take the whole request and read it themselves.</summary>
internal static class OperationParameters
{
    public static void AddMissing(OpenApiOperation operation, OpenApiOperationTransformerContext context, StreamMetadata? stream)
    {
        foreach (var name in PathNames(context.Description.RelativePath ?? ""))
        {
            Add(operation, name, ParameterLocation.Path, isRequired: true, description: null);
        }

        foreach (var query in context.Description.ActionDescriptor.EndpointMetadata.OfType<QueryMetadata>())
        {
            Add(operation, query.Name, ParameterLocation.Query, query.IsRequired, query.Description);
        }

        if (stream is { Kind: StreamKind.ServerSentEvents })
        {
            Add(operation, "Last-Event-ID", ParameterLocation.Header, isRequired: false, "The `id` of the last event received: the stream goes on after it.");
        }
    }

    private static void Add(OpenApiOperation operation, string name, ParameterLocation place, bool isRequired, string? description)
    {
        var parameters = operation.Parameters ??= [];
        if (parameters.Any(parameter => parameter.Name == name && parameter.In == place))
        {
            return;
        }

        parameters.Add(new OpenApiParameter
        {
            Name = name,
            In = place,
            Required = isRequired,
            Description = description,
            Schema = new OpenApiSchema { Type = JsonSchemaType.String },
        });
    }

    private static IEnumerable<string> PathNames(string path) =>
        path.Split('/').Where(static segment => segment is ['{', .., '}']).Select(static segment => segment[1..^1].Split(':', '?', '=')[0].TrimStart('*'));
}
