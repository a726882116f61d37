using System.Globalization;
using Lintel.Platform.Errors;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.OpenApi;

namespace Lintel.Platform.OpenApi;

/// <summary>The contract's errors, described once and referred to by every operation.</summary>
internal static class ErrorComponents
{
    private const string Envelope = nameof(ErrorEnvelope);
    private const string Problem = nameof(Errors.Problem);

    private static readonly (string Name, string Description)[] LimitHeaders =
    [
        ("X-RateLimit-Limit", "How many requests a window allows."),
        ("X-RateLimit-Remaining", "How many of them are left."),
        ("X-RateLimit-Window", "The length of a window in seconds."),
        ("X-RateLimit-Reset", "When the next window begins, in seconds since 1970."),
    ];

    /// <summary>The response component of an error status, made when it is first needed.</summary>
    public static async Task<OpenApiResponseReference> ReferenceAsync(int status, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        var document = context.Document!;
        var name = string.Create(CultureInfo.InvariantCulture, $"Error{status}");
        if (document.Components?.Responses?.ContainsKey(name) != true)
        {
            await AddSchemaAsync<ErrorEnvelope>(Envelope, context, cancellationToken);
            await AddSchemaAsync<Problem>(Problem, context, cancellationToken);
            document.AddComponent(name, Describe(status, document));
        }

        return new(name, document);
    }

    public static void AddLimitHeaders(OpenApiResponse response)
    {
        foreach (var (name, description) in LimitHeaders)
        {
            AddHeader(response, name, description);
        }
    }

    private static async Task AddSchemaAsync<T>(string name, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        if (context.Document!.Components?.Schemas?.ContainsKey(name) != true)
        {
            context.Document.AddComponent(name, await context.GetOrCreateSchemaAsync(typeof(T), null, cancellationToken));
        }
    }

    private static OpenApiResponse Describe(int status, OpenApiDocument document)
    {
        var response = new OpenApiResponse
        {
            Description = ReasonPhrases.GetReasonPhrase(status),
            Content = new Dictionary<string, OpenApiMediaType>(StringComparer.Ordinal)
            {
                ["application/json"] = new() { Schema = new OpenApiSchemaReference(Envelope, document) },
                ["application/problem+json"] = new() { Schema = new OpenApiSchemaReference(Problem, document) },
            },
        };
        if (Platform.Errors.Errors.ForStatus(status)?.Code is { } code && status is not (401 or 503))
        {
            response.Description += $" (`{code}`)";
        }

        if (status == StatusCodes.Status429TooManyRequests)
        {
            AddLimitHeaders(response);
        }

        if (status is StatusCodes.Status429TooManyRequests or StatusCodes.Status503ServiceUnavailable)
        {
            AddHeader(response, "Retry-After", "Seconds to wait before asking again.");
        }

        return response;
    }

    private static void AddHeader(OpenApiResponse response, string name, string description)
    {
        response.Headers ??= new Dictionary<string, IOpenApiHeader>(StringComparer.Ordinal);
        response.Headers[name] = new OpenApiHeader { Description = description, Schema = new OpenApiSchema { Type = JsonSchemaType.Integer } };
    }
}
