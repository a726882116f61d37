using System.Globalization;
using System.Text.Json.Nodes;
using Lintel.Platform.Errors;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.OpenApi;

namespace Lintel.Platform.OpenApi;

/// <summary>The errors, described once and referred to by every operation.</summary>
internal static class ErrorComponents
{
    // The one status that has many codes.
    private static readonly string[] Unauthorized =
    [
        ErrorCodes.AuthError, ErrorCodes.InvalidCredentials, ErrorCodes.TokenExpired, ErrorCodes.TokenInvalid, ErrorCodes.TokenRevoked, ErrorCodes.SecondFactorRequired,
    ];

    /// <summary>The response component of an error status, made when it is first needed.</summary>
    public static async Task<OpenApiResponseReference> ReferenceAsync(int status, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        var document = context.Document!;
        var name = string.Create(CultureInfo.InvariantCulture, $"Error{status}");
        if (document.Components?.Responses?.ContainsKey(name) != true)
        {
            var envelope = await SchemaComponents.ReferenceAsync(typeof(ErrorEnvelope), context, cancellationToken);
            var problem = await SchemaComponents.ReferenceAsync(typeof(Problem), context, cancellationToken);
            document.AddComponent(name, Describe(status, envelope, problem, document));
        }

        return new(name, document);
    }

    private static OpenApiResponse Describe(int status, OpenApiSchemaReference envelope, OpenApiSchemaReference problem, OpenApiDocument document)
    {
        var error = ApiErrors.ForStatus(status)!;
        string[] codes = status == StatusCodes.Status401Unauthorized ? Unauthorized : [error.Code];
        var response = new OpenApiResponse
        {
            Description = $"{ReasonPhrases.GetReasonPhrase(status)}: {string.Join(", ", codes.Select(static code => $"`{code}`"))}",
            Content = new Dictionary<string, OpenApiMediaType>(StringComparer.Ordinal)
            {
                ["application/json"] = new() { Schema = envelope, Example = Example(error) },
                ["application/problem+json"] = new() { Schema = problem },
            },
        };
        HeaderComponents.Add(response, HeaderComponents.RequestId, document);
        switch (status)
        {
            case StatusCodes.Status401Unauthorized:
                HeaderComponents.Add(response, HeaderComponents.Challenge, document);
                break;
            case StatusCodes.Status429TooManyRequests:
                HeaderComponents.AddLimits(response, document);
                HeaderComponents.Add(response, HeaderComponents.RetryAfter, document);
                break;
            case StatusCodes.Status503ServiceUnavailable:
                HeaderComponents.Add(response, HeaderComponents.RetryAfter, document);
                break;
        }

        return response;
    }

    private static JsonObject Example(ErrorResult error) => new()
    {
        ["error"] = new JsonObject
        {
            ["code"] = error.Code,
            ["message"] = error.Message,
            ["details"] = error.Code == ErrorCodes.ValidationError
                ? new JsonObject { ["fields"] = new JsonObject { ["email"] = new JsonArray("This field is required.") } }
                : new JsonObject(),
        },
        ["request_id"] = "0123456789abcdef0123456789abcdef",
    };
}
