using System.Net;

namespace Lintel.Features.Accounts;

public abstract class RefreshTests(AccountsServer server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_refresh_token_is_exchanged_for_a_new_pair()
    {
        var person = await server.SignInAsync();
        var old = TestJwt.Payload(person.Tokens.Refresh).GetProperty("jti").GetGuid();
        using var response = await server.RefreshAsync(person.Tokens.Refresh);
        var next = await Tokens.OfAsync(response);
        var now = TestJwt.Payload(next.Refresh).GetProperty("jti").GetGuid();

        Assert.Equal("no-store", response.Headers.CacheControl!.ToString());
        Assert.NotEqual(person.Tokens.Refresh, next.Refresh);
        Assert.NotEqual(person.Tokens.Access, next.Access);
        Assert.Equal(person.Tokens.SessionId, next.SessionId);
        Assert.Equal(HttpStatusCode.OK, await server.StatusOfMeAsync(next.Access));
        Assert.Equal(1, await server.CountAsync("SELECT count(*) FROM refresh_tokens WHERE jti = $1 AND revoked_at IS NOT NULL", old));
        Assert.Equal(1, await server.CountAsync("SELECT count(*) FROM refresh_tokens WHERE jti = $1 AND revoked_at IS NULL", now));
    }

    [Fact]
    public async Task The_old_access_token_is_good_until_it_expires()
    {
        var person = await server.SignInAsync();
        await RotateAsync(person.Tokens);

        Assert.Equal(HttpStatusCode.OK, await server.StatusOfMeAsync(person.Tokens.Access));
    }

    [Fact]
    public async Task Fifty_refreshes_of_one_token_at_once_are_one_rotation_with_one_successor()
    {
        var person = await server.SignInAsync();

        var pairs = await Task.WhenAll(Enumerable.Range(0, 50).Select(async _ => await RotateAsync(person.Tokens)));

        var pair = Assert.Single(pairs.Distinct());
        Assert.Equal(HttpStatusCode.OK, await server.StatusOfMeAsync(pair.Access));
        Assert.Equal(2, await server.CountAsync("SELECT generation FROM session WHERE id = $1", pair.SessionId));
        Assert.Equal(2, await server.CountAsync("SELECT count(*) FROM refresh_tokens WHERE session_id = $1", pair.SessionId));
        await RotateAsync(pair);
    }

    [Fact]
    public async Task A_client_that_lost_the_answer_may_ask_again_within_ten_seconds()
    {
        var person = await server.SignInAsync();
        var next = await RotateAsync(person.Tokens);
        server.Clock.Advance(TimeSpan.FromSeconds(8));

        Assert.Equal(next, await RotateAsync(person.Tokens));
    }

    [Fact]
    public async Task After_ten_seconds_a_used_token_ends_the_session()
    {
        var person = await server.SignInAsync();
        var other = await server.SignInAsync(person.Email);
        var next = await RotateAsync(person.Tokens);
        server.Clock.Advance(TimeSpan.FromSeconds(11));

        Assert.Equal("AUTH_TOKEN_REVOKED", await server.RefreshErrorAsync(person.Tokens.Refresh));
        await AssertEndedAsync(next, "token_reused");
        Assert.Equal("AUTH_TOKEN_REVOKED", await server.MeErrorAsync(person.Tokens.Access));
        Assert.Equal(HttpStatusCode.OK, await server.StatusOfMeAsync(other.Access));
        var line = await server.Log.WaitForAsync(line => RegistrationTests.IsAbout(line, "app.auth.service", person.Id, "sent again"), Cancel);
        Assert.Equal("WARNING", line.GetProperty("level").GetString());
    }

    [Fact]
    public async Task Asking_again_does_not_make_the_window_longer()
    {
        var person = await server.SignInAsync();
        await RotateAsync(person.Tokens);
        server.Clock.Advance(TimeSpan.FromSeconds(6));
        await RotateAsync(person.Tokens);
        server.Clock.Advance(TimeSpan.FromSeconds(6));

        Assert.Equal("AUTH_TOKEN_REVOKED", await server.RefreshErrorAsync(person.Tokens.Refresh));
    }

    [Fact]
    public async Task A_token_two_generations_old_ends_the_session_at_once()
    {
        var person = await server.SignInAsync();
        var child = await RotateAsync(person.Tokens);
        var grandchild = await RotateAsync(child);

        Assert.Equal("AUTH_TOKEN_REVOKED", await server.RefreshErrorAsync(person.Tokens.Refresh));
        await AssertEndedAsync(grandchild, "token_reused");
        Assert.Equal("AUTH_TOKEN_REVOKED", await server.RefreshErrorAsync(child.Refresh));
    }

    [Fact]
    public async Task A_grandparent_among_many_refreshes_of_the_newest_lets_none_of_them_live_on()
    {
        var person = await server.SignInAsync();
        var child = await RotateAsync(person.Tokens);
        var grandchild = await RotateAsync(child);

        var statuses = await Task.WhenAll(Enumerable.Range(0, 20).Select(async i =>
        {
            using var response = await server.RefreshAsync(i == 7 ? person.Tokens.Refresh : grandchild.Refresh);
            return response.StatusCode;
        }));

        Assert.All(statuses, status => Assert.True(status is HttpStatusCode.OK or HttpStatusCode.Unauthorized));
        await AssertEndedAsync(grandchild, "token_reused");
    }

    [Fact]
    public async Task The_window_does_not_open_an_ended_session()
    {
        var person = await server.SignInAsync();
        var next = await RotateAsync(person.Tokens);
        using var logout = await server.LogoutAsync(next.Refresh);

        Assert.Equal("AUTH_TOKEN_REVOKED", await server.RefreshErrorAsync(person.Tokens.Refresh));
        await AssertEndedAsync(next, "signed_out");
    }

    [Fact]
    public async Task A_locked_account_gets_no_new_tokens_neither_by_its_newest_nor_within_the_window()
    {
        var person = await server.SignInAsync();
        var next = await RotateAsync(person.Tokens);
        await server.LockAsync(person);

        Assert.Equal("AUTH_TOKEN_REVOKED", await server.RefreshErrorAsync(next.Refresh));
        Assert.Equal("AUTH_TOKEN_REVOKED", await server.RefreshErrorAsync(person.Tokens.Refresh));
    }

    [Fact]
    public async Task An_expired_token_is_told_so_and_harms_no_session()
    {
        var person = await server.SignInAsync();
        var next = await RotateAsync(person.Tokens);
        server.Clock.Advance(TimeSpan.FromDays(6));
        var later = await RotateAsync(next);
        server.Clock.Advance(TimeSpan.FromDays(2));

        Assert.Equal("AUTH_TOKEN_EXPIRED", await server.RefreshErrorAsync(person.Tokens.Refresh));
        Assert.Equal("AUTH_TOKEN_EXPIRED", await server.RefreshErrorAsync(next.Refresh));
        await RotateAsync(later);
    }

    [Fact]
    public async Task A_session_that_is_used_never_runs_out_and_keeps_few_rows()
    {
        var tokens = (await server.SignInAsync()).Tokens;
        for (var i = 0; i < 70; i++)
        {
            server.Clock.Advance(TimeSpan.FromHours(8));
            tokens = await RotateAsync(tokens);
        }

        Assert.Equal(71, await server.CountAsync("SELECT generation FROM session WHERE id = $1", tokens.SessionId));
        Assert.InRange(await server.CountAsync("SELECT count(*) FROM refresh_tokens WHERE session_id = $1", tokens.SessionId), 2, 40);
    }

    [Fact]
    public async Task A_forged_token_ends_nobodys_session()
    {
        var person = await server.SignInAsync();
        var child = await RotateAsync(person.Tokens);
        var grandchild = await RotateAsync(child);
        string[] forged =
        [
            TestJwt.Change(person.Tokens.Refresh, _ => { }, key: new byte[42]),
            TestJwt.Change(grandchild.Refresh, claims => claims["gen"] = 1, key: new byte[42]),
            TestJwt.Change(person.Tokens.Refresh, _ => { }, algorithm: "none"),
            person.Tokens.Refresh[..^2] + "AA",
            person.Tokens.Access,
            "",
            "x",
        ];

        foreach (var token in forged)
        {
            Assert.Equal("AUTH_TOKEN_INVALID", await server.RefreshErrorAsync(token));
        }

        await RotateAsync(grandchild);
    }

    [Fact]
    public async Task A_token_of_a_session_that_is_gone_is_revoked()
    {
        var person = await server.SignInAsync();
        await server.ExecuteAsync("DELETE FROM session WHERE id = $1", person.Tokens.SessionId);

        Assert.Equal("AUTH_TOKEN_REVOKED", await server.RefreshErrorAsync(person.Tokens.Refresh));
    }

    [Fact]
    public async Task After_the_database_was_put_back_a_token_of_the_lost_days_ends_its_session()
    {
        var person = await server.SignInAsync();
        var lost = await RotateAsync(person.Tokens);
        await server.ExecuteAsync("UPDATE refresh_tokens SET jti = $2 WHERE session_id = $1 AND generation = 2", lost.SessionId, Guid.CreateVersion7());

        Assert.Equal("AUTH_TOKEN_REVOKED", await server.RefreshErrorAsync(lost.Refresh));
        await AssertEndedAsync(lost, "token_reused");
    }

    [Theory]
    [InlineData("{}", HttpStatusCode.UnprocessableEntity)]
    [InlineData("""{"refresh_token":7}""", HttpStatusCode.UnprocessableEntity)]
    [InlineData("""{"refresh_token":null}""", HttpStatusCode.UnprocessableEntity)]
    [InlineData("nonsense", HttpStatusCode.UnprocessableEntity)]
    [InlineData("""{"refresh_token":"nonsense"}""", HttpStatusCode.Unauthorized)]
    public async Task Bad_bodies_are_refused(string body, HttpStatusCode expected)
    {
        foreach (var path in new[] { "/auth/refresh", "/auth/logout" })
        {
            using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
            using var response = await server.Client.PostAsync(path, content, Cancel);
            Assert.Equal(expected, response.StatusCode);
        }
    }

    private async Task<Tokens> RotateAsync(Tokens tokens)
    {
        using var response = await server.RefreshAsync(tokens.Refresh);
        return await Tokens.OfAsync(response);
    }

    private async Task AssertEndedAsync(Tokens newest, string reason)
    {
        Assert.Equal("AUTH_TOKEN_REVOKED", await server.MeErrorAsync(newest.Access));
        Assert.Equal("AUTH_TOKEN_REVOKED", await server.RefreshErrorAsync(newest.Refresh));
        Assert.Equal(1, await server.CountAsync(
            "SELECT count(*) FROM session WHERE id = $1 AND revoked_at IS NOT NULL AND revoke_reason = $2", newest.SessionId, reason));
        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM refresh_tokens WHERE session_id = $1 AND revoked_at IS NULL", newest.SessionId));
    }
}

public sealed class RefreshOnSqliteTests(SqliteAccountsServer server) : RefreshTests(server), IClassFixture<SqliteAccountsServer>;

public sealed class RefreshOnPostgresTests(PostgresAccountsServer server) : RefreshTests(server), IClassFixture<PostgresAccountsServer>;
