using System.Net;
using Lintel.Infrastructure;

namespace Lintel.Features.Accounts.Email;

public abstract class EmailChangeTests(EmailServer server)
{
    private const string Change = "/auth/email/change";
    private const string Old = "/auth/email/change/confirm-old";
    private const string New = "/auth/email/change/confirm-new";

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_address_changes_when_both_have_confirmed_it(bool oldFirst)
    {
        var (person, email) = (await SignInVerifiedAsync(), AccountsServer.NewEmail());
        var reset = await server.ResetTokenAsync(person.Email);
        await AskAsync(person, email);
        var (old, @new) = (await server.TokenAsync(person.Email, Old), await server.TokenAsync(email, New));
        (string Path, string Token)[] order = oldFirst ? [(Old, old), (New, @new)] : [(New, @new), (Old, old)];

        Assert.Equal(HttpStatusCode.OK, await server.StatusAsync(order[0].Path, new { token = order[0].Token }));
        await server.SignInAsync(person.Email);
        Assert.Equal(HttpStatusCode.OK, await server.StatusAsync(order[1].Path, new { token = order[1].Token }));

        await server.SignInAsync(email);
        Assert.Equal(HttpStatusCode.Unauthorized, await server.LogInStatusAsync(person.Email, AccountsServer.Password));
        Assert.Contains(email, await server.LetterAsync(person.Email, "is now"), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, await server.StatusAsync("/auth/password/reset", new { token = reset, password = EmailServer.NewPassword }));
        Assert.Equal(1, await server.CountEventsAsync(person, "email.changed"));
        Assert.True(await server.IsVerifiedAsync(person.Id));
    }

    [Fact]
    public async Task An_address_that_was_never_confirmed_cannot_hold_its_owner_back()
    {
        var (person, email) = (await server.SignInAsync(), AccountsServer.NewEmail());
        await AskAsync(person, email);
        var letter = await server.LetterAsync(person.Email, "asked to change its address");
        Assert.Empty(EmailServer.TokenIn(letter, Old));
        Assert.NotEmpty(EmailServer.TokenIn(letter, "/auth/email/change/cancel"));

        Assert.Equal(HttpStatusCode.OK, await server.StatusAsync(New, new { token = await server.TokenAsync(email, New) }));
        await server.SignInAsync(email);
    }

    [Fact]
    public async Task Who_has_asked_for_as_much_as_one_may_keeps_an_address_from_nobody()
    {
        var (stranger, person, email) = (await SignInVerifiedAsync(), await SignInVerifiedAsync(), AccountsServer.NewEmail());
        for (var i = 0; i < 5; i++)
        {
            await AskAsync(stranger, AccountsServer.NewEmail());
        }

        for (var i = 0; i < 5; i++)
        {
            await AskAsync(stranger, email);
        }

        await AskAsync(person, email);
        Assert.NotEmpty(await server.TokenAsync(email, New));
    }

    [Fact]
    public async Task The_old_address_can_give_a_change_up_even_after_a_new_password()
    {
        var (person, email) = (await SignInVerifiedAsync(), AccountsServer.NewEmail());
        await AskAsync(person, email);
        var (old, cancel, @new) = (await server.TokenAsync(person.Email, Old), await server.TokenAsync(person.Email, "/auth/email/change/cancel"), await server.TokenAsync(email, New));
        using var changed = await server.PostAsync("/auth/password", new { new_password = EmailServer.NewPassword }, person.Tokens.Access);
        Assert.Equal(HttpStatusCode.NoContent, changed.StatusCode);

        Assert.Equal(HttpStatusCode.OK, await server.StatusAsync("/auth/email/change/cancel", new { token = cancel }));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, await server.StatusAsync(Old, new { token = old }));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, await server.StatusAsync(New, new { token = @new }));
        Assert.Equal(HttpStatusCode.OK, await server.LogInStatusAsync(person.Email, EmailServer.NewPassword));
        Assert.Equal(1, await server.CountEventsAsync(person, "email.change_cancelled"));
    }

    [Fact]
    public async Task A_new_password_ends_a_change_that_is_under_way()
    {
        var (person, email) = (await server.SignInAsync(), AccountsServer.NewEmail());
        await AskAsync(person, email);
        var token = await server.TokenAsync(email, New);
        using var changed = await server.PostAsync("/auth/password", new { new_password = EmailServer.NewPassword }, person.Tokens.Access);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, await server.StatusAsync(New, new { token }));
        Assert.Equal(HttpStatusCode.OK, await server.LogInStatusAsync(person.Email, EmailServer.NewPassword));
    }

    [Fact]
    public async Task An_address_that_is_taken_is_answered_as_any_other_and_its_owner_hears_nothing()
    {
        var (person, owner) = (await SignInVerifiedAsync(), await server.SignInAsync());
        await server.SettleAsync();
        var letters = server.Letters(owner.Email).Count();
        await AskAsync(person, owner.Email);
        await server.LetterAsync(person.Email, owner.Email);
        await server.SettleAsync();

        Assert.Equal(letters, server.Letters(owner.Email).Count());
    }

    [Fact]
    public async Task Of_two_who_want_one_address_at_once_one_gets_it()
    {
        var email = AccountsServer.NewEmail();
        var people = new[] { await server.SignInAsync(), await server.SignInAsync(), await server.SignInAsync() };
        var tokens = new List<string>();
        foreach (var person in people)
        {
            await AskAsync(person, email);
            tokens.Add(await server.TokenAsync(email, New, tokens.Count + 1));
        }

        await Task.WhenAll(tokens.Select(token => server.StatusAsync(New, new { token })));

        Assert.Equal(1, await server.CountAsync("SELECT count(*) FROM account WHERE email_normalized = $1", email));
        Assert.Equal(2, await server.CountAsync("SELECT count(*) FROM account WHERE email_normalized IN ($1, $2, $3)", people[0].Email, people[1].Email, people[2].Email));
    }

    [Fact]
    public async Task A_session_alone_is_not_enough_once_its_proof_is_old()
    {
        var person = await server.SignInAsync();
        server.Clock.Advance(TimeSpan.FromMinutes(11));
        using var response = await server.PostAsync(Change, new { email = AccountsServer.NewEmail() }, person.Tokens.Access);
        using var anonymous = await server.PostAsync(Change, new { email = AccountsServer.NewEmail() });

        Assert.Equal("AUTH_2FA_REQUIRED", await response.ErrorCodeAsync());
        Assert.Equal(HttpStatusCode.Unauthorized, anonymous.StatusCode);
    }

    private async Task<Person> SignInVerifiedAsync()
    {
        var person = await server.SignInAsync();
        Assert.Equal(HttpStatusCode.OK, await server.StatusAsync("/auth/email/verify", new { token = await server.TokenAsync(person.Email, "/auth/email/verify") }));
        return person;
    }

    private async Task AskAsync(Person person, string email)
    {
        using var response = await server.PostAsync(Change, new { email }, person.Tokens.Access);
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
    }
}

public sealed class EmailChangeOnSqliteTests(SqliteEmailServer server) : EmailChangeTests(server), IClassFixture<SqliteEmailServer>;

public sealed class EmailChangeOnPostgresTests(PostgresEmailServer server) : EmailChangeTests(server), IClassFixture<PostgresEmailServer>;
