using System.Net;
using Lintel.Features.Accounts.Email;

namespace Lintel.Features.Accounts.Passwords;

public abstract class PasswordResetTests(EmailServer server)
{
    private const string Path = "/auth/password/reset";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    public async Task Resets_and_sign_outs_of_many_at_once_all_succeed()
    {
        var people = new List<(Person Person, string Token, Tokens[] Sessions)>();
        for (var i = 0; i < 12; i++)
        {
            var person = await server.SignInAsync();
            Tokens[] others = [await server.SignInAsync(person.Email), await server.SignInAsync(person.Email), await server.SignInAsync(person.Email)];
            people.Add((person, await server.ResetTokenAsync(person.Email), [person.Tokens, .. others]));
        }

        // On PostgreSQL they lock the same rows: in another order, each would wait for some other until the database ends it.
        var statuses = await Task.WhenAll(people.SelectMany(one => one.Sessions
            .Select(session => server.StatusAsync("/auth/logout", new { refresh_token = session.Refresh }))
            .Prepend(server.StatusAsync("/auth/password/reset", new { token = one.Token, password = EmailServer.NewPassword }))));

        Assert.All(statuses, static status => Assert.Equal(HttpStatusCode.OK, status));
    }

    [Fact]
    public async Task A_mailed_link_sets_a_new_password_and_ends_all_sessions()
    {
        var person = await server.SignInAsync();
        var token = await server.ResetTokenAsync(person.Email);
        using var response = await server.PostAsync(Path, new { token, password = EmailServer.NewPassword });

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("AUTH_TOKEN_REVOKED", await server.MeErrorAsync(person.Tokens.Access));
        Assert.Equal("AUTH_TOKEN_REVOKED", await server.RefreshErrorAsync(person.Tokens.Refresh));
        Assert.Equal(HttpStatusCode.Unauthorized, await server.LogInStatusAsync(person.Email, AccountsServer.Password));
        Assert.Equal(HttpStatusCode.OK, await server.LogInStatusAsync(person.Email, EmailServer.NewPassword));
        Assert.True(await server.IsVerifiedAsync(person.Id));
        Assert.Contains("by a link that was mailed", await server.LetterAsync(person.Email, "was changed on"), StringComparison.Ordinal);
        Assert.Equal((1, 1), (await server.CountEventsAsync(person, "password.reset_requested"), await server.CountEventsAsync(person, "password.reset")));
    }

    [Fact]
    public async Task The_first_reset_ends_keys_and_links_that_whoever_made_the_account_left()
    {
        var stranger = await server.SignInAsync();
        using var key = await server.PostAsync("/api/keys", new { name = "door", scopes = new[] { "tasks" } }, stranger.Tokens.Access);
        Assert.Equal(HttpStatusCode.Created, key.StatusCode);
        await server.ExecuteAsync("INSERT INTO external_identity (provider, subject, account_id, linked_at) VALUES ('corp', $1, $2, 1)", stranger.Email, stranger.Id);

        Assert.Equal(HttpStatusCode.OK, await server.StatusAsync(Path, new { token = await server.ResetTokenAsync(stranger.Email), password = EmailServer.NewPassword }));
        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM api_key WHERE account_id = $1 AND revoked_at IS NULL", stranger.Id));
        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM external_identity WHERE account_id = $1", stranger.Id));
    }

    [Fact]
    public async Task The_page_takes_another_password_when_the_first_is_too_common()
    {
        var person = await server.SignInAsync();
        var token = await server.ResetTokenAsync(person.Email);
        using var weak = await PostFormAsync(token, "Password123");
        var page = await weak.Content.ReadAsStringAsync(Cancel);
        using var good = await PostFormAsync(token, EmailServer.NewPassword);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, weak.StatusCode);
        Assert.Contains("""role="alert">Must not be one of the passwords that are used most""", page, StringComparison.Ordinal);
        Assert.Contains(token, page, StringComparison.Ordinal);
        Assert.DoesNotContain("Password123", page, StringComparison.Ordinal);
        Assert.Contains("Your password is changed", await good.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, await server.LogInStatusAsync(person.Email, EmailServer.NewPassword));
    }

    [Fact]
    public async Task Of_many_with_one_link_at_once_one_succeeds_and_its_password_holds()
    {
        var person = await server.SignInAsync();
        var token = await server.ResetTokenAsync(person.Email);
        var passwords = Enumerable.Range(0, 8).Select(i => $"{EmailServer.NewPassword} {i}").ToArray();
        var statuses = await Task.WhenAll(passwords.Select(password => server.StatusAsync(Path, new { token, password })));

        Assert.Single(statuses, HttpStatusCode.OK);
        Assert.Equal(HttpStatusCode.OK, await server.LogInStatusAsync(person.Email, passwords[Array.IndexOf(statuses, HttpStatusCode.OK)]));
    }

    [Fact]
    public async Task All_links_of_before_die_with_the_password()
    {
        var person = await server.SignInAsync();
        var (first, second) = (await server.ResetTokenAsync(person.Email), await server.ResetTokenAsync(person.Email, 2));
        Assert.Equal(HttpStatusCode.OK, await server.StatusAsync(Path, new { token = first, password = EmailServer.NewPassword }));

        using var late = await server.PostAsync(Path, new { token = second, password = "a third horse of many" });
        Assert.Equal(["token"], await EmailServer.BadFieldsAsync(late));
        Assert.Equal(HttpStatusCode.OK, await server.LogInStatusAsync(person.Email, EmailServer.NewPassword));
    }

    [Fact]
    public async Task A_link_is_good_for_half_an_hour()
    {
        var person = await server.SignInAsync();
        var token = await server.ResetTokenAsync(person.Email);
        server.Clock.Advance(TimeSpan.FromMinutes(30) + TimeSpan.FromSeconds(1));

        Assert.Equal(HttpStatusCode.UnprocessableEntity, await server.StatusAsync(Path, new { token, password = EmailServer.NewPassword }));
        await server.SignInAsync(person.Email);
    }

    [Fact]
    public async Task A_locked_account_is_neither_mailed_nor_reset()
    {
        var (person, other) = (await server.SignInAsync(), await server.SignInAsync());
        var token = await server.ResetTokenAsync(person.Email);
        await server.LockAsync(person);
        await server.LockAsync(other);
        await server.AskAsync("/auth/password/forgot", other.Email);
        await server.SettleAsync();

        Assert.Equal(HttpStatusCode.UnprocessableEntity, await server.StatusAsync(Path, new { token, password = EmailServer.NewPassword }));
        Assert.DoesNotContain(server.Letters(other.Email), static letter => letter.Contains("set a new password", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Nothing_that_is_opened_beside_it_survives()
    {
        for (var round = 0; round < 5; round++)
        {
            var person = await server.SignInAsync();
            var token = await server.ResetTokenAsync(person.Email);
            var logins = Enumerable.Range(0, 8).Select(_ => server.PostAsync("/auth/login", new { email = person.Email, password = AccountsServer.Password }));
            var responses = await Task.WhenAll([.. logins, server.PostAsync(Path, new { token, password = EmailServer.NewPassword })]);
            Assert.Equal(HttpStatusCode.OK, responses[^1].StatusCode);
            Array.ForEach(responses, static response => response.Dispose());

            Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM session WHERE account_id = $1 AND revoked_at IS NULL", person.Id));
        }
    }

    private async Task<HttpResponseMessage> PostFormAsync(string token, string password)
    {
        using var content = new FormUrlEncodedContent(new Dictionary<string, string>(StringComparer.Ordinal) { ["token"] = token, ["password"] = password });
        return await server.Client.PostAsync(Path, content, Cancel);
    }
}

public sealed class PasswordResetOnSqliteTests(SqliteEmailServer server) : PasswordResetTests(server), IClassFixture<SqliteEmailServer>;

public sealed class PasswordResetOnPostgresTests(PostgresEmailServer server) : PasswordResetTests(server), IClassFixture<PostgresEmailServer>;
