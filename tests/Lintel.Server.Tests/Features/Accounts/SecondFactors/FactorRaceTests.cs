using System.Net;
using Lintel.Features.Accounts.Audit;
using Lintel.Features.Accounts.Sessions;
using Lintel.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Features.Accounts.SecondFactors;

/// <summary>Changes of factors beside the end of the session that asks for them: what is over enables nothing.</summary>
public abstract class FactorRaceTests(FactorsServer server)
{
    private const int Rounds = 20;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public Task An_app_is_not_confirmed_by_a_session_that_has_ended() => RaceAsync(
        async person =>
        {
            using var started = await server.PostAsync("/auth/2fa/totp", person.Tokens);
            return new TestApp(TestApp.Decode((await started.JsonAsync()).GetProperty("secret").GetString()!), server.Clock).Code();
        },
        (person, code) => server.PostAsync("/auth/2fa/totp/confirm", person.Tokens, new { code }),
        AccountEvents.FactorAdded);

    [Fact]
    public Task Nor_are_recovery_codes_made() => RaceAsync(
        async person => (await server.AddAppAsync(person.Tokens)).Code(),
        (person, _) => server.PostAsync("/auth/2fa/recovery-codes", person.Tokens),
        AccountEvents.RecoveryCodesMade);

    [Fact]
    public Task Nor_is_an_app_removed() => RaceAsync(
        async person => (await server.AddAppAsync(person.Tokens)).Code(),
        (person, _) => server.SendAsync(HttpMethod.Delete, "/auth/2fa/totp", person.Tokens),
        AccountEvents.FactorRemoved);

    [Fact]
    public Task Nor_is_a_passkey_added() => RaceAsync(
        async person =>
        {
            using var options = await server.PostAsync("/auth/passkeys/options", person.Tokens);
            return await options.JsonAsync();
        },
        async (person, options) =>
        {
            using var passkey = new SoftPasskey();
            return await server.PostAsync(
                "/auth/passkeys", person.Tokens, new { challenge = options.GetProperty("challenge").GetString(), name = "key", passkey = passkey.Create(options.GetProperty("public_key")) });
        },
        AccountEvents.FactorAdded);

    /// <summary>Ends the session beside what it asks for. The account's own log tells in which order the two were, whatever the answers say.</summary>
    private async Task RaceAsync<T>(Func<Person, Task<T>> prepare, Func<Person, T, Task<HttpResponseMessage>> change, string kind)
    {
        for (var round = 0; round < Rounds; round++)
        {
            var person = await server.SignInAsync();
            var prepared = await prepare(person);

            var changing = change(person, prepared);
            for (var i = 0; i < round % 5; i++)
            {
                await Task.Yield();
            }

            var ending = server.LogoutAsync(person.Tokens.Refresh);
            using var answer = await changing;
            using var ended = await ending;

            Assert.Equal(HttpStatusCode.OK, ended.StatusCode);
            var events = await EventsAsync(person.Id);
            var over = events.IndexOf(AccountEvents.SessionEnded);
            Assert.True(over >= 0);
            Assert.DoesNotContain(kind, events.Skip(over));
            Assert.Equal(answer.IsSuccessStatusCode, events.Contains(kind));
            if (!answer.IsSuccessStatusCode)
            {
                Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
            }
        }
    }

    private Task<List<string>> EventsAsync(long id) => server.Database.ReadAsync(
        session => session.QueryAsync(
            "SELECT e.kind FROM event e JOIN stream s ON s.id = e.stream_id WHERE s.name = $1 ORDER BY e.seq", static row => row.GetString(0), $"accounts.activity.{id}"),
        Cancel);
}

public sealed class FactorRacesOnSqliteTests(SqliteFactorsServer server) : FactorRaceTests(server), IClassFixture<SqliteFactorsServer>;

public sealed class FactorRacesOnPostgresTests(PostgresFactorsServer server) : FactorRaceTests(server), IClassFixture<PostgresFactorsServer>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    public async Task A_confirmation_waits_for_whoever_is_just_ending_its_session()
    {
        var person = await server.SignInAsync();
        using var started = await server.PostAsync("/auth/2fa/totp", person.Tokens);
        var app = new TestApp(TestApp.Decode((await started.JsonAsync()).GetProperty("secret").GetString()!), server.Clock);
        var isEnding = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var mayEnd = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var ending = server.Database.WriteAsync(
            async unit =>
            {
                await server.Services.GetRequiredService<SessionEnd>().EndAsync(unit, person.Tokens.SessionId, SessionEnd.Revoked, server.Clock.GetUtcNow(), Actor.System);
                isEnding.TrySetResult();
                await mayEnd.Task;
            },
            Cancel);
        await isEnding.Task;

        // It has seen the session alive by now, and asks once more in the unit that enables.
        var confirming = server.PostAsync("/auth/2fa/totp/confirm", person.Tokens, new { code = app.Code() });
        await Eventually.HoldsAsync(async () => confirming.IsCompleted || await server.CountAsync(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") > 0);
        Assert.False(confirming.IsCompleted);
        mayEnd.SetResult();
        await ending;

        Assert.Equal("401 AUTH_TOKEN_REVOKED", await FactorsServer.OutcomeAsync(await confirming));
        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM totp WHERE account_id = $1 AND confirmed_at IS NOT NULL", person.Id));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_passkey_that_is_just_being_removed_opens_no_session()
    {
        var person = await server.SignInAsync();
        using var passkey = new SoftPasskey();
        using var asked = await server.PostAsync("/auth/passkeys/options", person.Tokens);
        var creation = await asked.JsonAsync();
        using var added = await server.PostAsync(
            "/auth/passkeys", person.Tokens, new { challenge = creation.GetProperty("challenge").GetString(), name = "key", passkey = passkey.Create(creation.GetProperty("public_key")) });
        Assert.Equal(HttpStatusCode.Created, added.StatusCode);
        using var options = await server.PostAsync("/auth/passkey/options", new { });
        var question = await options.JsonAsync();
        var isRemoving = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var mayRemove = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var removing = server.Database.WriteAsync(
            async unit =>
            {
                await FactorTable.LockAsync(unit, person.Id);
                isRemoving.TrySetResult();
                await mayRemove.Task;
                await FactorTable.RemoveAllAsync(unit, person.Id);
            },
            Cancel);
        await isRemoving.Task;

        // The passkey is there and has signed; the session wants the account's row, which whoever removes it holds.
        var signingIn = server.PostAsync(
            "/auth/passkey", new { challenge = question.GetProperty("challenge").GetString(), passkey = passkey.Sign(question.GetProperty("public_key")) });
        await Eventually.HoldsAsync(async () => signingIn.IsCompleted || await server.CountAsync(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") > 0);
        Assert.False(signingIn.IsCompleted);
        mayRemove.SetResult();
        await removing;

        Assert.Equal("401 AUTH_INVALID_CREDENTIALS", await FactorsServer.OutcomeAsync(await signingIn));
        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM session WHERE account_id = $1 AND auth_methods = 'passkey'", person.Id));
    }
}
