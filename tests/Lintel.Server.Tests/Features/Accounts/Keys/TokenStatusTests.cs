using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Lintel.Infrastructure;

namespace Lintel.Features.Accounts.Keys;

public abstract class TokenStatusTests(AccountsServer server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_good_access_token_is_described()
    {
        var person = await server.SignInAsync();
        var answer = await IntrospectAsync(person.Tokens.Access);
        var claims = TestJwt.Payload(person.Tokens.Access);

        Assert.True(answer.GetProperty("active").GetBoolean());
        Assert.Equal(("access_token", person.Email, "design execute tasks files chat"), (Text(answer, "token_type"), Text(answer, "username"), Text(answer, "scope")));
        foreach (var name in new[] { "sub", "jti", "sid", "iss", "aud", "iat", "exp" })
        {
            Assert.Equal(claims.GetProperty(name).GetRawText(), answer.GetProperty(name).GetRawText());
        }
    }

    [Fact]
    public async Task Of_two_refresh_tokens_the_newest_is_good()
    {
        var tokens = (await server.SignInAsync()).Tokens;
        using var refreshed = await server.RefreshAsync(tokens.Refresh);
        var newest = (await Tokens.OfAsync(refreshed)).Refresh;

        Assert.Equal("refresh_token", Text(await IntrospectAsync(newest), "token_type"));
        Assert.Equal("""{"active":false}""", (await IntrospectAsync(tokens.Refresh)).GetRawText());
    }

    [Fact]
    public async Task Of_any_other_token_nothing_is_told()
    {
        var person = await server.SignInAsync();
        var locked = await server.SignInAsync();
        await server.LockAsync(locked);
        var signedOut = await server.SignInAsync();
        using var logout = await server.LogoutAsync(signedOut.Tokens.Refresh);
        string[] tokens =
        [
            "x", "a.b.c", new string('A', 10_000), TestJwt.Change(person.Tokens.Access, _ => { }, key: new byte[32]), TestJwt.Change(person.Tokens.Access, _ => { }, algorithm: "none"),
            locked.Tokens.Access, locked.Tokens.Refresh, signedOut.Tokens.Access, signedOut.Tokens.Refresh,
        ];
        foreach (var token in tokens)
        {
            Assert.Equal("""{"active":false}""", (await IntrospectAsync(token)).GetRawText());
        }
    }

    [Fact]
    public async Task An_expired_token_is_not_good()
    {
        var person = await server.SignInAsync();
        Assert.True((await IntrospectAsync(person.Tokens.Access)).GetProperty("active").GetBoolean());
        server.Clock.Advance(TimeSpan.FromMinutes(15));

        Assert.Equal("""{"active":false}""", (await IntrospectAsync(person.Tokens.Access)).GetRawText());
        Assert.True((await IntrospectAsync(person.Tokens.Refresh)).GetProperty("active").GetBoolean());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Either_token_of_a_pair_ends_its_session(bool byAccessToken)
    {
        var person = await server.SignInAsync();
        var other = await server.SignInAsync(person.Email);
        var key = await KeyAsync("tokens");

        using var response = await PostAsync("/auth/revoke", byAccessToken ? person.Tokens.Access : person.Tokens.Refresh, key);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("AUTH_TOKEN_REVOKED", await server.MeErrorAsync(person.Tokens.Access));
        Assert.Equal("AUTH_TOKEN_REVOKED", await server.RefreshErrorAsync(person.Tokens.Refresh));
        Assert.Equal(HttpStatusCode.OK, await server.StatusOfMeAsync(other.Access));
        using var again = await PostAsync("/auth/revoke", person.Tokens.Refresh, key);
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
    }

    [Fact]
    public async Task A_forged_token_ends_nothing_and_is_answered_as_any_other()
    {
        var person = await server.SignInAsync();
        var key = await KeyAsync("tokens");
        foreach (var token in new[]
        {
            TestJwt.Change(person.Tokens.Refresh, _ => { }, key: new byte[32]),
            TestJwt.Change(person.Tokens.Access, _ => { }, key: new byte[32]),
            TestJwt.Change(person.Tokens.Refresh, _ => { }, algorithm: "none"),
            "unknown",
        })
        {
            using var response = await PostAsync("/auth/revoke", token, key);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }

        Assert.Equal(HttpStatusCode.OK, await server.StatusOfMeAsync(person.Tokens.Access));
    }

    [Fact]
    public async Task Only_callers_with_the_scope_may_ask()
    {
        var person = await server.SignInAsync();
        foreach (var path in new[] { "/auth/introspect", "/auth/revoke" })
        {
            using var nobody = await PostAsync(path, person.Tokens.Access, null);
            using var wrong = await PostAsync(path, person.Tokens.Access, await KeyAsync("design"));
            using var personally = await PostAsync(path, person.Tokens.Access, null, person.Tokens.Access);
            using var staticKey = await PostAsync(path, person.Tokens.Access, "test-static-key");

            Assert.Equal(HttpStatusCode.Unauthorized, nobody.StatusCode);
            Assert.All([wrong, personally, staticKey], response => Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode));
        }

        Assert.Equal(HttpStatusCode.OK, await server.StatusOfMeAsync(person.Tokens.Access));
    }

    [Fact]
    public async Task It_is_a_form_with_a_token()
    {
        var key = await KeyAsync("tokens");
        using var json = new HttpRequestMessage(HttpMethod.Post, "/auth/introspect") { Content = JsonContent.Create(new { token = "x" }) };
        json.Headers.Add("X-API-Key", key);
        using var notForm = await server.Client.SendAsync(json, Cancel);
        using var empty = new HttpRequestMessage(HttpMethod.Post, "/auth/introspect") { Content = new FormUrlEncodedContent([]) };
        empty.Headers.Add("X-API-Key", key);
        using var withoutToken = await server.Client.SendAsync(empty, Cancel);

        Assert.Equal(HttpStatusCode.UnsupportedMediaType, notForm.StatusCode);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, withoutToken.StatusCode);
    }

    [Fact]
    public async Task Nobody_can_make_a_key_of_a_scope_that_they_do_not_have()
    {
        var person = await server.SignInAsync();
        using var refused = await MakeKeyAsync(person.Tokens.Access, "tokens");

        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
    }

    private static string? Text(JsonElement answer, string name) => answer.GetProperty(name).GetString();

    private async Task<JsonElement> IntrospectAsync(string token)
    {
        using var response = await PostAsync("/auth/introspect", token, await KeyAsync("tokens"));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("no-store", response.Headers.CacheControl!.ToString());
        return await response.JsonAsync();
    }

    private async Task<HttpResponseMessage> PostAsync(string path, string token, string? key, string? bearer = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new FormUrlEncodedContent([new("token", token), new("token_type_hint", "access_token")]) };
        if (key is not null)
        {
            request.Headers.Add("X-API-Key", key);
        }

        request.Headers.Authorization = bearer is null ? null : new AuthenticationHeaderValue("Bearer", bearer);
        return await server.Client.SendAsync(request, Cancel);
    }

    private async Task<string> KeyAsync(string scope)
    {
        var admin = await server.SignInAsync();
        await server.ExecuteAsync("UPDATE account SET role = 'admin' WHERE id = $1", admin.Id);
        using var made = await MakeKeyAsync((await server.SignInAsync(admin.Email)).Access, scope);
        return (await made.JsonAsync()).GetProperty("key").GetString()!;
    }

    private async Task<HttpResponseMessage> MakeKeyAsync(string accessToken, string scope)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/keys") { Content = JsonContent.Create(new { name = "service", scopes = new[] { scope } }) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", accessToken);
        return await server.Client.SendAsync(request, Cancel);
    }
}

public sealed class TokenStatusOnSqliteTests(SqliteAccountsServer server) : TokenStatusTests(server), IClassFixture<SqliteAccountsServer>;

public sealed class TokenStatusOnPostgresTests(PostgresAccountsServer server) : TokenStatusTests(server), IClassFixture<PostgresAccountsServer>;
