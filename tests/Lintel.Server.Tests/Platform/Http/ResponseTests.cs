using System.Net;
using System.Net.WebSockets;
using Lintel.Infrastructure;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Platform.Http;

public sealed class ResponseTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/health")]
    [InlineData("/no/such/route")]
    public async Task Every_response_has_the_security_headers(string path)
    {
        using var response = await server.Client.GetAsync(path, Cancel);

        Assert.Equal("nosniff", response.Header("X-Content-Type-Options"));
        Assert.Equal("no-referrer", response.Header("Referrer-Policy"));
        Assert.Equal("DENY", response.Header("X-Frame-Options"));
        Assert.Equal("default-src 'none'; frame-ancestors 'none'", response.Header("Content-Security-Policy"));
        Assert.Equal("no-store", response.Header("Cache-Control"));
        Assert.False(response.Headers.Contains("Server"));
        Assert.False(response.Headers.Contains("Strict-Transport-Security"));
    }

    [Theory]
    [InlineData("127.0.0.1", "https", true)]
    [InlineData("127.0.0.1", "http", false)]
    [InlineData("10.0.0.1", "https", false)]
    [InlineData("", "https", false)]
    public async Task Only_over_https_are_browsers_told_to_stay_there(string proxies, string protocol, bool isTold)
    {
        await using var proxied = await ServerFixture.StartAsync([$"--TRUSTED_PROXIES={proxies}"]);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/health");
        request.Headers.Add("X-Forwarded-Proto", protocol);
        using var response = await proxied.Client.SendAsync(request, Cancel);

        Assert.Equal(isTold, response.Headers.Contains("Strict-Transport-Security"));
    }

    [Theory]
    [InlineData("/health", HttpStatusCode.OK)]
    [InlineData("/openapi.json", HttpStatusCode.OK)]
    [InlineData("/docs", HttpStatusCode.OK)]
    [InlineData("/no/such/route", HttpStatusCode.NotFound)]
    [InlineData("/api/jobs", HttpStatusCode.Unauthorized)]
    [InlineData("/ws/jobs/0197a5b0-0000-7000-8000-000000000000", HttpStatusCode.MethodNotAllowed)]
    [InlineData("/api/jobs/0197a5b0-0000-7000-8000-000000000000/events", HttpStatusCode.MethodNotAllowed)]
    public async Task Head_answers_as_get_does_without_the_body_and_not_for_streams(string path, HttpStatusCode status)
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, path);
        using var response = await server.Client.SendAsync(request, Cancel);

        Assert.Equal(status, response.StatusCode);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync(Cancel));
        Assert.True(response.Headers.Contains("X-Request-ID"));
    }

    [Fact]
    public async Task The_connection_is_good_for_more_after_a_head()
    {
        var received = await RawHttp.SendAsync(
            server.BaseAddress,
            "HEAD /no/such/route HTTP/1.1\r\nHost: x\r\n\r\nHEAD /health HTTP/1.1\r\nHost: x\r\n\r\nGET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");

        Assert.Equal(["HTTP/1.1 404 Not Found", "HTTP/1.1 200 OK", "HTTP/1.1 200 OK"], received.Split("\r\n").Where(static line => line.StartsWith("HTTP/", StringComparison.Ordinal)));
        Assert.DoesNotContain("NOT_FOUND", received, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/health", "GET, HEAD, OPTIONS")]
    [InlineData("/api/jobs", "GET, HEAD, POST, OPTIONS")]
    public async Task Options_tells_the_methods(string path, string methods)
    {
        using var request = new HttpRequestMessage(HttpMethod.Options, path);
        using var response = await server.Client.SendAsync(request, Cancel);

        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        Assert.Equal(
            methods.Split(", ").Order(StringComparer.Ordinal),
            response.Content.Headers.Allow.SelectMany(static value => value.Split(", ")).Order(StringComparer.Ordinal));
        Assert.False(response.Headers.Contains("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task Browsers_of_other_origins_are_told_nothing_unless_configured()
    {
        await using var open = await ServerFixture.StartAsync(["--CORS_ORIGINS=https://app.example.com"]);

        Assert.Null(await AllowedOriginAsync(server, HttpMethod.Get, "/health", "https://app.example.com"));
        Assert.Null(await AllowedOriginAsync(open, HttpMethod.Get, "/health", "https://evil.example.com"));
        Assert.Equal("https://app.example.com", await AllowedOriginAsync(open, HttpMethod.Get, "/health", "https://app.example.com"));
        Assert.Equal("https://app.example.com", await AllowedOriginAsync(open, HttpMethod.Get, "/no/such/route", "https://app.example.com"));
        Assert.Equal("https://app.example.com", await AllowedOriginAsync(open, HttpMethod.Get, "/api/jobs", "https://app.example.com"));
        Assert.Equal("https://app.example.com", await AllowedOriginAsync(open, HttpMethod.Options, "/api/jobs", "https://app.example.com"));
    }

    [Fact]
    public async Task The_handshake_of_a_socket_has_the_request_id()
    {
        await using var sockets = await ServerFixture.StartAsync(map: static app => app.MapGet("/socket", async (HttpContext context) =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);
        }).Streams(StreamKind.WebSocket));
        using var client = new ClientWebSocket();
        client.Options.SetRequestHeader("X-Request-ID", "shake");
        client.Options.CollectHttpResponseDetails = true;
        await client.ConnectAsync(sockets.SocketAddress("/socket"), Cancel);

        Assert.Equal(HttpStatusCode.SwitchingProtocols, client.HttpStatusCode);
        Assert.Equal("shake", Assert.Single(client.HttpResponseHeaders!["X-Request-ID"]));
        await client.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Cancel);
        Assert.Equal(101, (await sockets.Log.OfRequestAsync("shake", Cancel))[^1].GetProperty("status_code").GetInt32());
    }

    [Fact]
    public async Task A_refused_handshake_is_an_ordinary_error_with_the_request_id()
    {
        var received = await RawHttp.SendAsync(server.BaseAddress, RawHttp.Get(
            "/ws/design/1",
            "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "X-API-Key: wrong", "X-Request-ID: refused-shake"));

        Assert.StartsWith("HTTP/1.1 401 ", received, StringComparison.Ordinal);
        Assert.Contains("X-Request-ID: refused-shake\r\n", received, StringComparison.Ordinal);
        Assert.EndsWith("\"request_id\":\"refused-shake\"}", received, StringComparison.Ordinal);
    }

    /// <summary>Requests have no scope of their own: a scoped service would live as long as the server, and a transient one that must be disposed would never be.</summary>
    [Fact]
    public async Task None_of_our_services_is_made_for_each_request()
    {
        List<string> others = [];
        await using var _ = await ServerFixture.StartAsync(configure: builder => others.AddRange(
            from service in builder.Services
            where service.Lifetime != ServiceLifetime.Singleton
            where IsOurs(service.ServiceType) || IsOurs(service.IsKeyedService ? null : service.ImplementationType)
            select $"{service.ServiceType} is {service.Lifetime}"));

        Assert.Empty(others);
    }

    private static bool IsOurs(Type? type) => type?.Namespace?.StartsWith(nameof(Lintel), StringComparison.Ordinal) == true;

    private static async Task<string?> AllowedOriginAsync(ServerFixture server, HttpMethod method, string path, string origin)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Add("Origin", origin);
        if (method == HttpMethod.Options)
        {
            request.Headers.Add("Access-Control-Request-Method", "POST");
        }

        using var response = await server.Client.SendAsync(request, Cancel);
        return response.Headers.TryGetValues("Access-Control-Allow-Origin", out var allowed) ? Assert.Single(allowed) : null;
    }
}
