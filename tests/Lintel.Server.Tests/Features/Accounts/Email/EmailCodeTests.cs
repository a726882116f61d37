using System.Net;
using Lintel.Features.Accounts.Guessing;
using Lintel.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Features.Accounts.Email;

public abstract class EmailCodeTests(EmailServer server)
{
    private const string Path = "/auth/login/code";

    [Fact]
    public async Task A_mailed_code_signs_in_once()
    {
        var person = await server.SignInAsync();
        var code = await server.CodeAsync(person.Email);
        using var response = await server.PostAsync(Path, new { email = person.Email.ToUpperInvariant(), code });
        var tokens = await Tokens.OfAsync(response);

        Assert.Equal(HttpStatusCode.OK, await server.StatusOfMeAsync(tokens.Access));
        Assert.Equal(1, await server.CountAsync("SELECT count(*) FROM session WHERE id = $1 AND auth_methods = 'email'", tokens.SessionId));
        Assert.True(await server.IsVerifiedAsync(person.Id));
        Assert.Equal(HttpStatusCode.Unauthorized, await server.StatusAsync(Path, new { email = person.Email, code }));
    }

    [Fact]
    public async Task Who_made_an_account_with_the_address_of_another_is_out_once_that_one_signs_in()
    {
        // The stranger leaves every door open that an account may have.
        var stranger = await server.SignInAsync();
        using var key = await server.PostAsync("/api/keys", new { name = "door", scopes = new[] { "tasks" } }, stranger.Tokens.Access);
        Assert.Equal(HttpStatusCode.Created, key.StatusCode);
        await server.ExecuteAsync("INSERT INTO external_identity (provider, subject, account_id, linked_at) VALUES ('corp', $1, $2, 1)", stranger.Email, stranger.Id);

        using var response = await server.PostAsync(Path, new { email = stranger.Email, code = await server.CodeAsync(stranger.Email) });
        var owner = await Tokens.OfAsync(response);

        Assert.Equal(HttpStatusCode.OK, await server.StatusOfMeAsync(owner.Access));
        Assert.Equal(HttpStatusCode.Unauthorized, await server.StatusOfMeAsync(stranger.Tokens.Access));
        Assert.Equal(HttpStatusCode.Unauthorized, await server.LogInStatusAsync(stranger.Email, AccountsServer.Password));
        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM api_key WHERE account_id = $1 AND revoked_at IS NULL", stranger.Id));
        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM external_identity WHERE account_id = $1", stranger.Id));
        Assert.Equal(1, await server.CountEventsAsync(stranger, "password.removed"));
        Assert.Contains("the one of before is good no more", (await server.LetterAsync(stranger.Email, "was changed on")).ReplaceLineEndings(" "), StringComparison.Ordinal);

        // Once it is the owner's, a code takes nothing away.
        Assert.Equal(HttpStatusCode.OK, await server.StatusAsync(Path, new { email = stranger.Email, code = await server.CodeAsync(stranger.Email, 2) }));
        Assert.Equal(HttpStatusCode.OK, await server.StatusOfMeAsync(owner.Access));
    }

    [Fact]
    public async Task A_mailbox_alone_takes_nothing_from_an_account_with_a_second_factor()
    {
        var person = await server.SignInAsync();
        await server.ExecuteAsync("UPDATE account SET email_verified_at = 1 WHERE id = $1", person.Id);
        await server.ExecuteAsync("INSERT INTO totp (account_id, secret, created_at, confirmed_at, last_step) VALUES ($1, $2, 1, 1, 0)", person.Id, new byte[64]);
        using var response = await server.PostAsync(Path, new { email = person.Email, code = await server.CodeAsync(person.Email) });

        Assert.Equal((HttpStatusCode.Unauthorized, "AUTH_2FA_REQUIRED"), (response.StatusCode, await response.ErrorCodeAsync()));
        Assert.Equal(HttpStatusCode.OK, await server.StatusOfMeAsync(person.Tokens.Access));
    }

    [Fact]
    public async Task Of_many_with_the_same_code_at_once_one_is_signed_in()
    {
        var person = await server.SignInAsync();
        var code = (await server.CodeAsync(person.Email)).Replace(" ", "", StringComparison.Ordinal);
        var statuses = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => server.StatusAsync(Path, new { email = person.Email, code })));

        Assert.Single(statuses, HttpStatusCode.OK);
        Assert.Equal(2, await server.CountAsync("SELECT count(*) FROM session WHERE account_id = $1", person.Id));
    }

    [Fact]
    public async Task Many_guesses_at_once_have_no_more_tries_than_one_after_the_other()
    {
        var person = await server.SignInAsync();
        var code = await server.CodeAsync(person.Email);
        var wrong = Enumerable.Range(0, 40).Select(i => $"{i:D8}").Where(guess => guess != code.Replace(" ", "", StringComparison.Ordinal));
        var statuses = await Task.WhenAll(wrong.Select(guess => server.StatusFromAsync("198.51.100.1", Path, new { email = person.Email, code = guess })));

        Assert.All(statuses, static status => Assert.Equal(HttpStatusCode.Unauthorized, status));
        Assert.Equal(1, await server.CountAsync("SELECT count(*) FROM email_code WHERE account_id = $1 AND attempts = 5", person.Id));
        Assert.Equal(HttpStatusCode.Unauthorized, await server.StatusFromAsync("198.51.100.2", Path, new { email = person.Email, code }));
        Assert.Equal(HttpStatusCode.OK, await server.StatusFromAsync("198.51.100.2", Path, new { email = person.Email, code = await server.CodeAsync(person.Email, 2) }));
    }

    [Fact]
    public async Task Strangers_who_use_up_a_code_leave_its_owner_some_tries_and_no_more()
    {
        var person = await server.SignInAsync();
        var code = await server.CodeAsync(person.Email);
        await GuessAsync(person.Email, code, "198.51.100.1", 5);
        Assert.Equal(HttpStatusCode.Unauthorized, await server.StatusFromAsync("198.51.100.2", Path, new { email = person.Email, code }));
        Assert.Equal(HttpStatusCode.OK, await server.StatusAsync(Path, new { email = person.Email, code }));

        code = await server.CodeAsync(person.Email, 2);
        await GuessAsync(person.Email, code, "127.0.0.1", 10);
        Assert.Equal(HttpStatusCode.Unauthorized, await server.StatusAsync(Path, new { email = person.Email, code }));
    }

    [Fact]
    public async Task A_right_code_makes_its_network_known_for_passwords_too()
    {
        var person = await server.SignInAsync();
        Assert.Equal(HttpStatusCode.OK, await server.StatusFromAsync("203.0.113.5", Path, new { email = person.Email, code = await server.CodeAsync(person.Email) }));

        var guesses = server.Services.GetRequiredService<Guesses>();
        Assert.True(await guesses.IsKnownAsync(person.Email, new(null, "203.0.113.5"), TestContext.Current.CancellationToken));
        Assert.False(await guesses.IsKnownAsync(person.Email, new(null, "203.0.113.6"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_new_code_takes_the_place_of_the_one_before()
    {
        var person = await server.SignInAsync();
        var first = await server.CodeAsync(person.Email);
        var second = await server.CodeAsync(person.Email, 2);

        Assert.Equal(HttpStatusCode.Unauthorized, await server.StatusAsync(Path, new { email = person.Email, code = first }));
        Assert.Equal(HttpStatusCode.OK, await server.StatusAsync(Path, new { email = person.Email, code = second }));
    }

    [Fact]
    public async Task A_code_is_good_for_ten_minutes_and_one_address()
    {
        var (person, other) = (await server.SignInAsync(), await server.SignInAsync());
        var code = await server.CodeAsync(person.Email);
        await server.CodeAsync(other.Email);

        Assert.Equal(HttpStatusCode.Unauthorized, await server.StatusAsync(Path, new { email = other.Email, code }));
        server.Clock.Advance(TimeSpan.FromMinutes(10) + TimeSpan.FromSeconds(1));
        Assert.Equal(HttpStatusCode.Unauthorized, await server.StatusAsync(Path, new { email = person.Email, code }));
    }

    [Fact]
    public async Task A_code_of_before_a_new_password_is_not_good()
    {
        var person = await server.SignInAsync();
        var code = await server.CodeAsync(person.Email);
        using var changed = await server.PostAsync("/auth/password", new { new_password = EmailServer.NewPassword, current_password = AccountsServer.Password }, person.Tokens.Access);

        Assert.Equal(HttpStatusCode.NoContent, changed.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, await server.StatusAsync(Path, new { email = person.Email, code }));
    }

    [Fact]
    public async Task An_address_of_nobody_has_a_code_that_nobody_is_mailed_and_that_signs_nobody_in()
    {
        var (known, unknown, locked) = (await server.SignInAsync(), AccountsServer.NewEmail(), await server.SignInAsync());
        await server.LockAsync(locked);
        await server.AskAsync("/auth/email/code", unknown);
        await server.AskAsync("/auth/email/code", locked.Email);
        await server.CodeAsync(known.Email);
        await server.SettleAsync();
        var answers = new List<string>();
        foreach (var email in new[] { known.Email, unknown, locked.Email, AccountsServer.NewEmail(), "no address\0" })
        {
            using var response = await server.PostAsync(Path, new { email, code = "not it" });
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
            answers.Add((await response.JsonAsync()).GetProperty("error").GetRawText());
        }

        Assert.Single(answers.Distinct());
        Assert.Empty(server.Letters(unknown));
        Assert.DoesNotContain(server.Letters(locked.Email), static letter => letter.Contains("Your code", StringComparison.Ordinal));
        Assert.Equal(2, await server.CountAsync("SELECT count(*) FROM email_code WHERE account_id IS NULL AND attempts = 1"));
    }

    private async Task GuessAsync(string email, string right, string address, int times)
    {
        var wrong = right == "0000 0000" ? "00000001" : "00000000";
        for (var i = 0; i < times; i++)
        {
            Assert.Equal(HttpStatusCode.Unauthorized, await server.StatusFromAsync(address, Path, new { email, code = wrong }));
        }
    }
}

public sealed class EmailCodeOnSqliteTests(SqliteEmailServer server) : EmailCodeTests(server), IClassFixture<SqliteEmailServer>;

public sealed class EmailCodeOnPostgresTests(PostgresEmailServer server) : EmailCodeTests(server), IClassFixture<PostgresEmailServer>;
