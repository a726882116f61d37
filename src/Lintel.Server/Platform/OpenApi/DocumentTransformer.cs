using Lintel.Platform.Configuration;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Lintel.Platform.OpenApi;

/// <summary>What the document says of the whole API.</summary>
internal sealed class DocumentTransformer(ServerOptions server, IEnumerable<ApiTag> tags) : IOpenApiDocumentTransformer
{
    public const string Bearer = "bearer";
    public const string ApiKey = "api_key";
    public const string Password = "password";
    public const string Ticket = "ticket";
    public const string Token = "token";

    private static readonly ApiTag[] PlatformTags =
    [
        new("Health", "For load balancers and operators."),
        new("Rate limits", "A route to see the limits at work."),
    ];

    private const string Description = """
        Sign in, submit work, watch it happen. The guides are in the folder `docs` of Lintel's source, beginning with `docs/guide/getting-started.md`.

        **Credentials.** `POST /auth/login` answers with an access token for `Authorization: Bearer …`; programs may send `X-API-Key` instead. Browsers, which send
        no headers on WebSockets and event streams, take a `?ticket=` from `POST /auth/ws-ticket`. On the page `/docs`, press "Authorize" and fill in *one* scheme:
        `password` with an account's e-mail address and password is the simplest.

        Every response carries `X-Request-ID`; send your own to follow a request through the log. Every error is
        `{"error":{"code","message","details"},"request_id"}`, or RFC 9457 for clients that accept `application/problem+json`.
        Decide by `code`, which is stable, not by `message`.

        Rate-limited routes send `X-RateLimit-Limit`, `-Remaining`, `-Window` and `-Reset` on every response, errors too.
        Times are UTC with six digits, `2026-01-31T12:00:00.123456Z`.

        Routes that answer `text/event-stream` send Server-Sent Events and resume with `Last-Event-ID`; the schema is that of one event, with its `data` parsed.
        Routes that answer `101` are WebSockets; their extension `x-websocket` refers to the schemas of what the client and the server send. The page `/redoc`
        lists those schemas below the routes of their group.
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

        // Where the document was fetched from.
        document.Servers = [new() { Url = "/" }];
        AddSecuritySchemes(document);
        DropHead(document);
        SortTags(document);
        SortPaths(document);
        SortComponents(document.Components!);
        LiftDescriptions(document.Components!);

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
        document.AddComponent(Token, new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.ApiKey,
            In = ParameterLocation.Query,
            Name = "token",
            Description = "An access token in the address of a WebSocket, for older clients.",
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
    private void SortTags(OpenApiDocument document)
    {
        ApiTag[] known = [.. tags, .. PlatformTags];
        var used = (document.Tags ?? new HashSet<OpenApiTag>()).Select(static tag => tag.Name!).ToList();
        document.Tags = known.Where(tag => used.Contains(tag.Name))
            .Concat(used.Where(name => !Array.Exists(known, tag => tag.Name == name)).Order(StringComparer.Ordinal).Select(static name => new ApiTag(name, "")))
            .Select(static tag => new OpenApiTag { Name = tag.Name, Description = tag.Description is "" ? null : tag.Description })
            .ToHashSet();
    }

    /// <summary>By group, and in each as the routes were mapped, which is how a reader is told of them; sockets come after them, and last what is only for older clients.</summary>
    private static void SortPaths(OpenApiDocument document)
    {
        var groups = document.Tags!.Select(static tag => tag.Name).ToList();
        var sorted = new OpenApiPaths();
        var ordered = document.Paths.OrderBy(entry => GroupOf(entry.Value))
            .ThenBy(static entry => IsDeprecated(entry.Value)).ThenBy(static entry => IsSocket(entry.Value));
        foreach (var (path, item) in ordered)
        {
            sorted.Add(path, item);
        }

        document.Paths = sorted;

        int GroupOf(IOpenApiPathItem item) => groups.IndexOf(item.Operations!.Values.First().Tags?.FirstOrDefault()?.Name);
        static bool IsDeprecated(IOpenApiPathItem item) => item.Operations!.Values.All(static operation => operation.Deprecated);
        static bool IsSocket(IOpenApiPathItem item) => item.Operations!.Values.Any(static operation => operation.Responses!.ContainsKey("101"));
    }

    private static void SortComponents(OpenApiComponents components)
    {
        components.Responses = Sorted(components.Responses);
        components.Schemas = Sorted(components.Schemas);
    }

    /// <summary>Of a member that is an object or null the framework sometimes puts the description beside the reference, where few tools look.</summary>
    private static void LiftDescriptions(OpenApiComponents components)
    {
        var members = (components.Schemas ?? new Dictionary<string, IOpenApiSchema>()).Values.SelectMany(static schema => schema.Properties?.Values ?? []);
        foreach (var member in members.OfType<OpenApiSchema>().Where(static member => string.IsNullOrEmpty(member.Description)))
        {
            if (member.OneOf?.OfType<OpenApiSchemaReference>().FirstOrDefault(static one => one.Reference.Description is not null) is { } reference)
            {
                member.Description = reference.Reference.Description;
                reference.Reference.Description = null;
            }
        }
    }

    private static SortedDictionary<string, T>? Sorted<T>(IDictionary<string, T>? components) =>
        components is null ? null : new SortedDictionary<string, T>(components, StringComparer.Ordinal);
}
