using System.Net;
using Lintel.Features.Accounts.Audit;
using Lintel.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Features.Accounts.Sessions;

/// <summary>Whatever takes away a session, beside whatever makes tokens: nothing that was minted survives the answer.</summary>
public abstract class SessionRaceTests(AccountsServer server)
{
    private const int Rounds = 25;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private SessionEnd Ending => server.Services.GetRequiredService<SessionEnd>();

    [Fact]
    public Task Refresh_beside_revoke() => RaceAsync(async (person, lost) =>
    {
        using var response = await server.EndAsync(person.Tokens, lost.SessionId);
        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
    });

    [Fact]
    public Task Refresh_beside_the_end_of_all_others() => RaceAsync(async (person, _) =>
    {
        using var response = await server.SendAsync(HttpMethod.Delete, "/auth/sessions?except=current", person.Tokens);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    });

    [Fact]
    public Task Refresh_and_sign_in_beside_a_password_change() => RaceAsync(
        (person, _) => EndAllAsync("UPDATE account SET password_version = password_version + 1, password_hash = 'none' WHERE id = $1", person), signsIn: true);

    [Fact]
    public Task Refresh_and_sign_in_beside_disabling_the_account() => RaceAsync(
        (person, _) => EndAllAsync("UPDATE account SET is_active = FALSE WHERE id = $1", person), signsIn: true);

    [Fact]
    public async Task Two_rotations_inside_one_tick_of_the_clock_are_told_apart_by_their_number()
    {
        var person = await server.SignInAsync();
        var child = await RotateAsync(person.Tokens);
        var grandchild = await RotateAsync(child);

        Assert.Equal(3, new[] { person.Tokens, child, grandchild }.Select(tokens => tokens.Refresh).Distinct().Count());
        Assert.Single(new[] { person.Tokens, child, grandchild }.Select(tokens => Tokens.Claims(tokens.Refresh).GetProperty("iat").GetInt64()).Distinct());
        Assert.Equal(grandchild, await RotateAsync(child));
        Assert.Equal("AUTH_TOKEN_REVOKED", await server.RefreshErrorAsync(person.Tokens.Refresh));
        Assert.Equal("AUTH_TOKEN_REVOKED", await server.RefreshErrorAsync(grandchild.Refresh));
    }

    [Fact]
    public async Task A_restart_between_a_rotation_and_its_replay_changes_nothing()
    {
        var person = await server.SignInAsync();
        var child = await RotateAsync(person.Tokens);

        await server.RestartAsync();

        Assert.Equal(child, await RotateAsync(person.Tokens));
        await RotateAsync(child);
    }

    [Fact]
    public async Task A_parent_after_the_window_ends_the_session_in_the_very_next_request()
    {
        var person = await server.SignInAsync();
        var child = await RotateAsync(person.Tokens);
        server.Clock.Advance(SessionTable.ReuseWindow + TimeSpan.FromSeconds(1));

        Assert.Equal("AUTH_TOKEN_REVOKED", await server.RefreshErrorAsync(person.Tokens.Refresh));
        Assert.Equal("AUTH_TOKEN_REVOKED", await server.MeErrorAsync(child.Access));
        Assert.Equal("AUTH_TOKEN_REVOKED", await server.RefreshErrorAsync(child.Refresh));
    }

    /// <summary>Refreshes one session of somebody again and again while <paramref name="end"/> is under way, and then tries all that anybody got.</summary>
    private async Task RaceAsync(Func<Person, Tokens, Task> end, bool signsIn = false)
    {
        for (var round = 0; round < Rounds; round++)
        {
            var person = await server.SignInAsync();
            var lost = await server.SignInAsync(person.Email);

            // Begun beside another one of the refreshes in each round.
            var begin = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var refreshing = RefreshAsync(lost, round % 4, begin);
            var minting = Enumerable.Range(0, signsIn ? 3 : 0).Select(_ => SignInAsync(person)).Append(refreshing).ToArray();
            await begin.Task;
            await end(person, lost);

            foreach (var minted in (await Task.WhenAll(minting)).SelectMany(static tokens => tokens).Append(lost))
            {
                Assert.Equal("AUTH_TOKEN_REVOKED", await server.MeErrorAsync(minted.Access));
                Assert.Equal("AUTH_TOKEN_REVOKED", await server.RefreshErrorAsync(minted.Refresh));
            }
        }
    }

    private async Task<List<Tokens>> RefreshAsync(Tokens newest, int beginAfter, TaskCompletionSource begin)
    {
        List<Tokens> minted = [newest];
        for (var i = 0; i < 6; i++)
        {
            if (i == beginAfter)
            {
                begin.SetResult();
            }

            using var response = await server.RefreshAsync(minted[^1].Refresh);
            if (response.StatusCode == HttpStatusCode.OK)
            {
                minted.Add(await Tokens.OfAsync(response));
            }
        }

        return minted;
    }

    private async Task<List<Tokens>> SignInAsync(Person person)
    {
        List<Tokens> minted = [];
        for (var i = 0; i < 2; i++)
        {
            using var response = await server.PostAsync("/auth/login", new { email = person.Email, password = AccountsServer.Password });
            if (response.StatusCode == HttpStatusCode.OK)
            {
                minted.Add(await Tokens.OfAsync(response));
            }
        }

        return minted;
    }

    private Task EndAllAsync(string change, Person person) => server.Database.WriteAsync(
        async unit =>
        {
            await unit.ExecuteAsync(change, person.Id);
            await Ending.EndAllAsync(unit, person.Id, null, SessionEnd.Revoked, server.Clock.GetUtcNow(), Actor.System);
        },
        Cancel);

    private async Task<Tokens> RotateAsync(Tokens tokens)
    {
        using var response = await server.RefreshAsync(tokens.Refresh);
        return await Tokens.OfAsync(response);
    }
}

/// <summary>Its clock stands still, so nothing can be told apart by time.</summary>
public sealed class SqliteRaceServer() : AccountsServer(TestDatabaseKind.Sqlite, new MovableClock(standsStill: true));

/// <inheritdoc cref="SqliteRaceServer"/>
public sealed class PostgresRaceServer() : AccountsServer(TestDatabaseKind.Postgres, new MovableClock(standsStill: true));

public sealed class SessionRacesOnSqliteTests(SqliteRaceServer server) : SessionRaceTests(server), IClassFixture<SqliteRaceServer>;

public sealed class SessionRacesOnPostgresTests(PostgresRaceServer server) : SessionRaceTests(server), IClassFixture<PostgresRaceServer>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    public async Task A_sign_in_waits_for_whoever_is_just_locking_the_account()
    {
        var person = await server.SignInAsync();
        var accounts = server.Services.GetRequiredService<AccountTable>();
        var sessions = server.Services.GetRequiredService<SessionTable>();
        var secrets = (await accounts.FindSecretsAsync(person.Email, Cancel))!;
        var isLocked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var mayEnd = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var locking = server.Database.WriteAsync(
            async unit =>
            {
                await unit.ExecuteAsync("UPDATE account SET is_active = FALSE WHERE id = $1", person.Id);
                isLocked.TrySetResult();
                await mayEnd.Task;
            },
            Cancel);
        await isLocked.Task;

        var opening = sessions.OpenAsync(secrets, new(AuthMethods.Password, default), Cancel);
        await Eventually.HoldsAsync(async () => opening.IsCompleted || await server.CountAsync(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") > 0);
        mayEnd.SetResult();
        await locking;

        Assert.Null(await opening);
    }
}
