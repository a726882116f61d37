using System.Net;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Lintel.Infrastructure;
using Lintel.Platform.Breakers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Features.Accounts.External;

/// <summary>What happens when a browser, a client or a provider is not what it should be.</summary>
public sealed class ExternalAttackTests(SqliteExternalServer server) : IClassFixture<SqliteExternalServer>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("https://attacker.example/")]
    [InlineData("https://app.example.com/signed-in/")]
    [InlineData("https://app.example.com/signed-in?x=1")]
    [InlineData("https://app.example.com/signed-in#x")]
    [InlineData("https://app.example.com.attacker.example/signed-in")]
    [InlineData("https://app.example.com@attacker.example/signed-in")]
    [InlineData("https://APP.example.com/signed-in")]
    [InlineData("http://app.example.com/signed-in")]
    [InlineData("//attacker.example/")]
    [InlineData("/auth/me")]
    [InlineData("javascript:alert(1)")]
    [InlineData("")]
    public async Task A_browser_is_sent_back_to_known_addresses_only(string returnTo)
    {
        using var response = await server.Client.GetAsync(
            $"/auth/external/corp?return_to={Uri.EscapeDataString(returnTo)}&code_challenge={ExternalServer.NewChallenge().Challenge}", Cancel);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        Assert.Null(response.Headers.Location);
    }

    [Theory]
    [InlineData("")]
    [InlineData("&code_challenge=short")]
    [InlineData("&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c%21")]
    [InlineData("&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=plain")]
    public async Task A_client_binds_the_sign_in_to_itself(string query)
    {
        using var response = await server.Client.GetAsync($"/auth/external/corp?return_to={Uri.EscapeDataString(ExternalServer.App)}{query}", Cancel);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
    }

    [Fact]
    public async Task Providers_are_listed_and_others_are_not_found()
    {
        using var list = await server.Client.GetAsync("/auth/external", Cancel);
        using var unknown = await server.Client.GetAsync("/auth/external/unknown", Cancel);
        using var callback = await server.Client.GetAsync("/auth/external/unknown/callback", Cancel);
        var corp = (await list.JsonAsync()).GetProperty("providers").EnumerateArray().First();

        Assert.Equal(("corp", "The company"), (corp.GetProperty("id").GetString(), corp.GetProperty("label").GetString()));
        Assert.DoesNotContain("secret", await list.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.NotFound), (unknown.StatusCode, callback.StatusCode));
    }

    [Fact]
    public async Task The_provider_is_asked_with_PKCE_state_and_nonce_and_to_come_back_to_the_public_address_alone()
    {
        using var request = new HttpRequestMessage(
            HttpMethod.Get, $"/auth/external/corp?return_to={Uri.EscapeDataString(ExternalServer.App)}&code_challenge={ExternalServer.NewChallenge().Challenge}");
        request.Headers.Host = "attacker.example";
        using var response = await server.Client.SendAsync(request, Cancel);
        var query = QueryHelpers.ParseQuery(response.Headers.Location!.Query);

        Assert.Equal(ExternalServer.PublicUrl + "auth/external/corp/callback", query["redirect_uri"]);
        Assert.Equal(("code", "S256", "openid email profile"), (query["response_type"].ToString(), query["code_challenge_method"].ToString(), query["scope"].ToString()));
        Assert.All(["state", "nonce", "code_challenge"], name => Assert.NotEqual("", query[name].ToString()));
        var cookie = response.Header("Set-Cookie").ToLowerInvariant();
        Assert.Contains("httponly", cookie, StringComparison.Ordinal);
        Assert.Contains("samesite=lax", cookie, StringComparison.Ordinal);
        Assert.Contains("path=/auth/external/corp/callback", cookie, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("&state=")]
    [InlineData("&state=forged")]
    [InlineData("&state=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public async Task A_wrong_state_leads_nowhere(string state)
    {
        using var response = await server.Client.GetAsync("/auth/external/rogue/callback?code=x" + state, Cancel);

        Assert.Equal("FORBIDDEN", await response.ErrorCodeAsync());
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
    }

    [Fact]
    public async Task What_another_browser_began_is_not_finished_here()
    {
        // The attacker signs in at the provider and makes the victim's browser open the end of it.
        using var attacker = server.NewBrowser();
        using var victim = server.NewBrowser();
        var end = await server.SignInAtCorpAsync(attacker, await server.BeginAsync(attacker, "corp", ExternalServer.NewChallenge().Challenge), AccountsServer.NewEmail());
        await server.BeginAsync(victim, "corp", ExternalServer.NewChallenge().Challenge);

        using var response = await server.ReturnAsync(victim, end);

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.Null(response.Headers.Location);
    }

    [Fact]
    public async Task An_end_that_is_opened_twice_works_once_even_with_the_cookie_put_back()
    {
        var cookies = new CookieContainer();
        using var copying = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, CookieContainer = cookies }) { BaseAddress = server.BaseAddress };
        var end = await server.SignInAtCorpAsync(copying, await server.BeginAsync(copying, "corp", ExternalServer.NewChallenge().Challenge), AccountsServer.NewEmail());
        var saved = cookies.GetCookieHeader(new Uri(server.BaseAddress, "/auth/external/corp/callback"));
        using var first = await server.ReturnAsync(copying, end);
        ExternalServer.Answer(first, "code");

        using var second = await server.ReturnAsync(copying, end);
        Assert.Equal(HttpStatusCode.Forbidden, second.StatusCode);

        using var third = new HttpRequestMessage(HttpMethod.Get, end.PathAndQuery);
        third.Headers.Add("Cookie", saved);
        using var again = await server.Client.SendAsync(third, Cancel);
        Assert.Equal("server_error", ExternalServer.Answer(again, "error"));
    }

    [Fact]
    public async Task The_answer_of_one_provider_is_not_taken_for_anothers()
    {
        using var browser = server.NewBrowser();
        var challenge = ExternalServer.NewChallenge().Challenge;
        var end = await server.SignInAtCorpAsync(browser, await server.BeginAsync(browser, "corp", challenge), AccountsServer.NewEmail());
        await server.BeginAsync(browser, "rogue", challenge);
        var requests = server.Rogue.TokenRequests;

        // The state is the company's, and so is the issuer that the answer names.
        using var elsewhere = await browser.GetAsync("/auth/external/rogue/callback" + end.Query, Cancel);
        using var misnamed = await browser.GetAsync("/auth/external/corp/callback" + end.Query.Replace("iss=", "iss=http%3A%2F%2Fattacker.example&x=", StringComparison.Ordinal), Cancel);
        using var unnamed = await browser.GetAsync("/auth/external/corp/callback" + end.Query.Replace("iss=", "x=", StringComparison.Ordinal), Cancel);

        Assert.All([elsewhere, misnamed, unnamed], response => Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode));
        Assert.Equal(requests, server.Rogue.TokenRequests);
    }

    [Fact]
    public async Task A_sign_in_that_was_begun_long_ago_is_not_finished()
    {
        using var browser = server.NewBrowser();
        var begun = await server.BeginAsync(browser, "rogue", ExternalServer.NewChallenge().Challenge);
        server.Clock.Advance(TimeSpan.FromMinutes(11));

        using var response = await browser.GetAsync($"/auth/external/rogue/callback?code=x&state={State(begun)}", Cancel);

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
    }

    [Fact]
    public async Task Whoever_changes_their_mind_comes_back_with_the_error()
    {
        using var browser = server.NewBrowser();
        var begun = await server.BeginAsync(browser, "rogue", ExternalServer.NewChallenge().Challenge);
        using var response = await browser.GetAsync($"/auth/external/rogue/callback?error=access_denied&error_description=%3Cscript%3E&state={State(begun)}", Cancel);

        Assert.Equal("access_denied", ExternalServer.Answer(response, "error"));
    }

    [Fact]
    public async Task A_proper_ID_token_opens_an_account()
    {
        var (verifier, response) = await FinishRogueAsync((nonce, now) => server.Rogue.Sign(nonce, now, AccountsServer.NewEmail()));
        using (response)
        {
            using var exchanged = await server.ExchangeAsync((ExternalServer.Answer(response, "code"), verifier));
            Assert.Equal(HttpStatusCode.OK, exchanged.StatusCode);
        }
    }

    public static TheoryData<string> Forgeries => [.. Forged.Keys];

    [Theory]
    [MemberData(nameof(Forgeries))]
    public async Task An_ID_token_that_proves_nothing_opens_nothing(string forgery)
    {
        var (_, response) = await FinishRogueAsync((nonce, now) => Forged[forgery](server.Rogue, nonce, now));
        using (response)
        {
            Assert.Equal("server_error", ExternalServer.Answer(response, "error"));
        }
    }

    [Fact]
    public async Task An_answer_about_somebody_else_is_not_taken()
    {
        server.Rogue.UserInfo = new { sub = "the victim", email = "victim@example.com", email_verified = true };
        var (_, response) = await FinishRogueAsync((nonce, now) => server.Rogue.Sign(nonce, now, "x@example.com", claims => claims.Remove("email")));
        using (response)
        {
            Assert.Equal("server_error", ExternalServer.Answer(response, "error"));
        }
    }

    [Fact]
    public async Task A_provider_that_answers_too_much_redirects_or_talks_nonsense_is_not_listened_to()
    {
        var misdeeds = new (Func<HttpContext, Task> Misdeed, string Error)[]
        {
            (static context => context.Response.WriteAsync(new string(' ', 1024 * 1024) + "{}"), "temporarily_unavailable"),
            (static context => context.Response.WriteAsync("<html>"), "temporarily_unavailable"),
            (static context => context.Response.WriteAsync("[]"), "server_error"),
            (static context => { context.Response.Redirect("http://169.254.169.254/"); return Task.CompletedTask; }, "server_error"),
            (static context => { context.Response.StatusCode = 400; return context.Response.WriteAsync("{\"error\":\"invalid_grant\"}"); }, "server_error"),
            (static context => { context.Abort(); return Task.CompletedTask; }, "temporarily_unavailable"),
        };
        foreach (var (misdeed, error) in misdeeds)
        {
            server.Rogue.Misbehave = misdeed;
            var (_, response) = await FinishRogueAsync((_, _) => "");
            using (response)
            {
                Assert.Equal(error, ExternalServer.Answer(response, "error"));
            }
        }

        await server.Services.GetRequiredService<Breakers>()["oauth-rogue"].ResetAsync();
    }

    [Fact]
    public async Task A_provider_that_is_down_is_left_alone_for_a_while()
    {
        var breaker = server.Services.GetRequiredService<Breakers>()["oauth-down"];
        for (var i = 0; i < 8; i++)
        {
            using var response = await server.Client.GetAsync(
                $"/auth/external/down?return_to={Uri.EscapeDataString(ExternalServer.App)}&code_challenge={ExternalServer.NewChallenge().Challenge}", Cancel);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        }

        Assert.Equal("open", breaker.State);
        Assert.Equal(breaker.Options.Failures, server.Rogue.DownRequests);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_provider_that_never_answers_is_asked_once_for_all_and_holds_up_nobody_elses_page()
    {
        var place = $"/auth/external/hang?return_to={Uri.EscapeDataString(ExternalServer.App)}&code_challenge={ExternalServer.NewChallenge().Challenge}";
        var started = TimeProvider.System.GetTimestamp();
        using var impatient = new CancellationTokenSource();
        var gone = server.Client.GetAsync(place, impatient.Token);
        await Eventually.HoldsAsync(() => server.Rogue.HangRequests == 1);
        var waiting = Enumerable.Range(0, 30).Select(_ => server.Client.GetAsync(place, Cancel)).ToArray();

        // Who began it goes away, and those who came after still wait for the same answer; at the other providers people sign in meanwhile.
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gone);
        await server.BeginAsync(server.Client, "corp", ExternalServer.NewChallenge().Challenge);
        await server.BeginAsync(server.Client, "rogue", ExternalServer.NewChallenge().Challenge);
        Assert.DoesNotContain(waiting, static answer => answer.IsCompleted);

        foreach (var answer in waiting)
        {
            using var response = await answer;
            Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        }

        // One time-out for all of them, where each waiting its turn would have taken five minutes.
        Assert.Equal(1, server.Rogue.HangRequests);
        Assert.True(TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(40), TimeProvider.System.GetElapsedTime(started).ToString());
    }

    [Fact]
    public async Task A_configuration_that_speaks_for_another_issuer_is_not_believed()
    {
        using var response = await server.Client.GetAsync(
            $"/auth/external/liar?return_to={Uri.EscapeDataString(ExternalServer.App)}&code_challenge={ExternalServer.NewChallenge().Challenge}", Cancel);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Null(response.Headers.Location);
    }

    [Fact]
    public async Task GitHub_is_asked_for_the_address_and_whether_it_is_verified()
    {
        var email = AccountsServer.NewEmail();
        server.Rogue.GitHubEmails = new object[] { new { email = "old@example.com", primary = false, verified = true }, new { email, primary = true, verified = false } };
        using (var refused = await FinishGitHubAsync())
        {
            Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
        }

        server.Rogue.GitHubEmails = new object[] { new { email, primary = true, verified = true } };
        using var accepted = await FinishGitHubAsync();
        Assert.Equal(email, Tokens.Claims((await Tokens.OfAsync(accepted)).Access).GetProperty("email").GetString());
    }

    [Fact]
    public async Task Nothing_that_is_secret_is_logged()
    {
        var grant = await server.CodeAsync(AccountsServer.NewEmail());
        using var exchanged = await server.ExchangeAsync(grant);
        var tokens = await Tokens.OfAsync(exchanged);

        Assert.DoesNotContain(grant.Code, server.Log.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(grant.Verifier, server.Log.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(tokens.Refresh, server.Log.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("lintel.external.", server.Log.Text, StringComparison.Ordinal);
    }

    private static readonly Dictionary<string, Func<RogueProvider, string, DateTimeOffset, string?>> Forged = new(StringComparer.Ordinal)
    {
        ["none at all"] = static (_, _, _) => null,
        ["no token"] = static (_, _, _) => "x.y.z",
        ["alg none"] = static (rogue, nonce, now) => rogue.Sign(nonce, now, "x@example.com", header: """{"alg":"none"}"""),
        ["alg none, unsigned"] = static (rogue, nonce, now) => rogue.Sign(nonce, now, "x@example.com", header: """{"alg":"none","kid":"rogue"}""").Split('.') is [var h, var p, _] ? $"{h}.{p}." : null,
        ["HS256 by the public key"] = static (rogue, nonce, now) => rogue.Sign(nonce, now, "x@example.com", header: """{"alg":"HS256","kid":"rogue"}"""),
        ["another key"] = static (rogue, nonce, now) =>
        {
            using var key = RSA.Create(2048);
            return rogue.Sign(nonce, now, "x@example.com", key: key);
        },
        ["unknown key"] = static (rogue, nonce, now) => rogue.Sign(nonce, now, "x@example.com", header: """{"alg":"RS256","kid":"unknown"}"""),
        ["a key of its own"] = static (rogue, nonce, now) => rogue.Sign(nonce, now, "x@example.com", header: """{"alg":"RS256","kid":"rogue","jwk":{}}"""),
        ["another nonce"] = static (rogue, _, now) => rogue.Sign("another", now, "x@example.com"),
        ["no nonce"] = static (rogue, nonce, now) => rogue.Sign(nonce, now, "x@example.com", static claims => claims.Remove("nonce")),
        ["expired"] = static (rogue, nonce, now) => rogue.Sign(nonce, now, "x@example.com", claims => claims["exp"] = (now - TimeSpan.FromMinutes(2)).ToUnixTimeSeconds()),
        ["without an end"] = static (rogue, nonce, now) => rogue.Sign(nonce, now, "x@example.com", static claims => claims.Remove("exp")),
        ["of tomorrow"] = static (rogue, nonce, now) => rogue.Sign(nonce, now, "x@example.com", claims => claims["iat"] = (now + TimeSpan.FromDays(1)).ToUnixTimeSeconds()),
        ["another issuer"] = static (rogue, nonce, now) => rogue.Sign(nonce, now, "x@example.com", static claims => claims["iss"] = "https://accounts.google.com"),
        ["another audience"] = static (rogue, nonce, now) => rogue.Sign(nonce, now, "x@example.com", static claims => claims["aud"] = "another"),
        ["many audiences"] = static (rogue, nonce, now) => rogue.Sign(nonce, now, "x@example.com", static claims => claims["aud"] = new JsonArray("lintel", "another")),
        ["made for another"] = static (rogue, nonce, now) => rogue.Sign(nonce, now, "x@example.com", static claims => claims["azp"] = "another"),
        ["nobody"] = static (rogue, nonce, now) => rogue.Sign(nonce, now, "x@example.com", static claims => claims["sub"] = ""),
        ["a number"] = static (rogue, nonce, now) => rogue.Sign(nonce, now, "x@example.com", static claims => claims["sub"] = 1),
        ["a long name"] = static (rogue, nonce, now) => rogue.Sign(nonce, now, "x@example.com", static claims => claims["sub"] = new string('x', 256)),
    };

    private static string State(Uri begun) => Uri.EscapeDataString(QueryHelpers.ParseQuery(begun.Query)["state"].ToString());

    private async Task<(string Verifier, HttpResponseMessage Response)> FinishRogueAsync(Func<string, DateTimeOffset, string?> idToken)
    {
        using var browser = server.NewBrowser();
        var (verifier, challenge) = ExternalServer.NewChallenge();
        var begun = await server.BeginAsync(browser, "rogue", challenge);
        server.Rogue.IdToken = idToken(QueryHelpers.ParseQuery(begun.Query)["nonce"].ToString(), server.Clock.GetUtcNow());
        try
        {
            return (verifier, await browser.GetAsync($"/auth/external/rogue/callback?code=x&state={State(begun)}", Cancel));
        }
        finally
        {
            server.Rogue.Reset();
        }
    }

    private async Task<HttpResponseMessage> FinishGitHubAsync()
    {
        using var browser = server.NewBrowser();
        var (verifier, challenge) = ExternalServer.NewChallenge();
        var begun = await server.BeginAsync(browser, "github", challenge);
        using var response = await browser.GetAsync($"/auth/external/github/callback?code=x&state={State(begun)}", Cancel);
        return await server.ExchangeAsync((ExternalServer.Answer(response, "code"), verifier));
    }
}
