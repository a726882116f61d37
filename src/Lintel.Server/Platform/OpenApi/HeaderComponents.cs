using Microsoft.OpenApi;

namespace Lintel.Platform.OpenApi;

/// <summary>The headers that many responses have, described once.</summary>
internal static class HeaderComponents
{
    public const string RequestId = "X-Request-ID";
    public const string RetryAfter = "Retry-After";
    public const string Challenge = "WWW-Authenticate";

    private static readonly string[] Limits = ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Window", "X-RateLimit-Reset", "RateLimit", "RateLimit-Policy"];

    private static readonly (string Name, JsonSchemaType Type, string Description)[] Known =
    [
        (RequestId, JsonSchemaType.String, "The request's id: yours where you sent one of `[A-Za-z0-9._-]{1,128}`, else 32 hex digits. It is in every log line of the request."),
        (Limits[0], JsonSchemaType.Integer, "How many requests a window allows."),
        (Limits[1], JsonSchemaType.Integer, "How many of them are left."),
        (Limits[2], JsonSchemaType.Integer, "The length of a window in seconds."),
        (Limits[3], JsonSchemaType.Integer, "When the next window begins, in seconds since 1970."),
        (Limits[4], JsonSchemaType.String, "The same as a structured field: `\"default\";r=99;t=60`, what is left and in how many seconds there is all of it again."),
        (Limits[5], JsonSchemaType.String, "The policy as a structured field: `\"default\";q=100;w=60`, requests and seconds of a window."),
        (RetryAfter, JsonSchemaType.Integer, "Seconds to wait before asking again."),
        (Challenge, JsonSchemaType.String, "Always `Bearer`."),
    ];

    /// <summary>Adds them all to the document. Call it before any is used.</summary>
    public static void Define(OpenApiDocument document)
    {
        if (document.Components?.Headers?.ContainsKey(RequestId) == true)
        {
            return;
        }

        foreach (var (name, type, description) in Known)
        {
            document.AddComponent<IOpenApiHeader>(name, new OpenApiHeader { Description = description, Schema = new OpenApiSchema { Type = type } });
        }
    }

    public static void AddLimits(OpenApiResponse response, OpenApiDocument document)
    {
        foreach (var name in Limits)
        {
            Add(response, name, document);
        }
    }

    public static void Add(OpenApiResponse response, string name, OpenApiDocument document) => Set(response, name, new OpenApiHeaderReference(name, document));

    /// <summary>Adds a header that only this response has.</summary>
    public static void Add(OpenApiResponse response, string name, string description) =>
        Set(response, name, new OpenApiHeader { Description = description, Schema = new OpenApiSchema { Type = JsonSchemaType.String } });

    private static void Set(OpenApiResponse response, string name, IOpenApiHeader header)
    {
        response.Headers ??= new Dictionary<string, IOpenApiHeader>(StringComparer.Ordinal);
        response.Headers[name] = header;
    }
}
