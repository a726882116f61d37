using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lintel.Infrastructure;

namespace Lintel.Platform.OpenApi;

/// <summary>What the server really sends is what the API description says, name by name and type by type.</summary>
public sealed class DescribedMessagesTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private const string Building =
        """
        [{"id":"pass","width":300,"depth":500,"moment":120,"shear":80,"fck":25,"fy":500,"cover":40},
         {"id":7,"width":300,"depth":500,"moment":300,"shear":80},
         {"width":300,"depth":500,"moment":9000,"shear":5000},
         {"id":"deep","width":250,"depth":900,"moment":300,"fck":60,"shear":420,"stirrup_dia_mm":8,"main_bar_dia_mm":20},
         {"beam_id":"flanged","flange_width":1200,"flange_depth":120},
         {"id":"refused","width":10,"cover":"thick"},
         12]
        """;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Events_of_a_batch_are_as_described()
    {
        using var client = Machine();
        var schemas = await ApiSchemas.OfAsync(client);
        await using var stream = await SseClient.OpenAsync(client, Batch(Building));
        var events = await stream.ReadToEndAsync();

        Assert.Equal(["complete", "design_result", "error", "progress", "start"], events.Select(static item => item.Kind).Distinct().Order(StringComparer.Ordinal));
        Assert.Equal(["FAIL", "PASS"], events.Where(static item => item.Kind == "design_result").Select(static item => item.Json.GetProperty("status").GetString()!).Distinct().Order(StringComparer.Ordinal));
        AssertDescribed(schemas, "BatchEvent", events);
        AssertDescribed(schemas, "JobEvent", events);
    }

    [Fact]
    public async Task Events_of_a_refused_batch_of_a_cancelled_one_and_of_a_reset_are_as_described()
    {
        using var client = Machine();
        var schemas = await ApiSchemas.OfAsync(client);
        await using var refused = await SseClient.OpenAsync(client, Batch("[]"));
        var id = await SubmitAsync(client, Many(100_000));
        using var cancelled = await client.DeleteAsync(new Uri($"/api/jobs/{id}", UriKind.Relative), Cancel);
        await using var ended = await SseClient.OpenAsync(client, $"/api/jobs/{id}/events");
        await using var reset = await SseClient.OpenAsync(client, $"/api/jobs/{id}/events", "99999999");

        var events = (await refused.ReadToEndAsync()).Concat((await ended.ReadToEndAsync()).TakeLast(1)).Concat(await reset.ReadToEndAsync()).ToList();
        Assert.Equal(["error", "cancelled", "reset"], events.Select(static item => item.Kind));
        AssertDescribed(schemas, "BatchEvent", events);
    }

    [Fact]
    public async Task Messages_of_a_job_socket_are_as_described()
    {
        using var client = Machine();
        var schemas = await ApiSchemas.OfAsync(client);
        var id = await SubmitAsync(client, JsonDocument.Parse(Building).RootElement);
        await using var socket = await SocketClient.OpenAsync(server.SocketAddress($"/ws/jobs/{id}"), "X-API-Key", "test-static-key");
        await using var lost = await SocketClient.OpenAsync(server.SocketAddress($"/ws/jobs/{id}?after=99999999"), "X-API-Key", "test-static-key");

        var messages = await socket.ReceiveToEndAsync();
        messages.AddRange(await lost.ReceiveToEndAsync());
        Assert.Equal(
            ["complete", "design_result", "error", "progress", "reset", "start"],
            messages.Select(static message => message.GetProperty("type").GetString()!).Distinct().Order(StringComparer.Ordinal));
        Assert.All(messages, message => Assert.Empty(schemas.FaultsOf(WithoutEcho(message), "JobSocketMessage")));
    }

    [Fact]
    public async Task Messages_of_a_design_socket_are_as_described_both_ways()
    {
        var schemas = await ApiSchemas.OfAsync(server.Client);
        await using var socket = await SocketClient.OpenAsync(server.SocketAddress("/ws/design/described"), "X-API-Key", "test-static-key");
        (string Sent, string Answer)[] exchanges =
        [
            ("""{"type":"design_beam","params":{"width":300,"depth":500,"moment":120,"shear":80}}""", "design_result"),
            ("""{"type":"design_beam","params":{"width":250,"depth":900,"moment":9000,"shear":5000}}""", "design_result"),
            ("""{"type":"design_beam"}""", "design_result"),
            ("""{"type":"check_beam","params":{"width":300,"depth":500,"cases":[{"case_id":1,"mu_knm":90,"vu_kn":60},{"mu_knm":-9000,"vu_kn":1}]}}""", "check_result"),
            ("""{"type":"ping"}""", "pong"),
            ("""{"type":"design_beam","params":{"width":1}}""", "error"),
        ];
        foreach (var (sent, answer) in exchanges)
        {
            await socket.SendAsync(sent);
            var received = (await socket.ReceiveAsync())!.Value;

            Assert.Equal(answer, received.GetProperty("type").GetString());
            Assert.Empty(schemas.FaultsOf(JsonDocument.Parse(sent).RootElement, "DesignSocketRequest"));
            Assert.Empty(schemas.FaultsOf(received, "DesignSocketMessage"));
        }
    }

    [Fact]
    public async Task Answers_of_the_routes_are_as_described()
    {
        using var client = Machine();
        var schemas = await ApiSchemas.OfAsync(client);
        var person = new { email = "described@example.com", password = "correct horse battery" };
        await AssertAnswerAsync(schemas, client, HttpMethod.Post, "/auth/register", "/auth/register", person);
        var pair = await AssertAnswerAsync(schemas, client, HttpMethod.Post, "/auth/login", "/auth/login", person);
        pair = await AssertAnswerAsync(schemas, client, HttpMethod.Post, "/auth/refresh", "/auth/refresh", new { refresh_token = pair.GetProperty("refresh_token").GetString() });
        await AssertAnswerAsync(schemas, client, HttpMethod.Post, "/auth/ws-ticket", "/auth/ws-ticket", new { path = "/ws/design/1" });
        using (var owner = server.CreateClient())
        {
            owner.DefaultRequestHeaders.Authorization = new("Bearer", pair.GetProperty("access_token").GetString());
            await AssertAnswerAsync(schemas, owner, HttpMethod.Get, "/auth/me", "/auth/me");
        }

        await AssertAnswerAsync(schemas, client, HttpMethod.Post, "/auth/logout", "/auth/logout", new { refresh_token = pair.GetProperty("refresh_token").GetString() });
        var beam = new { width = 250, depth = 900, moment = 300 };
        await AssertAnswerAsync(schemas, client, HttpMethod.Post, "/api/beams/design", "/api/beams/design", beam);
        await AssertAnswerAsync(schemas, client, HttpMethod.Post, "/api/beams/check", "/api/beams/check", new { width = 300, cases = new[] { new { mu_knm = 90, vu_kn = 60 } } });
        var job = await AssertAnswerAsync(schemas, client, HttpMethod.Post, "/api/jobs", "/api/jobs", new { kind = "batch-design", input = new[] { beam } });
        var id = job.GetProperty("job_id").GetString();
        await using (var events = await SseClient.OpenAsync(client, $"/api/jobs/{id}/events"))
        {
            await events.ReadToEndAsync();
        }

        var ended = await AssertAnswerAsync(schemas, client, HttpMethod.Get, "/api/jobs/{id}", $"/api/jobs/{id}");
        Assert.Equal(JsonValueKind.String, ended.GetProperty("completed_at").ValueKind);
        await AssertAnswerAsync(schemas, client, HttpMethod.Get, "/api/jobs", "/api/jobs?limit=1");
        await AssertAnswerAsync(schemas, client, HttpMethod.Delete, "/api/jobs/{id}", $"/api/jobs/{id}");
        await AssertAnswerAsync(schemas, client, HttpMethod.Get, "/stream/job/{job_id}", $"/stream/job/{id}");
        await AssertAnswerAsync(schemas, client, HttpMethod.Get, "/health", "/health");
        await AssertAnswerAsync(schemas, client, HttpMethod.Get, "/health/ready", "/health/ready");
        await AssertAnswerAsync(schemas, client, HttpMethod.Get, "/limited", "/limited");
    }

    [Fact]
    public async Task Refusals_of_the_routes_are_as_described()
    {
        using var client = Machine();
        var schemas = await ApiSchemas.OfAsync(client);
        await AssertRefusalAsync(schemas, server.Client, HttpMethod.Get, "/api/jobs", "/api/jobs", HttpStatusCode.Unauthorized);
        await AssertRefusalAsync(schemas, client, HttpMethod.Get, "/auth/me", "/auth/me", HttpStatusCode.Forbidden);
        await AssertRefusalAsync(schemas, client, HttpMethod.Get, "/stream/job/{job_id}", $"/stream/job/{Guid.Empty}", HttpStatusCode.NotFound);
        await AssertRefusalAsync(schemas, client, HttpMethod.Get, "/ws/jobs/{id}", $"/ws/jobs/{Guid.Empty}", HttpStatusCode.UpgradeRequired);
        await AssertRefusalAsync(schemas, client, HttpMethod.Get, "/api/jobs", "/api/jobs?status=lost", HttpStatusCode.UnprocessableEntity);
        await AssertRefusalAsync(schemas, client, HttpMethod.Post, "/api/beams/design", "/api/beams/design", HttpStatusCode.UnprocessableEntity, new { width = 1 });
        await AssertRefusalAsync(schemas, client, HttpMethod.Post, "/auth/login", "/auth/login", HttpStatusCode.Unauthorized, new { email = "nobody@example.com", password = "correct horse" });
    }

    private static async Task<JsonElement> AssertAnswerAsync(ApiSchemas schemas, HttpClient client, HttpMethod method, string route, string path, object? body = null)
    {
        using var response = await SendAsync(client, method, path, body);
        Assert.True(response.IsSuccessStatusCode, $"{method} {path} answered {response.StatusCode}");
        var json = await response.JsonAsync();
        Assert.Empty(schemas.FaultsOf(json, route, method.Method.ToLowerInvariant(), (int)response.StatusCode));
        return json;
    }

    private static async Task AssertRefusalAsync(
        ApiSchemas schemas, HttpClient client, HttpMethod method, string route, string path, HttpStatusCode status, object? body = null)
    {
        using var response = await SendAsync(client, method, path, body);
        Assert.Equal(status, response.StatusCode);
        Assert.Empty(schemas.FaultsOf(await response.JsonAsync(), route, method.Method.ToLowerInvariant(), (int)status));
    }

    private static Task<HttpResponseMessage> SendAsync(HttpClient client, HttpMethod method, string path, object? body) =>
        client.SendAsync(new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) }, Cancel);

    private static void AssertDescribed(ApiSchemas schemas, string component, IEnumerable<SseEvent> events) => Assert.All(events, item =>
    {
        var sent = new JsonObject { ["event"] = item.Kind, ["data"] = JsonNode.Parse(item.Data) };
        if (item.Id is { Length: > 0 } id)
        {
            sent["id"] = id;
        }

        Assert.Empty(schemas.FaultsOf(WithoutEcho(JsonSerializer.SerializeToElement(sent)), component));
    });

    /// <summary>What a client sent is echoed whatever it has: here <c>beam_id</c>, which is understood in place of <c>id</c>.</summary>
    private static JsonElement WithoutEcho(JsonElement message)
    {
        var node = JsonNode.Parse(message.GetRawText())!;
        ((node["data"] ?? node)["input"] as JsonObject)?.Remove("beam_id");
        return JsonSerializer.SerializeToElement(node);
    }

    private static HttpRequestMessage Batch(string beams) =>
        new(HttpMethod.Post, "/stream/batch-design") { Content = new StringContent(beams, new MediaTypeHeaderValue("application/json")) };

    private static JsonElement Many(int count) =>
        JsonSerializer.SerializeToElement(Enumerable.Range(1, count).Select(static i => new { id = $"B{i}", width = 300, moment = 40 + (i % 200) }));

    private static async Task<string> SubmitAsync(HttpClient client, JsonElement beams)
    {
        using var response = await SendAsync(client, HttpMethod.Post, "/api/jobs", new { kind = "batch-design", input = beams });
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        return (await response.JsonAsync()).GetProperty("job_id").GetString()!;
    }

    private HttpClient Machine()
    {
        var client = server.CreateClient();
        client.DefaultRequestHeaders.Add("X-API-Key", "test-static-key");
        return client;
    }
}
