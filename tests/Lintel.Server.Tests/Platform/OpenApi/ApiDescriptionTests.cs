using System.Net;
using System.Text.Json;
using Lintel.Infrastructure;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Platform.OpenApi;

public sealed class ApiDescriptionTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static readonly string[] Methods = ["get", "put", "post", "delete", "patch", "options"];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>What a reviewer sees change when a route changes. <c>make openapi</c> writes the file anew.</summary>
    [Fact]
    public async Task The_served_document_is_the_one_in_the_repository()
    {
        var served = await server.Client.GetStringAsync("/openapi.json", Cancel);
        var kept = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs/api/openapi.json"), Cancel);

        Assert.True(served == kept, "docs/api/openapi.json is out of date: run `make openapi` and commit what it changes.");
    }

    [Fact]
    public async Task It_is_openapi_3_1_and_is_made_once()
    {
        using var first = await server.Client.GetAsync("/openapi.json", Cancel);
        using var again = new HttpRequestMessage(HttpMethod.Get, "/openapi.json");
        again.Headers.IfNoneMatch.Add(first.Headers.ETag!);
        using var second = await server.Client.SendAsync(again, Cancel);

        Assert.Equal("application/json", first.Content.Headers.ContentType?.MediaType);
        Assert.StartsWith("3.1.", (await first.JsonAsync()).GetProperty("openapi").GetString(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
    }

    [Fact]
    public async Task Every_route_is_in_it_but_the_documentation_itself()
    {
        var described = (await OperationsAsync()).Select(static operation => $"{operation.Method} {operation.Path}").ToHashSet(StringComparer.Ordinal);
        var served =
            from endpoint in server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            where endpoint.Metadata.GetMetadata<IExcludeFromDescriptionMetadata>() is null
            from method in endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? []
            where method != "HEAD"
            select $"{method.ToLowerInvariant()} {Plain(endpoint.RoutePattern)}";

        Assert.Empty(served.Except(described, StringComparer.Ordinal));
    }

    [Fact]
    public async Task Every_operation_has_a_name_a_summary_a_tag_and_the_error()
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (method, path, operation) in await OperationsAsync())
        {
            var at = $"{method} {path}";
            Assert.True(operation.TryGetProperty("operationId", out var id) && names.Add(id.GetString()!), $"{at} has no name of its own.");
            Assert.True(operation.TryGetProperty("summary", out _), $"{at} has no summary.");
            Assert.True(operation.TryGetProperty("tags", out _), $"{at} has no tag.");
            Assert.True(operation.GetProperty("responses").TryGetProperty("500", out _), $"{at} does not tell of errors.");
        }
    }

    [Fact]
    public async Task Every_reference_leads_somewhere()
    {
        var document = await DocumentAsync();
        foreach (var reference in References(document))
        {
            var place = document;
            foreach (var step in reference.Split('/')[1..])
            {
                Assert.True(place.TryGetProperty(step.Replace("~1", "/", StringComparison.Ordinal), out place), $"{reference} leads nowhere.");
            }
        }
    }

    [Fact]
    public async Task Limits_and_credentials_are_described()
    {
        var document = await DocumentAsync();
        var limited = document.GetProperty("paths").GetProperty("/limited").GetProperty("get");
        var jobs = document.GetProperty("paths").GetProperty("/api/jobs").GetProperty("get");
        var schemes = document.GetProperty("components").GetProperty("securitySchemes");

        Assert.True(limited.GetProperty("responses").GetProperty("200").GetProperty("headers").TryGetProperty("X-RateLimit-Remaining", out _));
        Assert.Equal("#/components/responses/Error429", limited.GetProperty("responses").GetProperty("429").GetProperty("$ref").GetString());
        Assert.Empty(limited.GetProperty("security").EnumerateArray());
        Assert.Equal(["bearer", "password", "api_key"], jobs.GetProperty("security").EnumerateArray().SelectMany(static any => any.EnumerateObject()).Select(static scheme => scheme.Name));
        Assert.True(jobs.GetProperty("responses").TryGetProperty("401", out _));
        Assert.Equal("X-API-Key", schemes.GetProperty("api_key").GetProperty("name").GetString());
        Assert.Equal("/auth/login", schemes.GetProperty("password").GetProperty("flows").GetProperty("password").GetProperty("tokenUrl").GetString());
    }

    [Fact]
    public async Task Streams_and_sockets_are_described_as_what_they_are()
    {
        var paths = (await DocumentAsync()).GetProperty("paths");
        var events = paths.GetProperty("/api/jobs/{id}/events").GetProperty("get").GetProperty("responses");
        var socket = paths.GetProperty("/ws/design/{session_id}").GetProperty("get");
        var messages = socket.GetProperty("x-websocket");

        Assert.Equal("#/components/schemas/JobEvent", Reference(events.GetProperty("200").GetProperty("content").GetProperty("text/event-stream").GetProperty("schema")));
        Assert.True(events.TryGetProperty("204", out _));
        Assert.True(socket.GetProperty("responses").TryGetProperty("101", out _));
        Assert.False(socket.GetProperty("responses").TryGetProperty("200", out _));

        // A page of a foreign origin is refused, whatever scope the socket needs.
        Assert.True(paths.GetProperty("/ws/jobs/{id}").GetProperty("get").GetProperty("responses").TryGetProperty("403", out _));
        Assert.Equal("#/components/schemas/DesignSocketRequest", Reference(messages.GetProperty("client")));
        Assert.Equal("#/components/schemas/DesignSocketMessage", Reference(messages.GetProperty("server")));
    }

    [Theory]
    [InlineData("post /api/jobs", "header Idempotency-Key")]
    [InlineData("get /api/jobs", "query after", "query status", "query kind", "query limit")]
    [InlineData("get /api/jobs/{id}/events", "path id", "header Last-Event-ID", "query after", "query ticket")]
    [InlineData("get /ws/jobs/{id}", "path id", "header Last-Event-ID", "query after", "query ticket", "query token")]
    [InlineData("get /ws/design/{session_id}", "path session_id", "query ticket", "query token")]
    [InlineData("post /stream/batch-design", "header Last-Event-ID", "query after", "query ticket")]
    [InlineData("get /stream/batch-design", "query beams", "header Last-Event-ID", "query after", "query ticket")]
    [InlineData("get /stream/job/{job_id}", "path job_id")]
    [InlineData("get /stream/progress/{job_id}", "path job_id", "header Last-Event-ID", "query after", "query ticket")]
    public async Task Parameters_that_handlers_read_themselves_are_described(string operation, params string[] parameters)
    {
        var found = (await OperationsAsync()).Single(each => $"{each.Method} {each.Path}" == operation).Operation.GetProperty("parameters");

        Assert.Equal(parameters, found.EnumerateArray().Select(static parameter => $"{parameter.GetProperty("in").GetString()} {parameter.GetProperty("name").GetString()}"));
    }

    [Fact]
    public async Task Every_response_has_the_request_id_and_an_accepted_job_its_own_headers()
    {
        var document = await DocumentAsync();
        foreach (var (method, path, operation) in await OperationsAsync())
        {
            foreach (var response in operation.GetProperty("responses").EnumerateObject())
            {
                var described = Resolve(document, response.Value);
                Assert.True(described.TryGetProperty("headers", out var headers) && headers.TryGetProperty("X-Request-ID", out _), $"{method} {path} {response.Name}");
            }
        }

        var accepted = document.GetProperty("paths").GetProperty("/api/jobs").GetProperty("post").GetProperty("responses").GetProperty("202").GetProperty("headers");
        Assert.True(accepted.TryGetProperty("Location", out _));
        Assert.True(accepted.TryGetProperty("Idempotency-Replayed", out _));
    }

    [Fact]
    public async Task Every_group_and_every_schema_with_its_members_is_explained()
    {
        var document = await DocumentAsync();
        var silent =
            from schema in document.GetProperty("components").GetProperty("schemas").EnumerateObject()
            where schema.Value.TryGetProperty("properties", out _) && !schema.Name.EndsWith("Event", StringComparison.Ordinal) && !schema.Name.EndsWith("Message", StringComparison.Ordinal)
            from silence in schema.Value.GetProperty("properties").EnumerateObject()
                .Where(static member => !member.Value.TryGetProperty("description", out _)).Select(member => $"{schema.Name}.{member.Name}")
                .Concat(schema.Value.TryGetProperty("description", out _) ? [] : [schema.Name])
            select silence;

        Assert.Empty(silent);
        Assert.All(document.GetProperty("tags").EnumerateArray(), static tag => Assert.NotEmpty(tag.GetProperty("description").GetString()!));
    }

    private async Task<JsonElement> DocumentAsync() => JsonDocument.Parse(await server.Client.GetStringAsync("/openapi.json", Cancel)).RootElement;

    private async Task<List<(string Method, string Path, JsonElement Operation)>> OperationsAsync() =>
    [
        .. from path in (await DocumentAsync()).GetProperty("paths").EnumerateObject()
           from operation in path.Value.EnumerateObject()
           where Methods.Contains(operation.Name)
           select (operation.Name, path.Name, operation.Value),
    ];

    private static string Plain(Microsoft.AspNetCore.Routing.Patterns.RoutePattern pattern) =>
        "/" + string.Join('/', pattern.PathSegments.Select(static segment => string.Concat(segment.Parts.Select(static part => part switch
        {
            Microsoft.AspNetCore.Routing.Patterns.RoutePatternParameterPart parameter => "{" + parameter.Name + "}",
            Microsoft.AspNetCore.Routing.Patterns.RoutePatternLiteralPart literal => literal.Content,
            _ => "",
        }))));

    private static string? Reference(JsonElement schema) => schema.GetProperty("$ref").GetString();

    private static JsonElement Resolve(JsonElement document, JsonElement described) => described.TryGetProperty("$ref", out var reference)
        ? reference.GetString()!.Split('/')[1..].Aggregate(document, static (place, step) => place.GetProperty(step))
        : described;

    private static IEnumerable<string> References(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(static member =>
            member.NameEquals("$ref") && member.Value.ValueKind == JsonValueKind.String ? [member.Value.GetString()!] : References(member.Value)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(References),
        _ => [],
    };
}
