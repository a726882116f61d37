using System.Net;
using System.Net.Http.Json;
using System.Text;
using Lintel.Features.Accounts.Email;
using Lintel.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Features.Accounts.SecondFactors;

/// <summary>Devices on which the password is enough, and what ends that.</summary>
public abstract class RememberedDeviceTests(FactorsServer server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task On_a_remembered_device_the_password_is_enough()
    {
        var (person, _, token) = await RememberAsync();
        using var byHeader = new HttpRequestMessage(HttpMethod.Post, "/auth/login") { Content = JsonContent.Create(new { email = person.Email, password = AccountsServer.Password }) };
        byHeader.Headers.Add("X-Device-Token", token);

        Assert.StartsWith("ltd_", token, StringComparison.Ordinal);
        Assert.Equal("200", await FactorsServer.OutcomeAsync(await server.LoginAsync(person.Email, token)));
        Assert.Equal("200", await FactorsServer.OutcomeAsync(await server.Client.SendAsync(byHeader, Cancel)));
        Assert.Equal("401 AUTH_2FA_REQUIRED", await FactorsServer.OutcomeAsync(await server.LoginAsync(person.Email)));
        Assert.Equal("401 AUTH_2FA_REQUIRED", await FactorsServer.OutcomeAsync(await server.LoginAsync(person.Email, token + "x")));
        Assert.Equal(
            "401 AUTH_INVALID_CREDENTIALS", await FactorsServer.OutcomeAsync(await server.PostAsync("/auth/login", new { email = person.Email, password = "wrong password", device_token = token })));
    }

    [Fact]
    public async Task A_device_that_is_remembered_already_takes_no_others_place()
    {
        var person = await server.SignInAsync();
        var (phone, laptop) = (await SignInAsync(null), await SignInAsync(null));
        for (var i = 0; i < 20; i++)
        {
            Assert.Null(await SignInAsync(laptop));
        }

        Assert.Equal(2, await server.CountAsync("SELECT count(*) FROM remembered_device WHERE account_id = $1", person.Id));
        Assert.Null(await SignInAsync(phone));

        async Task<string?> SignInAsync(string? token)
        {
            using var login = await server.PostAsync("/auth/login", new { email = person.Email, password = AccountsServer.Password, remember_device = true, device_token = token });
            Assert.Equal(HttpStatusCode.OK, login.StatusCode);
            return (await login.JsonAsync()).TryGetProperty("device_token", out var given) ? given.GetString() : null;
        }
    }

    [Fact]
    public async Task On_a_remembered_device_a_mailed_code_is_enough_too()
    {
        var (person, _, token) = await RememberAsync();
        await server.ExecuteAsync("UPDATE account SET email_verified_at = 1 WHERE id = $1", person.Id);

        Assert.Equal("401 AUTH_2FA_REQUIRED", await FactorsServer.OutcomeAsync(await ByMailedCodeAsync(person, null)));
        Assert.Equal("200", await FactorsServer.OutcomeAsync(await ByMailedCodeAsync(person, token)));
    }

    [Fact]
    public async Task Its_token_is_its_accounts_alone()
    {
        var (_, _, token) = await RememberAsync();
        var (other, _) = await server.SignInWithAppAsync();

        Assert.Equal("401 AUTH_2FA_REQUIRED", await FactorsServer.OutcomeAsync(await server.LoginAsync(other.Email, token)));
    }

    [Fact]
    public async Task A_session_of_a_remembered_device_has_to_show_the_factor_for_dangerous_operations()
    {
        var (person, app, token) = await RememberAsync();
        using var login = await server.LoginAsync(person.Email, token);
        var tokens = await Tokens.OfAsync(login);
        using var refused = await server.SendAsync(HttpMethod.Delete, "/auth/2fa/totp", tokens);

        Assert.Equal("204", await FactorsServer.OutcomeAsync(await server.AnswerAsync(await FactorsServer.ChallengeOfAsync(refused), app.Code())));
        Assert.Equal("204", await FactorsServer.OutcomeAsync(await server.SendAsync(HttpMethod.Delete, "/auth/2fa/totp", tokens)));
    }

    [Theory]
    [InlineData("UPDATE account SET password_version = password_version + 1 WHERE id = $1")]
    [InlineData("UPDATE account SET factor_version = factor_version + 1 WHERE id = $1")]
    public async Task It_is_forgotten_when_the_password_or_the_factors_change(string change)
    {
        var (person, _, token) = await RememberAsync();
        await server.ExecuteAsync(change, person.Id);

        Assert.Equal("401 AUTH_2FA_REQUIRED", await FactorsServer.OutcomeAsync(await server.LoginAsync(person.Email, token)));
    }

    [Fact]
    public async Task It_is_forgotten_when_a_factor_is_added()
    {
        var (person, _, token) = await RememberAsync();
        using var options = await server.PostAsync("/auth/passkeys/options", person.Tokens);
        var body = await options.JsonAsync();
        using var passkey = new SoftPasskey();
        using var added = await server.PostAsync(
            "/auth/passkeys", person.Tokens, new { challenge = body.GetProperty("challenge").GetString(), name = "key", passkey = passkey.Create(body.GetProperty("public_key")) });

        Assert.Equal(HttpStatusCode.Created, added.StatusCode);
        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM remembered_device WHERE account_id = $1", person.Id));
        Assert.Equal("401 AUTH_2FA_REQUIRED", await FactorsServer.OutcomeAsync(await server.LoginAsync(person.Email, token)));
    }

    [Fact]
    public async Task It_is_forgotten_after_thirty_days()
    {
        var (person, _, token) = await RememberAsync();
        server.Clock.Advance(TimeSpan.FromDays(30));

        Assert.Equal("401 AUTH_2FA_REQUIRED", await FactorsServer.OutcomeAsync(await server.LoginAsync(person.Email, token)));
    }

    [Fact]
    public async Task Its_owner_sees_it_and_has_it_forgotten_and_nobody_else_does()
    {
        var (person, _, token) = await RememberAsync();
        using var login = await server.LoginAsync(person.Email, token);
        var tokens = await Tokens.OfAsync(login);
        var other = await server.SignInAsync();
        using var list = await server.SendAsync(HttpMethod.Get, "/auth/devices", tokens);
        var device = Assert.Single((await list.JsonAsync()).GetProperty("devices").EnumerateArray());
        var path = $"/auth/devices/{device.GetProperty("id").GetGuid()}";
        using var fromElsewhere = await server.SendAsync(HttpMethod.Get, "/auth/devices", person.Tokens);

        Assert.True(device.GetProperty("current").GetBoolean());
        Assert.False((await fromElsewhere.JsonAsync()).GetProperty("devices")[0].GetProperty("current").GetBoolean());
        Assert.Equal("404 NOT_FOUND", await FactorsServer.OutcomeAsync(await server.SendAsync(HttpMethod.Delete, path, other.Tokens)));
        Assert.Equal("204", await FactorsServer.OutcomeAsync(await server.SendAsync(HttpMethod.Delete, path, tokens)));
        Assert.Equal("401 AUTH_2FA_REQUIRED", await FactorsServer.OutcomeAsync(await server.LoginAsync(person.Email, token)));
    }

    [Fact]
    public async Task The_database_does_not_have_the_token()
    {
        var (person, _, token) = await RememberAsync();
        var kept = await server.Database.ReadAsync(
            session => session.QueryFirstAsync("SELECT hash FROM remembered_device WHERE account_id = $1", static row => row.GetFieldValue<byte[]>(0), person.Id), Cancel);

        Assert.Equal(32, kept!.Length);
        Assert.NotEqual(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(token)), kept);
    }

    [Fact]
    public async Task A_challenge_of_an_open_session_remembers_nothing()
    {
        var (person, app) = await server.SignInWithAppAsync();
        await server.MakeStaleAsync(person.Tokens);
        using var refused = await server.PostAsync("/auth/2fa/recovery-codes", person.Tokens);
        var challenge = await FactorsServer.ChallengeOfAsync(refused);

        Assert.Equal("204", await FactorsServer.OutcomeAsync(await server.PostAsync("/auth/2fa", new { challenge, code = app.Code(), remember_device = true })));
        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM remembered_device WHERE account_id = $1", person.Id));
    }

    private async Task<HttpResponseMessage> ByMailedCodeAsync(Person person, string? deviceToken)
    {
        var codes = server.Services.GetRequiredService<EmailCodes>();
        var account = new LinkedAccount(person.Id, person.Email, person.Email, null, 0, false);
        var code = await server.Database.WriteAsync(unit => codes.MakeAsync(unit, person.Email, account), Cancel);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/auth/login/code") { Content = JsonContent.Create(new { email = person.Email, code }) };
        if (deviceToken is not null)
        {
            request.Headers.Add("X-Device-Token", deviceToken);
        }

        return await server.Client.SendAsync(request, Cancel);
    }

    private async Task<(Person Person, TestApp App, string Token)> RememberAsync()
    {
        var (person, app) = await server.SignInWithAppAsync();
        using var answered = await server.PostAsync("/auth/2fa", new { challenge = await server.ChallengeAsync(person.Email), code = app.Code(), remember_device = true });
        return (person, app, (await answered.JsonAsync()).GetProperty("device_token").GetString()!);
    }
}

public sealed class RememberedDeviceOnSqliteTests(SqliteFactorsServer server) : RememberedDeviceTests(server), IClassFixture<SqliteFactorsServer>;

public sealed class RememberedDeviceOnPostgresTests(PostgresFactorsServer server) : RememberedDeviceTests(server), IClassFixture<PostgresFactorsServer>;
