using System.Net;
using Lintel.Infrastructure;
using Lintel.Platform.RateLimits;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Lintel.Platform.Security;

public sealed class CallerMiddlewareTests
{
    private const string Key = "test-static-key";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/test/any", Key, HttpStatusCode.OK)]
    [InlineData("/test/design", Key, HttpStatusCode.OK)]
    [InlineData("/test/files", Key, HttpStatusCode.Forbidden)]
    [InlineData("/test/design-and-admin", Key, HttpStatusCode.Forbidden)]
    [InlineData("/test/any", "test-static-kez", HttpStatusCode.Unauthorized)]
    [InlineData("/test/any", "test-static-key ", HttpStatusCode.OK)] // HTTP trims blanks around a value.
    [InlineData("/test/any", "test-static-keyx", HttpStatusCode.Unauthorized)]
    [InlineData("/test/any", "TEST-STATIC-KEY", HttpStatusCode.Unauthorized)]
    public async Task The_static_key_opens_what_its_scopes_cover(string path, string key, HttpStatusCode expected)
    {
        await using var server = await StartAsync();
        using var response = await GetAsync(server, path, ("X-API-Key", key));

        Assert.Equal(expected, response.StatusCode);
        var code = expected switch { HttpStatusCode.Forbidden => "FORBIDDEN", HttpStatusCode.Unauthorized => "AUTH_TOKEN_INVALID", _ => null };
        Assert.Equal(code, code is null ? null : await response.ErrorCodeAsync());
    }

    [Fact]
    public async Task Where_no_key_is_configured_none_is_right()
    {
        await using var server = await StartAsync("--API_KEY=");
        foreach (var key in new[] { Key, "null", "0" })
        {
            using var response = await GetAsync(server, "/test/any", ("X-API-Key", key));
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        }
    }

    [Fact]
    public async Task A_key_counts_beside_an_authorization_that_is_not_ours_and_a_token_of_ours_counts_first()
    {
        await using var server = await StartAsync();
        using var basic = await GetAsync(server, "/test/any", ("Authorization", "Basic cHJveHk6cGFzcw=="), ("X-API-Key", Key));
        using var bearer = await GetAsync(server, "/test/any", ("Authorization", "Bearer nonsense"), ("X-API-Key", Key));
        using var none = await GetAsync(server, "/test/any", ("Authorization", ""), ("X-API-Key", ""));
        using var twice = await GetAsync(server, "/test/any", ("X-API-Key", Key), ("X-API-Key", Key));

        Assert.Equal(HttpStatusCode.OK, basic.StatusCode);
        Assert.Equal("AUTH_TOKEN_INVALID", await bearer.ErrorCodeAsync());
        Assert.Equal("AUTH_ERROR", await none.ErrorCodeAsync());
        Assert.Equal("AUTH_TOKEN_INVALID", await twice.ErrorCodeAsync());
    }

    [Fact]
    public async Task Guessing_keys_is_not_free()
    {
        await using var server = await StartAsync("--RATE_LIMIT_REQUESTS=3");
        var statuses = new List<HttpStatusCode>();
        for (var i = 0; i < 5; i++)
        {
            using var response = await GetAsync(server, "/test/limited", ("X-API-Key", $"guess {i}"));
            statuses.Add(response.StatusCode);
        }

        using var right = await GetAsync(server, "/test/limited", ("X-API-Key", Key));

        Assert.Equal([.. Enumerable.Repeat(HttpStatusCode.Unauthorized, 3), .. Enumerable.Repeat(HttpStatusCode.TooManyRequests, 2)], statuses);
        Assert.Equal(HttpStatusCode.OK, right.StatusCode);
    }

    private static Task<ServerFixture> StartAsync(params string[] settings) => ServerFixture.StartAsync(settings, map: static app =>
    {
        app.MapGet("/test/any", static () => Results.Ok()).RequireCaller();
        app.MapGet("/test/design", static () => Results.Ok()).RequireCaller(Scopes.Design);
        app.MapGet("/test/files", static () => Results.Ok()).RequireCaller(Scopes.Files);
        app.MapGet("/test/design-and-admin", static () => Results.Ok()).RequireCaller(Scopes.Design | Scopes.Admin);
        app.MapGet("/test/limited", static () => Results.Ok()).RequireCaller().RateLimited();
    });

    private static async Task<HttpResponseMessage> GetAsync(ServerFixture server, string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await server.Client.SendAsync(request, Cancel);
    }
}
