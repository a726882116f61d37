using System.Buffers.Text;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Lintel.Infrastructure;
using Microsoft.AspNetCore.WebUtilities;

namespace Lintel.Features.Accounts.External;

/// <summary>A server with three providers: <c>corp</c>, which is the oidc-provider of npm, and <c>rogue</c> and <c>github</c>, which say what a test wants.</summary>
public abstract partial class ExternalServer : AccountsServer, IAsyncDisposable
{
    public const string App = "https://app.example.com/signed-in";
    public const string PublicUrl = "http://lintel.test/";

    private const string CorpSecret = "s:cret/of+corp 1234567890%";

    private readonly NodeProgram _corp;

    private protected ExternalServer(TestDatabaseKind kind)
        : this(kind, new MovableClock(), NodeProgram.Start("openid-provider.mjs", PublicUrl + "auth/external/corp/callback", CorpSecret), new RogueProvider())
    {
    }

    private ExternalServer(TestDatabaseKind kind, MovableClock clock, NodeProgram corp, RogueProvider rogue)
        : base(
            kind,
            clock,
            $"--PUBLIC_URL={PublicUrl}",
            $"--OAUTH_RETURN_URLS={App},https://other.example.com/",
            "--OAUTH_CORP_CLIENT_ID=lintel",
            $"--OAUTH_CORP_CLIENT_SECRET={CorpSecret}",
            $"--OAUTH_CORP_ISSUER={corp.ReadFirst().GetProperty("issuer").GetString()}",
            "--OAUTH_CORP_LABEL=The company",
            $"--OAUTH_ROGUE_CLIENT_ID={RogueProvider.ClientId}",
            $"--OAUTH_ROGUE_CLIENT_SECRET={RogueProvider.ClientSecret}",
            $"--OAUTH_ROGUE_ISSUER={rogue.Address}",
            "--OAUTH_LIAR_CLIENT_ID=lintel",
            "--OAUTH_LIAR_CLIENT_SECRET=x",
            $"--OAUTH_LIAR_ISSUER={rogue.Address}/liar",
            "--OAUTH_GITHUB_CLIENT_ID=lintel",
            "--OAUTH_GITHUB_CLIENT_SECRET=x",
            $"--OAUTH_GITHUB_ISSUER={rogue.Address}",
            "--OAUTH_DOWN_CLIENT_ID=lintel",
            "--OAUTH_DOWN_CLIENT_SECRET=x",
            $"--OAUTH_DOWN_ISSUER={rogue.Address}/down",
            "--OAUTH_HANG_CLIENT_ID=lintel",
            "--OAUTH_HANG_CLIENT_SECRET=x",
            $"--OAUTH_HANG_ISSUER={rogue.Address}/hang") => (_corp, Rogue) = (corp, rogue);

    internal RogueProvider Rogue { get; }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>A browser: it keeps cookies, and goes where it is sent when it is told to.</summary>
    public HttpClient NewBrowser() => new(new SocketsHttpHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() }) { BaseAddress = BaseAddress };

    public static (string Verifier, string Challenge) NewChallenge()
    {
        var verifier = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        return (verifier, Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(verifier))));
    }

    /// <summary>Where a provider is asked.</summary>
    public async Task<Uri> BeginAsync(HttpClient browser, string provider, string challenge, string returnTo = App)
    {
        using var response = await browser.GetAsync($"/auth/external/{provider}?return_to={Uri.EscapeDataString(returnTo)}&code_challenge={challenge}&code_challenge_method=S256", Cancel);
        Assert.Equal(HttpStatusCode.Redirect, response.StatusCode);
        return response.Headers.Location!;
    }

    /// <summary>Signs in at the company's login page, and agrees; ends where the company sends the browser back to.</summary>
    public async Task<Uri> SignInAtCorpAsync(HttpClient browser, Uri place, string login)
    {
        for (var step = 0; step < 12; step++)
        {
            using var page = await browser.GetAsync(place, Cancel);
            if (page.Headers.Location is { } next)
            {
                place = new Uri(place, next);
            }
            else
            {
                var html = await page.Content.ReadAsStringAsync(Cancel);
                var action = FormAction().Match(html).Groups[1].Value;
                var prompt = html.Contains("name=\"login\"", StringComparison.Ordinal) ? "login" : "consent";
                using var form = new FormUrlEncodedContent([new("prompt", prompt), new("login", login), new("password", "any")]);
                using var sent = await browser.PostAsync(new Uri(place, action), form, Cancel);
                Assert.True(sent.Headers.Location is not null, html);
                place = new Uri(place, sent.Headers.Location);
            }

            if (place.AbsoluteUri.StartsWith(PublicUrl, StringComparison.Ordinal))
            {
                return place;
            }
        }

        throw new InvalidOperationException("The provider sends the browser in circles.");
    }

    /// <summary>Goes where a provider sent the browser; the name of <c>PUBLIC_URL</c> is this server's.</summary>
    public Task<HttpResponseMessage> ReturnAsync(HttpClient browser, Uri place) => browser.GetAsync(new Uri(BaseAddress, place.PathAndQuery), Cancel);

    /// <summary>All the way to a code for the client, and its verifier.</summary>
    public async Task<(string Code, string Verifier)> CodeAsync(string login)
    {
        using var browser = NewBrowser();
        var (verifier, challenge) = NewChallenge();
        using var returned = await ReturnAsync(browser, await SignInAtCorpAsync(browser, await BeginAsync(browser, "corp", challenge), login));
        return (Answer(returned, "code"), verifier);
    }

    /// <summary>What the browser carries to the application, which must be the right one and get nothing else.</summary>
    public static string Answer(HttpResponseMessage response, string name)
    {
        Assert.Equal(HttpStatusCode.Redirect, response.StatusCode);
        Assert.Equal(App, response.Headers.Location!.GetLeftPart(UriPartial.Path));
        var query = QueryHelpers.ParseQuery(response.Headers.Location.Query);
        Assert.Equal([name], query.Keys);
        return query[name].ToString();
    }

    public Task<HttpResponseMessage> ExchangeAsync((string Code, string Verifier) grant) => PostAsync("/auth/external/token", new { code = grant.Code, code_verifier = grant.Verifier });

    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string accessToken, (string Code, string Verifier)? grant = null)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", accessToken);
        if (grant is { } sent)
        {
            request.Content = JsonContent.Create(new { code = sent.Code, code_verifier = sent.Verifier });
        }

        return await Client.SendAsync(request, Cancel);
    }

    public Task VerifyEmailAsync(Person person) => ExecuteAsync("UPDATE account SET email_verified_at = created_at WHERE id = $1", person.Id);

    async ValueTask IAsyncDisposable.DisposeAsync()
    {
        await DisposeAsync();
        _corp.Dispose();
        Rogue.Dispose();
        GC.SuppressFinalize(this);
    }

    [GeneratedRegex("action=\"(?<address>[^\"]+)\"", RegexOptions.NonBacktracking)]
    private static partial Regex FormAction();
}

public sealed class SqliteExternalServer() : ExternalServer(TestDatabaseKind.Sqlite);

public sealed class PostgresExternalServer() : ExternalServer(TestDatabaseKind.Postgres);
