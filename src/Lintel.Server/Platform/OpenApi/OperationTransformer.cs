using System.Globalization;
using Lintel.Platform.Errors;
using Lintel.Platform.Http;
using Lintel.Platform.RateLimits;
using Lintel.Platform.Security;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Lintel.Platform.OpenApi;

/// <summary>Adds to each operation what its endpoint's metadata says and no handler's signature can: credentials, errors, limits, streams.</summary>
internal sealed class OperationTransformer : IOpenApiOperationTransformer
{
    public async Task TransformAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        var requirement = metadata.OfType<CallerRequirement>().LastOrDefault();
        var stream = metadata.OfType<StreamMetadata>().LastOrDefault();
        var isLimited = metadata.OfType<RateLimitMetadata>().Any();
        var responses = operation.Responses ??= [];
        operation.Deprecated = metadata.OfType<ObsoleteAttribute>().Any();
        OperationParameters.AddMissing(operation, context, stream);

        if (stream is not null)
        {
            DescribeStream(responses, stream.Kind);
        }

        if (requirement is not null)
        {
            RequireCredentials(operation, context.Document!, requirement, stream);
        }

        foreach (var status in ErrorStatuses(operation, metadata, requirement, isLimited))
        {
            var key = status.ToString(CultureInfo.InvariantCulture);
            if (!responses.TryGetValue(key, out var described) || described.Content is null or { Count: 0 })
            {
                responses[key] = await ErrorComponents.ReferenceAsync(status, context, cancellationToken);
            }
        }

        if (isLimited)
        {
            DescribeLimits(responses);
        }

        operation.Responses = Sorted(responses);
    }

    private static OpenApiResponses Sorted(OpenApiResponses responses)
    {
        var sorted = new OpenApiResponses();
        foreach (var (status, response) in responses.OrderBy(static entry => entry.Key, StringComparer.Ordinal))
        {
            sorted.Add(status, response);
        }

        return sorted;
    }

    private static HashSet<int> ErrorStatuses(
        OpenApiOperation operation, IList<object> metadata, CallerRequirement? requirement, bool isLimited)
    {
        var statuses = new HashSet<int>(metadata.OfType<ErrorResponseMetadata>().SelectMany(static errors => errors.Statuses)) { 500 };
        if (requirement is not null)
        {
            statuses.UnionWith(requirement.Scopes == Scopes.None ? [401, 503] : [401, 403, 503]);
        }

        if (operation.RequestBody is not null)
        {
            statuses.UnionWith([413, 415, 422, 503]);
        }
        else if (operation.Parameters is { Count: > 0 } parameters && parameters.Any(static parameter => parameter.In == ParameterLocation.Query && parameter.Schema?.Type != JsonSchemaType.String))
        {
            statuses.Add(422);
        }

        if (isLimited)
        {
            statuses.Add(429);
        }

        return statuses;
    }

    private static void RequireCredentials(OpenApiOperation operation, OpenApiDocument document, CallerRequirement requirement, StreamMetadata? stream)
    {
        // One entry each: any of them will do.
        List<string> schemes = [DocumentTransformer.Bearer, DocumentTransformer.Password, DocumentTransformer.ApiKey];
        if (stream is not null)
        {
            schemes.Add(DocumentTransformer.Ticket);
        }

        operation.Security =
        [
            .. schemes.Select(scheme => new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(scheme, document)] = [] }),
        ];
        if (requirement.Scopes != Scopes.None)
        {
            var scopes = string.Join(", ", requirement.Scopes.ToNames().Select(static name => $"`{name}`"));
            operation.Description = string.Join("\n\n", new[] { operation.Description, $"Needs the scope {scopes}." }.Where(static part => !string.IsNullOrEmpty(part)));
        }
    }

    private static void DescribeStream(OpenApiResponses responses, StreamKind kind)
    {
        if (kind == StreamKind.WebSocket)
        {
            responses.Remove("200");
            responses["101"] = new OpenApiResponse { Description = "The connection is a WebSocket from here on." };
            return;
        }

        responses["200"] = new OpenApiResponse
        {
            Description = "Server-Sent Events until the stream ends.",
            Content = new Dictionary<string, OpenApiMediaType>(StringComparer.Ordinal)
            {
                ["text/event-stream"] = new() { Schema = new OpenApiSchema { Type = JsonSchemaType.String } },
            },
        };
    }

    private static void DescribeLimits(OpenApiResponses responses)
    {
        // The shared errors are references, which cannot have headers of their own; 429 has them anyway.
        foreach (var response in responses.Values.OfType<OpenApiResponse>())
        {
            ErrorComponents.AddLimitHeaders(response);
        }
    }
}
