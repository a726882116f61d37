using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Lintel.Infrastructure;

namespace Lintel.Features.Accounts.SecondFactors;

/// <summary>Passkeys from end to end: a real browser and its own authenticator, against the real server.</summary>
public abstract class BrowserPasskeyTests(BrowserFactorsServer server)
{
    [Fact]
    public async Task A_browser_makes_a_passkey_signs_in_with_it_alone_and_answers_a_challenge()
    {
        var person = await server.SignInAsync();
        await using var browser = await Browser.OpenAsync(new Uri(server.Page, "health"));
        await browser.SendAsync("WebAuthn.enable");
        await browser.SendAsync(
            "WebAuthn.addVirtualAuthenticator",
            new()
            {
                ["options"] = new System.Text.Json.Nodes.JsonObject
                {
                    ["protocol"] = "ctap2", ["transport"] = "internal", ["hasResidentKey"] = true, ["hasUserVerification"] = true, ["isUserVerified"] = true,
                },
            });

        using var asked = await server.PostAsync("/auth/passkeys/options", person.Tokens);
        var creation = await asked.JsonAsync();
        var made = await browser.RunAsync(
            $"navigator.credentials.create({{publicKey: PublicKeyCredential.parseCreationOptionsFromJSON({creation.GetProperty("public_key").GetRawText()})}}).then(made => made.toJSON())");
        using var added = await server.PostAsync("/auth/passkeys", person.Tokens, new { challenge = creation.GetProperty("challenge").GetString(), name = "browser", passkey = made });
        Assert.Equal((HttpStatusCode.Created, ""), (added.StatusCode, added.IsSuccessStatusCode ? "" : await added.ErrorCodeAsync()));

        using var offered = await server.PostAsync("/auth/passkey/options", new { });
        var alone = await offered.JsonAsync();
        using var signedIn = await server.PostAsync(
            "/auth/passkey", new { challenge = alone.GetProperty("challenge").GetString(), passkey = await SignAsync(browser, alone.GetProperty("public_key")) });
        Assert.Equal(person.Id.ToString(CultureInfo.InvariantCulture), Tokens.Claims((await Tokens.OfAsync(signedIn)).Access).GetProperty("sub").GetString());

        var challenge = await server.ChallengeAsync(person.Email);
        using var second = await server.PostAsync("/auth/2fa/passkey", new { challenge });
        var signed = await SignAsync(browser, (await second.JsonAsync()).GetProperty("public_key"));
        Assert.Equal("200", await FactorsServer.OutcomeAsync(await server.PostAsync("/auth/2fa", new { challenge, passkey = signed })));
        Assert.Equal("401 AUTH_TOKEN_INVALID", await FactorsServer.OutcomeAsync(await server.PostAsync("/auth/2fa", new { challenge, passkey = signed })));
    }

    private static Task<JsonElement> SignAsync(Browser browser, JsonElement options) => browser.RunAsync(
        $"navigator.credentials.get({{publicKey: PublicKeyCredential.parseRequestOptionsFromJSON({options.GetRawText()})}}).then(signed => signed.toJSON())");
}

/// <summary>A server at the address that a browser on this machine has it under.</summary>
public abstract class BrowserFactorsServer : FactorsServer
{
    private protected BrowserFactorsServer(TestDatabaseKind kind)
        : this(kind, FreePort())
    {
    }

    private BrowserFactorsServer(TestDatabaseKind kind, int port)
        : base(kind, $"--PORT={port}", $"--PUBLIC_URL=http://localhost:{port}") => Page = new Uri($"http://localhost:{port}/");

    public Uri Page { get; }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

public sealed class SqliteBrowserFactorsServer() : BrowserFactorsServer(TestDatabaseKind.Sqlite);

public sealed class PostgresBrowserFactorsServer() : BrowserFactorsServer(TestDatabaseKind.Postgres);

public sealed class BrowserPasskeyOnSqliteTests(SqliteBrowserFactorsServer server) : BrowserPasskeyTests(server), IClassFixture<SqliteBrowserFactorsServer>;

public sealed class BrowserPasskeyOnPostgresTests(PostgresBrowserFactorsServer server) : BrowserPasskeyTests(server), IClassFixture<PostgresBrowserFactorsServer>;
