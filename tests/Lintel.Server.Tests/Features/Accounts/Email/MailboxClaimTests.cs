using System.Net;
using System.Net.Http.Headers;
using Lintel.Features.Accounts.Audit;
using Lintel.Features.Accounts.SecondFactors;
using Lintel.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Features.Accounts.Email;

/// <summary>
/// The attack: make an account with the address of somebody else, open every door that an account can have, and wait for them. Whichever way they show that the mailbox is theirs, the
/// doors close.
/// </summary>
public abstract class MailboxClaimTests(EmailServer server)
{
    private const string Verify = "/auth/email/verify";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("link")]
    [InlineData("code")]
    [InlineData("reset")]
    public async Task Whoever_shows_that_the_mailbox_is_theirs_closes_the_doors_of_before(string way)
    {
        var (stranger, device) = await OpenAllDoorsAsync();

        Assert.Equal(HttpStatusCode.OK, await ClaimAsync(stranger, way));

        foreach (var table in (string[])["totp", "passkey", "recovery_code", "remembered_device", "factor_challenge", "external_identity"])
        {
            Assert.Equal((table, 0), (table, await server.CountAsync($"SELECT count(*) FROM {table} WHERE account_id = $1", stranger.Id)));
        }

        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM api_key WHERE account_id = $1 AND revoked_at IS NULL", stranger.Id));
        Assert.Equal(1, await server.CountEventsAsync(stranger, "account.factors_removed"));
        Assert.Contains("confirmed for the first time", (await server.LetterAsync(stranger.Email, "All second factors")).ReplaceLineEndings(" "), StringComparison.Ordinal);

        // The owner needs nothing that the stranger has.
        using var login = await server.PostAsync("/auth/login", new { email = stranger.Email, password = way == "reset" ? EmailServer.NewPassword : AccountsServer.Password, device_token = device });
        Assert.Equal(way == "code" ? HttpStatusCode.Unauthorized : HttpStatusCode.OK, login.StatusCode);
        Assert.Equal(way == "link" ? HttpStatusCode.OK : HttpStatusCode.Unauthorized, await server.StatusOfMeAsync(stranger.Tokens.Access));
    }

    [Theory]
    [InlineData("code")]
    [InlineData("reset")]
    public async Task Once_it_is_known_a_mailbox_alone_takes_no_factor_away(string way)
    {
        var person = await server.SignInAsync();
        Assert.Equal(HttpStatusCode.OK, await ClaimAsync(person, "link"));
        await AddAppAsync(person);

        Assert.Equal(way == "code" ? HttpStatusCode.Unauthorized : HttpStatusCode.OK, await ClaimAsync(person, way));

        Assert.Equal(1, await server.CountAsync("SELECT count(*) FROM totp WHERE account_id = $1", person.Id));
        Assert.Equal(0, await server.CountEventsAsync(person, "account.factors_removed"));
    }

    [Fact]
    public async Task A_link_that_is_not_good_takes_nothing_away()
    {
        var (stranger, _) = await OpenAllDoorsAsync();

        Assert.Equal(HttpStatusCode.UnprocessableEntity, await server.StatusAsync(Verify, new { token = EmailSecrets.NewToken() }));
        Assert.Equal(1, await server.CountAsync("SELECT count(*) FROM totp WHERE account_id = $1", stranger.Id));
    }

    [Fact]
    public async Task A_change_of_address_that_was_begun_before_takes_the_account_from_nobody()
    {
        const string New = "/auth/email/change/confirm-new";
        var (stranger, own) = (await server.SignInAsync(), AccountsServer.NewEmail());
        using var asked = await server.PostAsync("/auth/email/change", new { email = own }, stranger.Tokens.Access);
        var token = await server.TokenAsync(own, New);

        // The password stays with this way, and with it the link that waits for the stranger's own address alone.
        Assert.Equal(HttpStatusCode.OK, await ClaimAsync(stranger, "link"));

        Assert.Equal(HttpStatusCode.UnprocessableEntity, await server.StatusAsync(New, new { token }));
        Assert.Equal(1, await server.CountAsync("SELECT count(*) FROM account WHERE id = $1 AND email_normalized = $2", stranger.Id, stranger.Email));
    }

    [Fact]
    public async Task A_factor_that_is_added_in_the_very_moment_does_not_stay()
    {
        for (var round = 0; round < 8; round++)
        {
            var stranger = await server.SignInAsync();
            var code = await server.CodeAsync(stranger.Email);
            var app = await StartAppAsync(stranger);

            var claiming = server.StatusAsync("/auth/login/code", new { email = stranger.Email, code });
            using var confirmed = await server.PostAsync("/auth/2fa/totp/confirm", new { code = app.Code() }, stranger.Tokens.Access);
            await claiming;

            Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM totp WHERE account_id = $1 AND confirmed_at IS NOT NULL", stranger.Id));
        }
    }

    private async Task<HttpStatusCode> ClaimAsync(Person person, string way) => way switch
    {
        "link" => await server.StatusAsync(Verify, new { token = await server.TokenAsync(person.Email, Verify) }),
        "code" => await server.StatusAsync("/auth/login/code", new { email = person.Email, code = await server.CodeAsync(person.Email) }),
        _ => await server.StatusAsync("/auth/password/reset", new { token = await server.ResetTokenAsync(person.Email), password = EmailServer.NewPassword }),
    };

    /// <summary>An authenticator app, recovery codes, a passkey, a remembered device, an API key and a linked provider.</summary>
    private async Task<(Person Stranger, string DeviceToken)> OpenAllDoorsAsync()
    {
        var stranger = await server.SignInAsync();
        var app = await AddAppAsync(stranger);
        using var key = await server.PostAsync("/api/keys", new { name = "door", scopes = new[] { "tasks" } }, stranger.Tokens.Access);
        Assert.Equal(HttpStatusCode.Created, key.StatusCode);
        await server.ExecuteAsync("INSERT INTO external_identity (provider, subject, account_id, linked_at) VALUES ('corp', $1, $2, 1)", stranger.Email, stranger.Id);
        await server.ExecuteAsync(
            """
            INSERT INTO passkey (id, account_id, credential_id, public_key, name, sign_count, transports, is_user_verified, is_backup_eligible, is_backed_up, created_at)
            VALUES ($1, $2, $3, $3, 'door', 0, '', TRUE, FALSE, FALSE, 1)
            """,
            Guid.CreateVersion7(),
            stranger.Id,
            Guid.CreateVersion7().ToByteArray());
        using var login = await server.PostAsync("/auth/login", new { email = stranger.Email, password = AccountsServer.Password });
        var challenge = await FactorsServer.ChallengeOfAsync(login);
        using var answered = await server.PostAsync("/auth/2fa", new { challenge, code = app.Code(), remember_device = true });
        Assert.Equal(HttpStatusCode.OK, answered.StatusCode);
        return (stranger, (await answered.JsonAsync()).GetProperty("device_token").GetString()!);
    }

    private async Task<TestApp> AddAppAsync(Person person)
    {
        var app = await StartAppAsync(person);
        using var confirmed = await server.PostAsync("/auth/2fa/totp/confirm", new { code = app.Code() }, person.Tokens.Access);
        Assert.Equal(HttpStatusCode.OK, confirmed.StatusCode);
        return app;
    }

    private async Task<TestApp> StartAppAsync(Person person)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/auth/2fa/totp");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", person.Tokens.Access);
        using var started = await server.Client.SendAsync(request, Cancel);
        Assert.Equal(HttpStatusCode.OK, started.StatusCode);
        return new(TestApp.Decode((await started.JsonAsync()).GetProperty("secret").GetString()!), server.Clock);
    }
}

public sealed class MailboxClaimsOnSqliteTests(SqliteEmailServer server) : MailboxClaimTests(server), IClassFixture<SqliteEmailServer>;

public sealed class MailboxClaimsOnPostgresTests(PostgresEmailServer server) : MailboxClaimTests(server), IClassFixture<PostgresEmailServer>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    public async Task A_change_of_address_that_begins_in_the_very_moment_needs_the_owner_too()
    {
        var (stranger, own) = (await server.SignInAsync(), AccountsServer.NewEmail());
        var isClaiming = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var mayClaim = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var claiming = server.Database.WriteAsync(
            async unit =>
            {
                await server.Services.GetRequiredService<MailboxClaims>().ClaimAsync(unit, stranger.Id, stranger.Email, Actor.System);
                isClaiming.TrySetResult();
                await mayClaim.Task;
            },
            Cancel);
        await isClaiming.Task;

        using var asked = await server.PostAsync("/auth/email/change", new { email = own }, stranger.Tokens.Access);
        Assert.Equal(HttpStatusCode.Accepted, asked.StatusCode);
        await Eventually.HoldsAsync(async () => await server.CountAsync("SELECT count(*) FROM email_change WHERE account_id = $1", stranger.Id) > 0 || await server.CountAsync(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") > 0);
        mayClaim.SetResult();
        await claiming;

        Assert.NotEmpty(EmailServer.TokenIn(await server.LetterAsync(stranger.Email, "asked to change its address"), "/auth/email/change/confirm-old"));
        Assert.Equal(HttpStatusCode.OK, await server.StatusAsync("/auth/email/change/confirm-new", new { token = await server.TokenAsync(own, "/auth/email/change/confirm-new") }));
        Assert.Equal(1, await server.CountAsync("SELECT count(*) FROM account WHERE id = $1 AND email_normalized = $2", stranger.Id, stranger.Email));
    }
}
