using System.Net;
using Lintel.Infrastructure;
using Lintel.Platform.Security;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Features.Accounts.Credentials;

public sealed class AccessTokenTests(SqliteAccountsServer server) : IClassFixture<SqliteAccountsServer>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Without_credentials_the_answer_says_what_to_send()
    {
        foreach (var path in new[] { "/auth/me", "/api/auth/me", "/api/jobs" })
        {
            using var response = await server.Client.GetAsync(path, Cancel);

            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
            Assert.Equal("AUTH_ERROR", await response.ErrorCodeAsync());
            Assert.Equal("Bearer", response.Headers.WwwAuthenticate.ToString());
        }
    }

    [Fact]
    public async Task A_token_made_elsewhere_from_the_same_claims_and_key_is_the_same()
    {
        var token = (await server.SignInAsync()).Tokens.Access;

        Assert.Equal(HttpStatusCode.OK, await server.StatusOfMeAsync(TestJwt.Change(token, claims => claims["extra"] = "ignored")));
    }

    [Fact]
    public async Task Only_the_configured_algorithm_is_taken()
    {
        var token = (await server.SignInAsync()).Tokens.Access;
        var parts = token.Split('.');
        string[] forged =
        [
            TestJwt.Change(token, _ => { }, algorithm: "none"),
            TestJwt.Change(token, _ => { }, algorithm: "None"),
            TestJwt.Change(token, _ => { }, algorithm: "none") + parts[2],
            TestJwt.Change(token, _ => { }, algorithm: "HS384"),
            TestJwt.Change(token, _ => { }, algorithm: "HS512"),
            TestJwt.Change(token, _ => { }, algorithm: "none")[..^1],
            $"{parts[0]}.{parts[1]}.",
            $"{parts[0]}.{parts[1]}",
        ];

        await AssertInvalidAsync(forged);
    }

    [Fact]
    public async Task Another_key_is_not_ours()
    {
        var token = (await server.SignInAsync()).Tokens.Access;

        await AssertInvalidAsync(
            TestJwt.Change(token, _ => { }, key: "another key of 32 bytes and more, but not ours"u8.ToArray()),
            TestJwt.Change(token, _ => { }, key: []));
    }

    [Fact]
    public async Task No_character_of_a_token_can_be_changed()
    {
        var token = (await server.SignInAsync()).Tokens.Access;
        Assert.Equal(HttpStatusCode.OK, await server.StatusOfMeAsync(token));
        var verifier = server.Services.GetRequiredService<IAccessTokenVerifier>();

        for (var i = 0; i < token.Length; i++)
        {
            foreach (var other in "AZaz09-_.=")
            {
                var changed = token.Remove(i, 1).Insert(i, other.ToString());
                Assert.True(changed == token || (await verifier.VerifyAsync(changed)).Status == CredentialStatus.Invalid, $"changed at {i} to {other}");
            }
        }

        // Of the last character two bits are not used; in a lenient reading three others would stand for the same signature.
        foreach (var other in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        {
            Assert.True(other == token[^1] || (await verifier.VerifyAsync(token[..^1] + other)).Status == CredentialStatus.Invalid, $"ending in {other}");
        }

        Assert.Equal(CredentialStatus.Invalid, (await verifier.VerifyAsync(token + "=")).Status);
        Assert.Equal(CredentialStatus.Invalid, (await verifier.VerifyAsync(token + ".")).Status);
        Assert.Equal(CredentialStatus.Invalid, (await verifier.VerifyAsync(" " + token)).Status);
    }

    [Fact]
    public async Task A_refresh_token_is_no_access_token()
    {
        var tokens = (await server.SignInAsync()).Tokens;

        await AssertInvalidAsync(tokens.Refresh);
    }

    [Theory]
    [InlineData("iss", "\"other\"")]
    [InlineData("iss", null)]
    [InlineData("aud", "\"other\"")]
    [InlineData("aud", null)]
    [InlineData("type", "\"refresh\"")]
    [InlineData("type", "\"ACCESS\"")]
    [InlineData("type", null)]
    [InlineData("sub", "7")]
    [InlineData("sub", "\"seven\"")]
    [InlineData("sub", "\"-1\"")]
    [InlineData("sub", "\"0\"")]
    [InlineData("sub", "\"99999999999999999999\"")]
    [InlineData("sub", null)]
    [InlineData("jti", null)]
    [InlineData("jti", "\"x\"")]
    [InlineData("sid", null)]
    [InlineData("sid", "\"x\"")]
    [InlineData("exp", null)]
    [InlineData("exp", "\"9999999999\"")]
    [InlineData("exp", "1e300")]
    [InlineData("exp", "9223372036854775807")]
    [InlineData("exp", "1")]
    [InlineData("iat", null)]
    [InlineData("iat", "{}")]
    [InlineData("scopes", "\"design\"")]
    [InlineData("scopes", "[1]")]
    [InlineData("email", null)]
    public async Task A_claim_that_is_not_as_we_write_it_is_refused_even_under_our_key(string claim, string? value)
    {
        var token = (await server.SignInAsync()).Tokens.Access;

        await AssertInvalidAsync(TestJwt.Change(token, claims =>
        {
            claims.Remove(claim);
            if (value is not null)
            {
                claims[claim] = System.Text.Json.Nodes.JsonNode.Parse(value);
            }
        }));
    }

    [Fact]
    public async Task What_is_no_token_is_refused()
    {
        var token = (await server.SignInAsync()).Tokens.Access;

        await AssertInvalidAsync(
            "x", ".", "..", "...", "....", "a.b.c", "a.b.c.d.e",
            TestJwt.Sign("null", TestJwt.Key), TestJwt.Sign("[]", TestJwt.Key), TestJwt.Sign("{", TestJwt.Key), TestJwt.Sign("\"text\"", TestJwt.Key), TestJwt.Sign("", TestJwt.Key),
            TestJwt.Change(token, claims => claims["pad"] = new string('x', 9000)),
            new string('A', 20_000));
    }

    [Theory]
    [InlineData("bearer ", HttpStatusCode.OK)]
    [InlineData("BEARER ", HttpStatusCode.OK)]
    [InlineData("Bearer   ", HttpStatusCode.OK)]
    [InlineData("Bearer", HttpStatusCode.Unauthorized)]
    [InlineData("Basic ", HttpStatusCode.Unauthorized)]
    [InlineData("", HttpStatusCode.Unauthorized)]
    public async Task The_scheme_is_bearer_in_any_case(string scheme, HttpStatusCode expected)
    {
        var token = (await server.SignInAsync()).Tokens.Access;
        using var response = await SendAsync(("Authorization", scheme + token));

        Assert.Equal(expected, response.StatusCode);
    }

    [Fact]
    public async Task Two_tokens_are_one_too_many()
    {
        var token = (await server.SignInAsync()).Tokens.Access;
        using var response = await SendAsync(("Authorization", "Bearer " + token), ("Authorization", "Bearer " + token));

        Assert.Equal("AUTH_TOKEN_INVALID", await response.ErrorCodeAsync());
    }

    [Fact]
    public async Task A_token_expires_on_the_second_whether_it_was_used_before_or_not()
    {
        var used = (await server.SignInAsync()).Tokens.Access;
        var unused = (await server.SignInAsync()).Tokens.Access;
        server.Clock.Advance(TimeSpan.FromSeconds(880));
        Assert.Equal(HttpStatusCode.OK, await server.StatusOfMeAsync(used));
        server.Clock.Advance(TimeSpan.FromSeconds(21));

        Assert.Equal("AUTH_TOKEN_EXPIRED", await server.MeErrorAsync(used));
        Assert.Equal("AUTH_TOKEN_EXPIRED", await server.MeErrorAsync(unused));
    }

    [Fact]
    public async Task A_lifetime_that_was_shortened_holds_for_older_tokens_too()
    {
        var token = (await server.SignInAsync()).Tokens.Access;
        var longer = TestJwt.Change(token, claims => claims["exp"] = claims["iat"]!.GetValue<long>() + 3600);
        var verifier = server.Services.GetRequiredService<IAccessTokenVerifier>();

        Assert.Equal((await verifier.VerifyAsync(token)).Caller!.ExpiresAt, (await verifier.VerifyAsync(longer)).Caller!.ExpiresAt);
    }

    [Fact]
    public async Task A_locked_or_deleted_account_is_not_shown()
    {
        var locked = await server.SignInAsync();
        var deleted = await server.SignInAsync();
        await server.LockAsync(locked);
        await server.ExecuteAsync("DELETE FROM account WHERE id = $1", deleted.Id);

        Assert.Equal(HttpStatusCode.Forbidden, await server.StatusOfMeAsync(locked.Tokens.Access));
        Assert.Equal("AUTH_TOKEN_REVOKED", await server.MeErrorAsync(deleted.Tokens.Access));
    }

    [Fact]
    public async Task A_socket_with_a_bad_token_is_refused_before_it_opens()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/ws/design/x");
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer nonsense");
        request.Headers.TryAddWithoutValidation("Upgrade", "websocket");
        request.Headers.TryAddWithoutValidation("Connection", "Upgrade");
        request.Headers.TryAddWithoutValidation("Sec-WebSocket-Version", "13");
        request.Headers.TryAddWithoutValidation("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
        using var response = await server.Client.SendAsync(request, Cancel);

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Equal("AUTH_TOKEN_INVALID", await response.ErrorCodeAsync());
    }

    [Fact]
    public void The_library_would_sign_what_we_sign()
    {
        var claims = new TokenClaims
        {
            Type = TokenType.Access,
            Issuer = TokenSigner.Issuer,
            Audience = TokenSigner.Audience,
            AccountId = 42,
            TokenId = Guid.CreateVersion7(),
            SessionId = Guid.CreateVersion7(),
            IssuedAt = 1_800_000_000,
            ExpiresAt = 1_800_000_900,
            Scopes = Scopes.Person,
            Email = "ü\"<a>@example.com",
        };
        var options = server.Services.GetRequiredService<TokenOptions>();
        var ours = server.Services.GetRequiredService<TokenSigner>().Sign(claims);

        var theirs = new Microsoft.IdentityModel.JsonWebTokens.JsonWebTokenHandler().CreateToken(
            TestJwt.Payload(ours).GetRawText(),
            new Microsoft.IdentityModel.Tokens.SigningCredentials(new Microsoft.IdentityModel.Tokens.SymmetricSecurityKey(options.SecretKey), "HS256"));

        Assert.Equal(theirs, ours);
        Assert.Equal(claims, server.Services.GetRequiredService<TokenReader>().Read(ours, TokenType.Access));
    }

    [Fact]
    public void The_memory_of_checked_tokens_is_bounded_and_keeps_those_in_use()
    {
        var verified = new RecentlyUsed<Caller>(100);
        var caller = new Caller { OwnerId = 1, Scopes = Scopes.None, RateLimitKey = "" };
        verified.Set("in use", caller);
        for (var i = 0; i < 10_000; i++)
        {
            verified.Set($"token {i}", caller);
            Assert.True(verified.TryGet("in use", out _));
            Assert.InRange(verified.Count, 1, 100);
        }

        Assert.False(verified.TryGet("token 0", out _));
        Assert.True(verified.TryGet("token 9999", out _));
    }

    private async Task AssertInvalidAsync(params string[] tokens)
    {
        foreach (var token in tokens)
        {
            Assert.Equal("AUTH_TOKEN_INVALID", await server.MeErrorAsync(token));
        }
    }

    private async Task<HttpResponseMessage> SendAsync(params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/auth/me");
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await server.Client.SendAsync(request, Cancel);
    }
}
