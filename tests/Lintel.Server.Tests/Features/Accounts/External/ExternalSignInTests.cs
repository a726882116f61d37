using System.Net;
using Lintel.Features.Accounts.Audit;
using Lintel.Features.Accounts.Email;
using Lintel.Features.Accounts.Sessions;
using Lintel.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Features.Accounts.External;

public abstract class ExternalSignInTests(ExternalServer server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private ExternalIdentityTable Identities => server.Services.GetRequiredService<ExternalIdentityTable>();

    [Fact]
    public async Task Somebody_new_gets_an_account_and_the_same_one_again()
    {
        var email = AccountsServer.NewEmail();
        var tokens = await SignInAsync(email);
        using var me = await server.GetMeAsync(tokens.Access);
        var account = await me.JsonAsync();

        Assert.Equal(email, account.GetProperty("email").GetString());
        Assert.Equal("MasonBcc: all@example.com", account.GetProperty("name").GetString());
        var id = account.GetProperty("id").GetInt64();
        Assert.Equal(1, await server.CountAsync("SELECT count(*) FROM account WHERE id = $1 AND email_verified_at IS NOT NULL", id));
        Assert.Equal(1, await server.CountAsync("SELECT count(*) FROM session WHERE id = $1 AND auth_methods = $2", tokens.SessionId, AuthMethods.Federated));

        Assert.Equal(id, Id(await SignInAsync(email)));
        Assert.Equal(1, await EventsAsync(id, AccountEvents.Registered));
        Assert.Equal(0, await EventsAsync(id, AccountEvents.ProviderLinked));
    }

    [Fact]
    public async Task An_account_whose_address_is_verified_is_linked_and_told()
    {
        var person = await server.SignInAsync();
        await server.VerifyEmailAsync(person);

        Assert.Equal(person.Id, Id(await SignInAsync(person.Email)));
        Assert.Equal(1, await EventsAsync(person.Id, AccountEvents.ProviderLinked));
        Assert.Single(await MailFolder.WaitAsync(server.DataFolder, 1, person.Email, "Subject: You can now sign in with corp"));
    }

    [Fact]
    public async Task An_account_whose_address_is_not_verified_is_not_taken_over_and_can_be_linked_from_inside()
    {
        // Made by somebody who waits for the owner of the address to come along.
        var person = await server.SignInAsync();
        using var refused = await server.ExchangeAsync(await server.CodeAsync(person.Email));
        Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
        Assert.Contains("link the provider from inside", (await refused.JsonAsync()).GetProperty("error").GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM external_identity WHERE account_id = $1", person.Id));

        using var linked = await server.SendAsync(HttpMethod.Post, "/auth/external/corp/link", person.Tokens.Access, await server.CodeAsync(person.Email));
        Assert.Equal(HttpStatusCode.NoContent, linked.StatusCode);
        Assert.Equal(person.Id, Id(await SignInAsync(person.Email)));
        using var links = await server.SendAsync(HttpMethod.Get, "/auth/external/links", person.Tokens.Access);
        var link = Assert.Single((await links.JsonAsync()).GetProperty("links").EnumerateArray());
        Assert.Equal(("corp", person.Email), (link.GetProperty("provider").GetString(), link.GetProperty("email").GetString()));
    }

    [Fact]
    public async Task An_address_that_the_provider_does_not_vouch_for_opens_nothing()
    {
        var person = await server.SignInAsync();
        await server.VerifyEmailAsync(person);
        await server.ExecuteAsync("UPDATE account SET email = $2, email_normalized = $2 WHERE id = $1", person.Id, "unverified-" + person.Email);
        var stranger = "unverified-" + AccountsServer.NewEmail();

        foreach (var email in new[] { "unverified-" + person.Email, stranger })
        {
            using var refused = await server.ExchangeAsync(await server.CodeAsync(email));
            Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
        }

        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM account WHERE email = $1", stranger));
        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM external_identity WHERE account_id = $1", person.Id));
    }

    [Fact]
    public async Task A_code_is_good_once_for_half_a_minute_and_for_who_has_the_verifier()
    {
        var email = AccountsServer.NewEmail();
        var used = await server.CodeAsync(email);
        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => server.ExchangeAsync(used)));
        Assert.Single(answers, answer => answer.StatusCode == HttpStatusCode.OK);
        Assert.All(answers.Where(answer => answer.StatusCode != HttpStatusCode.OK), answer => Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode));

        // One that was shown with a wrong verifier is somebody else's loot, and is worth nothing from then on.
        var seen = await server.CodeAsync(email);
        using var stolen = await server.ExchangeAsync(seen with { Verifier = ExternalServer.NewChallenge().Verifier });
        using var late = await server.ExchangeAsync(seen);
        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized), (stolen.StatusCode, late.StatusCode));

        var forgotten = await server.CodeAsync(email);
        server.Clock.Advance(TimeSpan.FromSeconds(31));
        using var expired = await server.ExchangeAsync(forgotten);
        Assert.Equal("AUTH_TOKEN_INVALID", await expired.ErrorCodeAsync());
        using var nonsense = await server.ExchangeAsync(("x", "y"));
        Assert.Equal(HttpStatusCode.Unauthorized, nonsense.StatusCode);
    }

    [Fact]
    public async Task Codes_that_nobody_came_for_are_forgotten()
    {
        await server.CodeAsync(AccountsServer.NewEmail());
        server.Clock.Advance(TimeSpan.FromMinutes(1));
        var worker = server.Services.GetServices<Microsoft.Extensions.Hosting.IHostedService>().OfType<ExternalRetentionWorker>().Single();

        await worker.ForgetAsync(Cancel);

        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM external_code"));
    }

    [Fact]
    public async Task What_is_linked_to_one_account_cannot_be_linked_to_another()
    {
        var owner = await server.SignInAsync();
        var other = await server.SignInAsync();
        var email = AccountsServer.NewEmail();
        using var first = await server.SendAsync(HttpMethod.Post, "/auth/external/corp/link", owner.Tokens.Access, await server.CodeAsync(email));
        using var second = await server.SendAsync(HttpMethod.Post, "/auth/external/corp/link", other.Tokens.Access, await server.CodeAsync(email));
        using var another = await server.SendAsync(HttpMethod.Post, "/auth/external/corp/link", owner.Tokens.Access, await server.CodeAsync(AccountsServer.NewEmail()));
        using var wrongProvider = await server.SendAsync(HttpMethod.Post, "/auth/external/rogue/link", other.Tokens.Access, await server.CodeAsync(email));

        Assert.Equal(
            (HttpStatusCode.NoContent, HttpStatusCode.Conflict, HttpStatusCode.Conflict, HttpStatusCode.Unauthorized),
            (first.StatusCode, second.StatusCode, another.StatusCode, wrongProvider.StatusCode));
        Assert.Equal(owner.Id, Id(await SignInAsync(email)));
    }

    [Fact]
    public async Task Who_has_neither_a_password_nor_a_factor_is_told_to_sign_in_again_and_that_is_a_fresh_proof()
    {
        var email = AccountsServer.NewEmail();
        var tokens = await SignInAsync(email);
        await server.ExecuteAsync("UPDATE session SET authenticated_at = 0 WHERE id = $1", tokens.SessionId);

        using var stale = await server.SendAsync(HttpMethod.Post, "/auth/2fa/totp", tokens.Access);
        var error = (await stale.JsonAsync()).GetProperty("error");
        var details = error.GetProperty("details");

        Assert.Equal((HttpStatusCode.Unauthorized, "AUTH_2FA_REQUIRED"), (stale.StatusCode, error.GetProperty("code").GetString()));
        Assert.Contains("sign in again", error.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal(System.Text.Json.JsonValueKind.Null, details.GetProperty("challenge").ValueKind);
        Assert.Equal("sign_in", Assert.Single(details.GetProperty("methods").EnumerateArray()).GetString());
        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM factor_challenge WHERE account_id = $1", Id(tokens)));

        using var started = await server.SendAsync(HttpMethod.Post, "/auth/2fa/totp", (await SignInAsync(email)).Access);
        Assert.Equal(HttpStatusCode.OK, started.StatusCode);
    }

    [Fact]
    public async Task What_a_stranger_set_up_for_an_address_meets_nobody_whose_provider_vouches_for_it()
    {
        // Somebody registers the address, adds an app, and waits for its owner to come by a provider.
        var stranger = await server.SignInAsync();
        await server.ExecuteAsync("INSERT INTO totp (account_id, secret, created_at, confirmed_at, last_step) VALUES ($1, $2, 1, 1, 0)", stranger.Id, new byte[64]);
        using var refused = await server.ExchangeAsync(await server.CodeAsync(stranger.Email));

        Assert.Equal((HttpStatusCode.Conflict, "CONFLICT"), (refused.StatusCode, await refused.ErrorCodeAsync()));
        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM external_identity WHERE account_id = $1", stranger.Id));
        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM factor_challenge WHERE account_id = $1", stranger.Id));

        // Once the owner has shown by mail that the address is theirs, the provider opens the account, and nothing of the stranger's stands in the way.
        await server.Database.WriteAsync(
            async unit => { await server.Services.GetRequiredService<MailboxClaims>().ClaimAsync(unit, stranger.Id, stranger.Email, Actor.System); }, Cancel);
        Assert.Equal(stranger.Id, Id(await SignInAsync(stranger.Email)));
    }

    [Fact]
    public async Task Linking_and_unlinking_need_a_fresh_proof_and_a_person()
    {
        var person = await server.SignInAsync();
        var grant = await server.CodeAsync(person.Email);
        using var nobody = await server.PostAsync("/auth/external/corp/link", new { code = grant.Code, code_verifier = grant.Verifier });
        Assert.Equal(HttpStatusCode.Unauthorized, nobody.StatusCode);

        await server.ExecuteAsync("UPDATE session SET authenticated_at = 0 WHERE id = $1", person.Tokens.SessionId);
        using var stale = await server.SendAsync(HttpMethod.Post, "/auth/external/corp/link", person.Tokens.Access, grant);
        Assert.Equal("AUTH_2FA_REQUIRED", await stale.ErrorCodeAsync());
        using var unlink = await server.SendAsync(HttpMethod.Delete, "/auth/external/corp/link", person.Tokens.Access);
        Assert.Equal("AUTH_2FA_REQUIRED", await unlink.ErrorCodeAsync());

        // The code was not used up by the refusal.
        var fresh = await server.SignInAsync(person.Email);
        using var linked = await server.SendAsync(HttpMethod.Post, "/auth/external/corp/link", fresh.Access, grant);
        Assert.Equal(HttpStatusCode.NoContent, linked.StatusCode);
    }

    [Fact]
    public async Task A_provider_is_unlinked_where_there_is_another_way_to_sign_in()
    {
        var person = await server.SignInAsync();
        using var linked = await server.SendAsync(HttpMethod.Post, "/auth/external/corp/link", person.Tokens.Access, await server.CodeAsync(person.Email));
        using var unlinked = await server.SendAsync(HttpMethod.Delete, "/auth/external/corp/link", person.Tokens.Access);
        using var again = await server.SendAsync(HttpMethod.Delete, "/auth/external/corp/link", person.Tokens.Access);
        Assert.Equal((HttpStatusCode.NoContent, HttpStatusCode.NoContent, HttpStatusCode.NotFound), (linked.StatusCode, unlinked.StatusCode, again.StatusCode));

        var only = await SignInAsync(AccountsServer.NewEmail());
        using var last = await server.SendAsync(HttpMethod.Delete, "/auth/external/corp/link", only.Access);
        Assert.Equal(HttpStatusCode.Conflict, last.StatusCode);
    }

    [Fact]
    public async Task Two_that_are_unlinked_at_once_do_not_leave_an_account_without_a_way_in()
    {
        var tokens = await SignInAsync(AccountsServer.NewEmail());
        var id = Id(tokens);
        for (var i = 0; i < 5; i++)
        {
            await server.ExecuteAsync(
                "INSERT INTO external_identity (provider, subject, account_id, linked_at) VALUES ('rogue', $1, $2, 1), ('corp', $1, $2, 1) ON CONFLICT DO NOTHING", $"s{id}", id);
            var by = new Actor(id, tokens.SessionId);
            var results = await Task.WhenAll(Identities.UnlinkAsync(id, "corp", by, Cancel), Identities.UnlinkAsync(id, "rogue", by, Cancel));

            Assert.Equal([UnlinkStatus.Unlinked, UnlinkStatus.LastWay], results.Order());
            Assert.Equal(1, await server.CountAsync("SELECT count(*) FROM external_identity WHERE account_id = $1", id));
        }
    }

    [Fact]
    public async Task A_first_sign_in_in_many_tabs_makes_one_account()
    {
        var email = AccountsServer.NewEmail();
        var identity = new ExternalIdentity("corp", email, email, true, null);

        var results = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Identities.ResolveAsync(identity, canRegister: true, default, Cancel)));

        Assert.Single(results, result => result.Match == ExternalMatch.Registered);
        Assert.Single(results.Select(result => result.Account?.Id).Distinct());
    }

    [Fact]
    public async Task Where_registration_is_closed_a_stranger_stays_outside()
    {
        var email = AccountsServer.NewEmail();
        var result = await Identities.ResolveAsync(new("corp", email, email, true, null), canRegister: false, default, Cancel);

        Assert.Equal((ExternalMatch.Closed, null), result);
        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM account WHERE email = $1", email));
    }

    [Fact]
    public async Task An_account_without_a_password_has_none_to_be_guessed()
    {
        var email = AccountsServer.NewEmail();
        await SignInAsync(email);
        foreach (var password in new[] { "", "any password" })
        {
            using var response = await server.PostAsync("/auth/login", new { email, password });
            Assert.Equal("AUTH_INVALID_CREDENTIALS", await response.ErrorCodeAsync());
        }
    }

    [Fact]
    public async Task A_locked_account_is_not_opened()
    {
        var email = AccountsServer.NewEmail();
        var id = Id(await SignInAsync(email));
        await server.ExecuteAsync("UPDATE account SET is_active = FALSE WHERE id = $1", id);

        using var refused = await server.ExchangeAsync(await server.CodeAsync(email));

        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
    }

    [Fact]
    public async Task Links_go_with_their_account()
    {
        var id = Id(await SignInAsync(AccountsServer.NewEmail()));
        await server.ExecuteAsync("DELETE FROM account WHERE id = $1", id);

        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM external_identity WHERE account_id = $1", id));
    }

    private static long Id(Tokens tokens) => long.Parse(Tokens.Claims(tokens.Access).GetProperty("sub").GetString()!, System.Globalization.CultureInfo.InvariantCulture);

    private Task<long> EventsAsync(long accountId, string kind) => server.CountAsync(
        "SELECT count(*) FROM event e JOIN stream s ON s.id = e.stream_id WHERE s.name = $1 AND e.kind = $2", AccountAudit.NameOf(accountId), kind);

    private async Task<Tokens> SignInAsync(string email)
    {
        using var response = await server.ExchangeAsync(await server.CodeAsync(email));
        return await Tokens.OfAsync(response);
    }
}

public sealed class ExternalSignInOnSqliteTests(SqliteExternalServer server) : ExternalSignInTests(server), IClassFixture<SqliteExternalServer>;

public sealed class ExternalSignInOnPostgresTests(PostgresExternalServer server) : ExternalSignInTests(server), IClassFixture<PostgresExternalServer>;
