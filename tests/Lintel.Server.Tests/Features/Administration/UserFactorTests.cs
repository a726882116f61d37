using System.Net;
using Lintel.Features.Accounts;
using Lintel.Features.Accounts.SecondFactors;
using Lintel.Infrastructure;

namespace Lintel.Features.Administration;

/// <summary>Administrators help whoever lost their second factors.</summary>
public abstract class UserFactorTests(FactorsServer server)
{
    [Fact]
    public async Task Lost_factors_are_removed_and_the_password_is_enough_again()
    {
        var admin = await server.AdminAsync();
        var (person, app) = await server.SignInWithAppAsync();
        using var answered = await server.PostAsync("/auth/2fa", new { challenge = await server.ChallengeAsync(person.Email), code = app.Code(), remember_device = true });
        Assert.Equal(HttpStatusCode.OK, answered.StatusCode);
        var challenge = await server.ChallengeAsync(person.Email);

        using var removed = await RemoveAsync(admin, person.Id, "?reason=Lost%20the%20phone.");

        var body = await removed.JsonAsync();
        Assert.True(body.GetProperty("totp").GetBoolean());
        Assert.Equal((0, 2), (body.GetProperty("passkeys").GetInt64(), body.GetProperty("sessions").GetInt32()));
        Assert.Equal("AUTH_TOKEN_REVOKED", await server.MeErrorAsync(person.Tokens.Access));
        Assert.Equal("AUTH_TOKEN_REVOKED", await server.RefreshErrorAsync(person.Tokens.Refresh));
        foreach (var table in (string[])["totp", "recovery_code", "remembered_device", "factor_challenge"])
        {
            Assert.Equal((table, 0), (table, await server.CountAsync($"SELECT count(*) FROM {table} WHERE account_id = $1", person.Id)));
        }

        // What waited for an answer is answered by nobody any more.
        Assert.Equal("401 AUTH_TOKEN_INVALID", await FactorsServer.OutcomeAsync(await server.RecoverAsync(challenge, app.RecoveryCodes[0])));
        var tokens = await server.SignInAsync(person.Email);

        var activity = await server.GetJsonAsync(person with { Tokens = tokens }, "/auth/activity");
        var told = activity.GetProperty("events").EnumerateArray().First(item => item.GetProperty("kind").GetString() == "account.factors_removed");
        Assert.Equal(admin.Id, told.GetProperty("actor_id").GetInt64());
        Assert.Equal("Lost the phone.", told.GetProperty("details").GetProperty("reason").GetString());
        Assert.Equal(1, await server.CountMailAsync(person.Email, "The second factors of your account were removed"));
    }

    [Fact]
    public async Task Who_has_none_keeps_what_they_have()
    {
        var admin = await server.AdminAsync();
        var person = await server.SignInAsync();

        Assert.Equal("404 NOT_FOUND", await FactorsServer.OutcomeAsync(await RemoveAsync(admin, person.Id)));
        Assert.Equal("404 NOT_FOUND", await FactorsServer.OutcomeAsync(await RemoveAsync(admin, long.MaxValue)));
        Assert.Equal(HttpStatusCode.OK, await server.StatusOfMeAsync(person.Tokens.Access));
    }

    [Fact]
    public async Task It_wants_an_administrator_with_a_fresh_proof()
    {
        var admin = await server.AdminAsync();
        var (person, _) = await server.SignInWithAppAsync();
        await server.MakeStaleAsync(admin.Tokens);

        Assert.Equal("401 AUTH_2FA_REQUIRED", await FactorsServer.OutcomeAsync(await RemoveAsync(admin, person.Id)));
        Assert.Equal("403 FORBIDDEN", await FactorsServer.OutcomeAsync(await RemoveAsync(person, person.Id)));
        Assert.Equal("422 VALIDATION_ERROR", await FactorsServer.OutcomeAsync(await RemoveAsync(admin, person.Id, "?reason=two%0Alines")));
        Assert.Equal(1, await server.CountAsync("SELECT count(*) FROM totp WHERE account_id = $1", person.Id));
    }

    private Task<HttpResponseMessage> RemoveAsync(Person admin, long id, string query = "") =>
        server.AskAsync(admin.Tokens.Access, HttpMethod.Delete, $"/api/admin/users/{id}/second-factors{query}");
}

public sealed class UserFactorsOnSqliteTests(SqliteFactorsServer server) : UserFactorTests(server), IClassFixture<SqliteFactorsServer>;

public sealed class UserFactorsOnPostgresTests(PostgresFactorsServer server) : UserFactorTests(server), IClassFixture<PostgresFactorsServer>;
