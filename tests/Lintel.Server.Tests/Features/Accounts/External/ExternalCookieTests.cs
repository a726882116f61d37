using System.Net;
using Lintel.Infrastructure;

namespace Lintel.Features.Accounts.External;

public sealed class ExternalCookieTests(ExternalCookieServer server) : IClassFixture<ExternalCookieServer>
{
    [Fact]
    public async Task The_cookie_goes_to_the_callback_as_the_browser_knows_it()
    {
        using var browser = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = server.BaseAddress };
        using var response = await browser.GetAsync(
            $"/auth/external/github?return_to=https://app.example.com/&code_challenge={ExternalServer.NewChallenge().Challenge}", TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.Redirect, response.StatusCode);
        var parts = Assert.Single(response.Headers.GetValues("Set-Cookie")).Split("; ");
        Assert.Contains("path=/base/auth/external/github/callback", parts);
        Assert.Contains("secure", parts);
        Assert.Contains("httponly", parts);
        Assert.Contains("samesite=lax", parts);
    }
}

/// <summary>A server that people reach below a path of another one.</summary>
public sealed class ExternalCookieServer() : AccountsServer(
    TestDatabaseKind.Sqlite,
    new MovableClock(),
    "--PUBLIC_URL=https://lintel.example.com/base",
    "--OAUTH_RETURN_URLS=https://app.example.com/",
    "--OAUTH_GITHUB_CLIENT_ID=lintel",
    "--OAUTH_GITHUB_CLIENT_SECRET=x");
