using System.Net;
using Lintel.Infrastructure;
using Lintel.Platform.Http;
using Lintel.Platform.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Platform.RateLimits;

public sealed class RateLimitTests
{
    private readonly ManualTime _time = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_demonstration_route_allows_five_a_minute_and_says_so_each_time()
    {
        await using var server = await StartAsync();
        var reset = (_time.GetUtcNow() + TimeSpan.FromMinutes(1)).ToUnixTimeSeconds().ToString();
        for (var remaining = 4; remaining >= 0; remaining--)
        {
            using var allowed = await server.Client.GetAsync("/limited", Cancel);
            Assert.Equal(HttpStatusCode.OK, allowed.StatusCode);
            Assert.Equal(("5", $"{remaining}", "60", reset), Limits(allowed));
            Assert.Equal(("\"demonstration\";q=5;w=60", $"\"demonstration\";r={remaining};t=60"), (allowed.Header("RateLimit-Policy"), allowed.Header("RateLimit")));
            Assert.False(allowed.Headers.Contains("Retry-After"));
        }

        _time.Advance(TimeSpan.FromSeconds(20));
        using var refused = await server.Client.GetAsync("/limited", Cancel);
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Equal(("5", "0", "60", reset), Limits(refused));
        Assert.Equal("40", refused.Header("Retry-After"));
        Assert.Equal("\"demonstration\";r=0;t=40", refused.Header("RateLimit"));
        Assert.Equal("RATE_LIMITED", await refused.ErrorCodeAsync());

        _time.Advance(TimeSpan.FromSeconds(40));
        using var again = await server.Client.GetAsync("/limited", Cancel);
        Assert.Equal("4", again.Header("X-RateLimit-Remaining"));
    }

    [Fact]
    public async Task Limited_routes_tell_their_limits_on_errors_and_streams_too()
    {
        await using var server = await StartAsync(["--RATE_LIMIT_REQUESTS=7", "--RATE_LIMIT_WINDOW=30"]);

        foreach (var (path, status) in new[] { ("/limits/bug", 500), ("/limits/stream", 200), ("/limits/secure", 401), ("/limits/nothing", 404) })
        {
            using var response = await server.Client.GetAsync(path, HttpCompletionOption.ResponseHeadersRead, Cancel);
            Assert.Equal(status, (int)response.StatusCode);
            Assert.Equal(("7", "30"), (response.Header("X-RateLimit-Limit"), response.Header("X-RateLimit-Window")));
        }

        using var unlimited = await server.Client.GetAsync("/health", Cancel);
        Assert.DoesNotContain(unlimited.Headers, static header => header.Key.StartsWith("X-RateLimit", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task Each_user_or_key_has_its_own_count_and_strangers_share_their_addresss()
    {
        await using var server = await StartAsync(["--RATE_LIMIT_REQUESTS=2"]);

        Assert.Equal(["1", "0", "0"], await RemainingAsync(server, "/limits/ok", 3));
        Assert.Equal(["1", "0", "0"], await RemainingAsync(server, "/limits/ok", 3, ("X-API-Key", "key-one")));
        Assert.Equal(["1", "0", "0"], await RemainingAsync(server, "/limits/ok", 3, ("X-API-Key", "key-two")));
        Assert.Equal(["0"], await RemainingAsync(server, "/limits/secure", 1, ("X-API-Key", "key-two")));
    }

    [Fact]
    public async Task Guessing_credentials_is_counted()
    {
        await using var server = await StartAsync(["--RATE_LIMIT_REQUESTS=3"]);
        var statuses = new List<int>();
        for (var i = 0; i < 5; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/limits/secure");
            request.Headers.Add("X-API-Key", $"guess-{i}");
            using var response = await server.Client.SendAsync(request, Cancel);
            statuses.Add((int)response.StatusCode);
        }

        Assert.Equal([401, 401, 401, 429, 429], statuses);
    }

    [Theory]
    [InlineData("", "203.0.113.9", "127.0.0.1")]
    [InlineData("127.0.0.1", null, "127.0.0.1")]
    [InlineData("127.0.0.1", "203.0.113.9", "203.0.113.9")]
    [InlineData("127.0.0.1", "1.1.1.1, 203.0.113.9", "203.0.113.9")]
    [InlineData("127.0.0.1", "203.0.113.9, 10.1.2.3", "10.1.2.3")]
    [InlineData("127.0.0.1,10.0.0.0/8", "6.6.6.6, 203.0.113.9, 10.1.2.3", "203.0.113.9")]
    [InlineData("127.0.0.1,10.0.0.0/8", "10.9.9.9, 10.1.2.3", "10.9.9.9")]
    [InlineData("127.0.0.1", "203.0.113.9:4711", "203.0.113.9")]
    [InlineData("127.0.0.1", "[2001:db8::1]:4711", "2001:db8::1")]
    [InlineData("127.0.0.1", "::ffff:203.0.113.9", "203.0.113.9")]
    [InlineData("127.0.0.1", "garbage", "127.0.0.1")]
    [InlineData("127.0.0.1,10.0.0.0/8", "203.0.113.9, garbage, 10.1.2.3", "10.1.2.3")]
    [InlineData("127.0.0.1", ",,,", "127.0.0.1")]
    [InlineData("10.0.0.0/8", "203.0.113.9", "127.0.0.1")]
    public async Task The_address_is_the_first_that_no_trusted_proxy_vouches_for(string proxies, string? forwarded, string address)
    {
        await using var server = await StartAsync([$"--TRUSTED_PROXIES={proxies}"]);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/address");
        request.Headers.TryAddWithoutValidation("X-Forwarded-For", forwarded);
        using var response = await server.Client.SendAsync(request, Cancel);

        Assert.Equal(address, await response.Content.ReadAsStringAsync(Cancel));
    }

    private Task<ServerFixture> StartAsync(string[]? settings = null) => ServerFixture.StartAsync(
        settings,
        builder =>
        {
            builder.Services.AddSingleton<TimeProvider>(_time);
            builder.Services.AddSingleton<IApiKeyVerifier, AnyKey>();
        },
        static app =>
        {
            var routes = app.MapGroup("/limits").RateLimited();
            routes.MapGet("/ok", () => "ok");
            routes.MapGet("/secure", () => "ok").RequireCaller();
            routes.MapGet("/bug", string () => throw new InvalidOperationException());
            routes.MapGet("/nothing", () => TypedResults.StatusCode(404));
            routes.MapGet("/stream", async (HttpContext context) =>
            {
                context.Response.ContentType = "text/event-stream";
                await context.Response.Body.FlushAsync(context.RequestAborted);
            });
            app.MapGet("/address", (HttpContext context, ForwardedClient client) => client.AddressOf(context).ToString());
        });

    private static async Task<string[]> RemainingAsync(ServerFixture server, string path, int times, params (string Name, string Value)[] headers)
    {
        var remaining = new List<string>();
        for (var i = 0; i < times; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            foreach (var (name, value) in headers)
            {
                request.Headers.Add(name, value);
            }

            using var response = await server.Client.SendAsync(request, Cancel);
            remaining.Add(response.Header("X-RateLimit-Remaining"));
        }

        return [.. remaining];
    }

    private static (string, string, string, string) Limits(HttpResponseMessage response) =>
        (response.Header("X-RateLimit-Limit"), response.Header("X-RateLimit-Remaining"), response.Header("X-RateLimit-Window"), response.Header("X-RateLimit-Reset"));

    /// <summary>Knows every key that begins with <c>key-</c>.</summary>
    internal sealed class AnyKey : IApiKeyVerifier
    {
        public ValueTask<CallerResult> VerifyAsync(string key, HttpContext context, CancellationToken cancellationToken) => new(
            key.StartsWith("key-", StringComparison.Ordinal)
                ? CallerResult.Valid(new() { OwnerId = 1, Scopes = Scopes.Design, RateLimitKey = key })
                : CallerResult.Invalid);
    }
}
