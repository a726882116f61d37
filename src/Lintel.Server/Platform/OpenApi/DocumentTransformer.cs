using Lintel.Platform.Configuration;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Lintel.Platform.OpenApi;

/// <summary>What the document says of the whole API.</summary>
internal sealed class DocumentTransformer(ServerOptions server) : IOpenApiDocumentTransformer
{
    public const string Bearer = "bearer";
    public const string ApiKey = "api_key";
    public const string Password = "password";
    public const string Ticket = "ticket";

    private static readonly string[] PlatformTags = ["Health", "Rate limits"];

    private const string Description = """
        Sign in, submit work, watch it happen.

        Every response carries `X-Request-ID`; send your own to follow a request through the log. Every error is
        `{"error":{"code","message","details"},"request_id"}`, or RFC 9457 for clients that accept `application/problem+json`.
        Decide by `code`, which is stable, not by `message`.

        Routes that answer `101` are WebSockets; those that answer `text/event-stream` are Server-Sent Events and resume with `Last-Event-ID`.
        """;

    public Task TransformAsync(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancellationToken)
    {
        document.Info = new()
        {
            Title = server.AppName,
            Version = typeof(DocumentTransformer).Assembly.GetName().Version!.ToString(3),
            Description = Description,
            License = new() { Name = "MIT", Identifier = "MIT" },
        };

        // None means: where the document was fetched from.
        document.Servers = [];
        AddSecuritySchemes(document);
        DropHead(document);
        SortPaths(document);
        SortTags(document);
        if (document.Components?.Responses is { } responses)
        {
            document.Components.Responses = new SortedDictionary<string, IOpenApiResponse>(responses, StringComparer.Ordinal);
        }

        return Task.CompletedTask;
    }

    private static void AddSecuritySchemes(OpenApiDocument document)
    {
        document.AddComponent(Bearer, new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.Http,
            Scheme = "bearer",
            BearerFormat = "JWT",
            Description = "An access token from `POST /auth/login`.",
        });
        document.AddComponent(Password, new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.OAuth2,
            Description = "Sign in with e-mail (as `username`) and password; the access token is then sent as a bearer token.",
            Flows = new()
            {
                Password = new()
                {
                    TokenUrl = new Uri("/auth/login", UriKind.Relative),
                    Scopes = new Dictionary<string, string>(StringComparer.Ordinal),
                },
            },
        });
        document.AddComponent(ApiKey, new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.ApiKey,
            In = ParameterLocation.Header,
            Name = "X-API-Key",
            Description = "A key for programs.",
        });
        document.AddComponent(Ticket, new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.ApiKey,
            In = ParameterLocation.Query,
            Name = "ticket",
            Description = "For browsers, which cannot send headers on WebSockets and event streams: a ticket from `POST /auth/ws-ticket`, good once, for 30 seconds, for one path.",
        });
    }

    /// <summary>Every GET answers HEAD; saying so on each route would only be noise.</summary>
    private static void DropHead(OpenApiDocument document)
    {
        foreach (var path in document.Paths.Values)
        {
            path.Operations?.Remove(HttpMethod.Head);
        }
    }

    /// <summary>What people come for first, what operators need last.</summary>
    private static void SortTags(OpenApiDocument document)
    {
        var tags = document.Tags ?? new HashSet<OpenApiTag>();
        document.Tags = tags.OrderBy(static tag => PlatformTags.Contains(tag.Name)).ThenBy(static tag => tag.Name, StringComparer.Ordinal).ToHashSet();
    }

    private static void SortPaths(OpenApiDocument document)
    {
        var sorted = new OpenApiPaths();
        foreach (var (path, item) in document.Paths.OrderBy(static entry => entry.Key, StringComparer.Ordinal))
        {
            sorted.Add(path, item);
        }

        document.Paths = sorted;
    }
}
