using System.Globalization;
using Lintel.Platform.Errors;
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
        var document = context.Document!;
        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        var requirement = metadata.OfType<CallerRequirement>().LastOrDefault();
        var isLimited = metadata.OfType<RateLimitMetadata>().Any();
        var responses = operation.Responses ??= [];
        operation.Deprecated = metadata.OfType<ObsoleteAttribute>().Any();
        HeaderComponents.Define(document);
        OperationParameters.AddMissing(operation, context, requirement);
        await StreamDescription.AddAsync(operation, responses, context, cancellationToken);
        await DescribeFormAsync(operation, context, cancellationToken);

        // None is said too, or a reader would not know whether it was forgotten.
        operation.Security = [];
        if (requirement is not null)
        {
            RequireCredentials(operation, document, requirement);
        }

        foreach (var status in ErrorStatuses(operation, metadata, requirement, isLimited))
        {
            var key = status.ToString(CultureInfo.InvariantCulture);
            if (!responses.TryGetValue(key, out var described) || described.Content is null or { Count: 0 })
            {
                responses[key] = await ErrorComponents.ReferenceAsync(status, context, cancellationToken);
            }
        }

        DescribeResponses(responses, metadata, isLimited, document);
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
            // A socket may be refused for the page that opens it, too. Too many wrong keys from one address are refused wherever one would be taken.
            statuses.UnionWith(requirement is { Scopes: Scopes.None, IsSocket: false, IsPerson: false } ? [401, 429, 503] : [401, 403, 429, 503]);
        }

        if (operation.RequestBody is not null)
        {
            statuses.UnionWith([413, 415, 422, 503]);
        }
        else if (operation.Parameters?.Any(static parameter => parameter.In == ParameterLocation.Query && parameter.Schema?.Type != JsonSchemaType.String) == true)
        {
            statuses.Add(422);
        }

        if (isLimited)
        {
            statuses.Add(429);
        }

        return statuses;
    }

    private static void RequireCredentials(OpenApiOperation operation, OpenApiDocument document, CallerRequirement requirement)
    {
        // One entry each: any of them will do.
        List<string> schemes = [DocumentTransformer.Bearer, DocumentTransformer.Password];
        if (!requirement.IsPerson)
        {
            schemes.Add(DocumentTransformer.ApiKey);
        }

        if (requirement.AcceptsTicket || requirement.IsSocket)
        {
            schemes.Add(DocumentTransformer.Ticket);
        }

        if (requirement.IsSocket)
        {
            schemes.Add(DocumentTransformer.Token);
        }

        operation.Security =
        [
            .. schemes.Select(scheme => new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(scheme, document)] = [] }),
        ];
        if (requirement.IsSocket)
        {
            // Nothing on the handshake: the first message has the credentials.
            operation.Security.Add([]);
        }

        if (requirement.Scopes != Scopes.None)
        {
            var scopes = string.Join(", ", requirement.Scopes.ToNames().Select(static name => $"`{name}`"));
            operation.Description = string.Join("\n\n", new[] { operation.Description, $"Needs the scope {scopes}." }.Where(static part => !string.IsNullOrEmpty(part)));
        }
    }

    private static async Task DescribeFormAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        if (context.Description.ActionDescriptor.EndpointMetadata.OfType<FormMetadata>().LastOrDefault() is not { } form)
        {
            return;
        }

        var schema = await SchemaComponents.ReferenceAsync(form.Contract, context, cancellationToken);
        foreach (var (contentType, media) in operation.RequestBody?.Content ?? new Dictionary<string, OpenApiMediaType>(StringComparer.Ordinal))
        {
            if (!contentType.EndsWith("json", StringComparison.Ordinal))
            {
                media.Schema = schema;
            }
        }
    }

    private static void DescribeResponses(OpenApiResponses responses, IList<object> metadata, bool isLimited, OpenApiDocument document)
    {
        foreach (var described in metadata.OfType<ResponseMetadata>())
        {
            var key = described.Status.ToString(CultureInfo.InvariantCulture);
            if (!responses.TryGetValue(key, out var known))
            {
                responses[key] = known = new OpenApiResponse();
            }

            var response = (OpenApiResponse)known;
            response.Description = described.Description ?? response.Description;
            foreach (var (name, description) in described.Headers)
            {
                HeaderComponents.Add(response, name, description);
            }
        }

        // The shared errors are references, which cannot have headers of their own; they have the request's id already.
        foreach (var response in responses.Values.OfType<OpenApiResponse>())
        {
            HeaderComponents.Add(response, HeaderComponents.RequestId, document);
            if (isLimited)
            {
                HeaderComponents.AddLimits(response, document);
            }
        }
    }
}
