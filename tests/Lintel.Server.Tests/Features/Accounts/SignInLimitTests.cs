using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using Lintel.Infrastructure;

namespace Lintel.Features.Accounts;

/// <summary>Guessing passwords is limited by address; signing in rightly is not, however many share the address.</summary>
public sealed class SignInLimitTests
{
    private const string Password = "correct horse battery";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static Task<ServerFixture> StartAsync(int limit = 3) => ServerFixture.StartAsync([string.Create(CultureInfo.InvariantCulture, $"--RATE_LIMIT_SIGN_IN={limit}"), "--PASSWORD_HASH_ITERATIONS=10000"]);

    [Fact]
    public async Task Wrong_passwords_are_counted_and_then_refused()
    {
        await using var server = await StartAsync();
        Assert.Equal(HttpStatusCode.Created, await RegisterAsync(server, "mason@example.com"));

        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(HttpStatusCode.Unauthorized, await LoginAsync(server, "mason@example.com", "wrong horse battery"));
        }

        Assert.Equal(HttpStatusCode.TooManyRequests, await LoginAsync(server, "mason@example.com", Password));
    }

    [Fact]
    public async Task Guesses_made_all_at_once_are_counted_too()
    {
        await using var server = await StartAsync();

        var guesses = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => LoginAsync(server, "mason@example.com", $"wrong horse {i:000}")));

        Assert.Equal(3, guesses.Count(status => status == HttpStatusCode.Unauthorized));
        Assert.Equal(17, guesses.Count(status => status == HttpStatusCode.TooManyRequests));
    }

    [Fact]
    public async Task Neither_an_account_nor_a_key_nor_the_older_prefix_gives_more_guesses()
    {
        await using var server = await StartAsync();
        await RegisterAsync(server, "thief@example.com");
        using var signedIn = await server.Client.PostAsJsonAsync("/auth/login", new { email = "thief@example.com", password = Password }, Cancel);
        var token = (await Tokens.OfAsync(signedIn)).Access;

        List<HttpStatusCode> statuses = [];
        foreach (var (path, credential) in new[] { ("/auth/login", ""), ("/auth/login", "Bearer " + token), ("/api/auth/login", ""), ("/auth/login", "Bearer " + token), ("/api/auth/login", "") })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(new { email = "mason@example.com", password = "wrong horse" }) };
            request.Headers.TryAddWithoutValidation("Authorization", credential);
            using var response = await server.Client.SendAsync(request, Cancel);
            Assert.Equal("3", response.Header("X-RateLimit-Limit"));
            statuses.Add(response.StatusCode);
        }

        Assert.Equal([401, 401, 401, 429, 429], statuses.Select(static status => (int)status));
    }

    [Fact]
    public async Task Many_may_sign_in_from_one_address()
    {
        await using var server = await StartAsync();
        Assert.Equal(HttpStatusCode.Created, await RegisterAsync(server, "mason@example.com"));

        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(HttpStatusCode.OK, await LoginAsync(server, "mason@example.com", Password));
        }
    }

    private static async Task<HttpStatusCode> RegisterAsync(ServerFixture server, string email)
    {
        using var response = await server.Client.PostAsJsonAsync("/auth/register", new { email, password = Password }, Cancel);
        return response.StatusCode;
    }

    private static async Task<HttpStatusCode> LoginAsync(ServerFixture server, string email, string password)
    {
        using var response = await server.Client.PostAsJsonAsync("/auth/login", new { email, password }, Cancel);
        return response.StatusCode;
    }
}
