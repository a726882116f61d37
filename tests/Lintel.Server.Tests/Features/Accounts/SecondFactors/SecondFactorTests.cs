using System.Net;
using Lintel.Features.Accounts.Sessions;
using Lintel.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Features.Accounts.SecondFactors;

/// <summary>Authenticator apps and recovery codes, at sign-in and as a fresh proof, and what an attacker may try with them.</summary>
public abstract class SecondFactorTests(FactorsServer server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Without_a_factor_a_sign_in_is_as_it_was()
    {
        var person = await server.SignInAsync();
        using var response = await server.LoginAsync(person.Email);
        using var view = await server.SendAsync(HttpMethod.Get, "/auth/2fa", person.Tokens);

        Assert.Equal(["access_token", "expires_in", "refresh_token", "token_type"], (await response.JsonAsync()).EnumerateObject().Select(field => field.Name).Order());
        Assert.Equal("""{"enabled":false,"totp":false,"passkeys":0,"recovery_codes_left":0}""", (await view.JsonAsync()).GetRawText());
    }

    [Fact]
    public async Task With_an_app_the_password_gets_a_challenge_and_the_code_the_tokens()
    {
        var (person, app) = await server.SignInWithAppAsync();
        using var refused = await server.LoginAsync(person.Email);
        var details = await FactorsServer.DetailsAsync(refused);
        using var answered = await server.AnswerAsync(details.GetProperty("challenge").GetString()!, app.Code());
        var tokens = await Tokens.OfAsync(answered);

        Assert.Equal((HttpStatusCode.Unauthorized, "AUTH_2FA_REQUIRED"), (refused.StatusCode, await refused.ErrorCodeAsync()));
        Assert.Equal("no-store", refused.Headers.CacheControl!.ToString());
        Assert.Equal(["totp", "recovery_code"], FactorsServer.Texts(details.GetProperty("methods")));
        Assert.Equal(300, details.GetProperty("expires_in").GetInt64());
        Assert.Equal(HttpStatusCode.OK, await server.StatusOfMeAsync(tokens.Access));
        Assert.Equal(1, await server.CountAsync("SELECT count(*) FROM session WHERE id = $1 AND auth_methods = 'pwd totp'", tokens.SessionId));
        Assert.Equal(1, await server.CountMailAsync(person.Email, "A second factor was added"));
    }

    [Fact]
    public async Task The_secret_comes_as_text_as_an_address_and_as_an_image_and_counts_once_it_is_confirmed()
    {
        var person = await server.SignInAsync();
        using var started = await server.PostAsync("/auth/2fa/totp", person.Tokens);
        var setup = await started.JsonAsync();
        var secret = setup.GetProperty("secret").GetString()!;
        using var wrong = await server.PostAsync("/auth/2fa/totp/confirm", person.Tokens, new { code = new TestApp(TestApp.Decode(secret), server.Clock).WrongCode() });

        Assert.Matches("^[A-Z2-7]{32}$", secret);
        Assert.Equal(
            $"otpauth://totp/Lintel:{Uri.EscapeDataString(person.Email)}?secret={secret}&issuer=Lintel&algorithm=SHA1&digits=6&period=30", setup.GetProperty("otpauth_uri").GetString());
        Assert.StartsWith("<svg ", setup.GetProperty("qr_svg").GetString(), StringComparison.Ordinal);
        Assert.Equal("409 CONFLICT", await FactorsServer.OutcomeAsync(wrong));
        await server.SignInAsync(person.Email);
    }

    [Fact]
    public async Task What_the_database_keeps_of_secrets_tells_nothing()
    {
        var (person, app) = await server.SignInWithAppAsync();
        var other = await server.SignInWithAppAsync();
        var kept = await server.Database.ReadAsync(
            session => session.QueryFirstAsync("SELECT secret FROM totp WHERE account_id = $1", static row => row.GetFieldValue<byte[]>(0), person.Id), Cancel);

        Assert.Equal(-1, kept.AsSpan().IndexOf(app.Secret));

        // Moved into another's row it is no secret of theirs.
        await server.ExecuteAsync("UPDATE totp SET secret = $2, last_step = 0 WHERE account_id = $1", other.Person.Id, kept);
        Assert.Equal("401 AUTH_INVALID_CREDENTIALS", await FactorsServer.OutcomeAsync(await server.AnswerAsync(await server.ChallengeAsync(other.Person.Email), app.Code())));
    }

    [Fact]
    public async Task A_code_is_good_once_also_for_another_challenge()
    {
        var (person, app) = await server.SignInWithAppAsync();
        var first = await server.ChallengeAsync(person.Email);
        var second = await server.ChallengeAsync(person.Email);
        var code = app.Code();

        Assert.Equal("200", await FactorsServer.OutcomeAsync(await server.AnswerAsync(first, code)));
        Assert.Equal("401 AUTH_INVALID_CREDENTIALS", await FactorsServer.OutcomeAsync(await server.AnswerAsync(second, code)));
        Assert.Equal("401 AUTH_TOKEN_INVALID", await FactorsServer.OutcomeAsync(await server.AnswerAsync(first, app.Code())));
    }

    [Fact]
    public async Task Of_a_code_used_twice_at_once_one_is_taken()
    {
        var (person, app) = await server.SignInWithAppAsync();
        var challenges = new[] { await server.ChallengeAsync(person.Email), await server.ChallengeAsync(person.Email), await server.ChallengeAsync(person.Email) };
        var code = app.Code();

        var outcomes = await Task.WhenAll(challenges.Select(async challenge => await FactorsServer.OutcomeAsync(await server.AnswerAsync(challenge, code))));

        Assert.Equal(["200", "401 AUTH_INVALID_CREDENTIALS", "401 AUTH_INVALID_CREDENTIALS"], outcomes.Order());
    }

    [Fact]
    public async Task A_challenge_that_is_answered_twice_at_once_opens_one_session()
    {
        var (person, app) = await server.SignInWithAppAsync();
        var challenge = await server.ChallengeAsync(person.Email);
        var sessions = await server.CountAsync("SELECT count(*) FROM session WHERE account_id = $1", person.Id);

        var outcomes = await Task.WhenAll(app.RecoveryCodes.Take(3).Select(async code => await FactorsServer.OutcomeAsync(await server.RecoverAsync(challenge, code))));

        Assert.Equal(["200", "401 AUTH_TOKEN_INVALID", "401 AUTH_TOKEN_INVALID"], outcomes.Order());
        Assert.Equal(sessions + 1, await server.CountAsync("SELECT count(*) FROM session WHERE account_id = $1", person.Id));

        // The codes that came too late are not lost.
        Assert.Equal(9, await server.CountAsync("SELECT count(*) FROM recovery_code WHERE account_id = $1", person.Id));
    }

    [Fact]
    public async Task A_recovery_code_is_good_once_and_its_owner_hears_of_it()
    {
        var (person, app) = await server.SignInWithAppAsync();

        Assert.Equal((10, 10), (app.RecoveryCodes.Length, app.RecoveryCodes.Distinct().Count()));
        Assert.Equal("200", await FactorsServer.OutcomeAsync(await server.RecoverAsync(await server.ChallengeAsync(person.Email), app.RecoveryCodes[0].ToUpperInvariant())));
        Assert.Equal(
            "401 AUTH_INVALID_CREDENTIALS", await FactorsServer.OutcomeAsync(await server.RecoverAsync(await server.ChallengeAsync(person.Email), app.RecoveryCodes[0])));
        Assert.Equal(1, await server.CountMailAsync(person.Email, "A recovery code of your account was used"));
        using var view = await server.SendAsync(HttpMethod.Get, "/auth/2fa", person.Tokens);
        Assert.Equal(9, (await view.JsonAsync()).GetProperty("recovery_codes_left").GetInt32());
    }

    [Fact]
    public async Task Of_a_recovery_code_used_twice_at_once_one_is_taken()
    {
        var (person, app) = await server.SignInWithAppAsync();
        var challenges = new[] { await server.ChallengeAsync(person.Email), await server.ChallengeAsync(person.Email), await server.ChallengeAsync(person.Email) };

        var outcomes = await Task.WhenAll(challenges.Select(async challenge => await FactorsServer.OutcomeAsync(await server.RecoverAsync(challenge, app.RecoveryCodes[3]))));

        Assert.Equal(["200", "401 AUTH_INVALID_CREDENTIALS", "401 AUTH_INVALID_CREDENTIALS"], outcomes.Order());
    }

    [Fact]
    public async Task New_recovery_codes_make_the_former_ones_worthless()
    {
        var (person, app) = await server.SignInWithAppAsync();
        using var response = await server.PostAsync("/auth/2fa/recovery-codes", person.Tokens);
        var codes = FactorsServer.Texts((await response.JsonAsync()).GetProperty("recovery_codes"));

        Assert.Equal(10, codes.Length);
        Assert.Equal(
            "401 AUTH_INVALID_CREDENTIALS", await FactorsServer.OutcomeAsync(await server.RecoverAsync(await server.ChallengeAsync(person.Email), app.RecoveryCodes[0])));
        Assert.Equal("200", await FactorsServer.OutcomeAsync(await server.RecoverAsync(await server.ChallengeAsync(person.Email), codes[9])));
    }

    [Fact]
    public async Task Recovery_codes_of_another_account_are_worth_nothing()
    {
        var (person, _) = await server.SignInWithAppAsync();
        var other = await server.SignInWithAppAsync();

        Assert.Equal(
            "401 AUTH_INVALID_CREDENTIALS", await FactorsServer.OutcomeAsync(await server.RecoverAsync(await server.ChallengeAsync(person.Email), other.App.RecoveryCodes[0])));
    }

    [Fact]
    public async Task Parallel_guesses_do_not_beat_the_count_of_tries()
    {
        var (person, app) = await server.SignInWithAppAsync();
        var challenge = await server.ChallengeAsync(person.Email);
        var wrong = app.WrongCode();

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ => await FactorsServer.OutcomeAsync(await server.AnswerAsync(challenge, wrong))));

        Assert.InRange(outcomes.Count(static outcome => outcome == "401 AUTH_INVALID_CREDENTIALS"), 1, 5);
        Assert.Equal("401 AUTH_TOKEN_INVALID", await FactorsServer.OutcomeAsync(await server.AnswerAsync(challenge, app.Code())));
    }

    [Fact]
    public async Task A_challenge_is_its_accounts_alone_and_no_code_of_another_answers_it()
    {
        var (person, _) = await server.SignInWithAppAsync();
        var (other, otherApp) = await server.SignInWithAppAsync();

        Assert.Equal("401 AUTH_INVALID_CREDENTIALS", await FactorsServer.OutcomeAsync(await server.AnswerAsync(await server.ChallengeAsync(person.Email), otherApp.Code())));
        using var answered = await server.AnswerAsync(await server.ChallengeAsync(other.Email), otherApp.Code());
        Assert.Equal(other.Id.ToString(), Tokens.Claims((await Tokens.OfAsync(answered)).Access).GetProperty("sub").GetString());
    }

    [Fact]
    public async Task A_challenge_dies_with_its_time()
    {
        var (person, app) = await server.SignInWithAppAsync();
        var challenge = await server.ChallengeAsync(person.Email);
        server.Clock.Advance(TimeSpan.FromMinutes(5));

        Assert.Equal("401 AUTH_TOKEN_INVALID", await FactorsServer.OutcomeAsync(await server.AnswerAsync(challenge, app.Code())));
    }

    [Theory]
    [InlineData("UPDATE account SET password_version = password_version + 1 WHERE id = $1")]
    [InlineData("UPDATE account SET is_active = FALSE WHERE id = $1")]
    [InlineData("DELETE FROM account WHERE id = $1")]
    public async Task A_challenge_dies_when_the_password_changes_or_the_account_is_locked_or_deleted(string change)
    {
        var (person, app) = await server.SignInWithAppAsync();
        var challenge = await server.ChallengeAsync(person.Email);
        await server.ExecuteAsync(change, person.Id);

        Assert.Equal("401 AUTH_TOKEN_INVALID", await FactorsServer.OutcomeAsync(await server.AnswerAsync(challenge, app.Code())));
    }

    [Fact]
    public async Task After_the_app_was_removed_its_challenge_is_dead_and_the_password_is_enough()
    {
        var (person, app) = await server.SignInWithAppAsync();
        var challenge = await server.ChallengeAsync(person.Email);
        using var removed = await server.SendAsync(HttpMethod.Delete, "/auth/2fa/totp", person.Tokens);

        Assert.Equal(HttpStatusCode.NoContent, removed.StatusCode);
        Assert.Equal("401 AUTH_TOKEN_INVALID", await FactorsServer.OutcomeAsync(await server.AnswerAsync(challenge, app.Code())));
        Assert.Equal("401 AUTH_TOKEN_INVALID", await FactorsServer.OutcomeAsync(await server.PostAsync("/auth/2fa", new { challenge, password = AccountsServer.Password })));
        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM recovery_code WHERE account_id = $1", person.Id));
        Assert.Equal(1, await server.CountMailAsync(person.Email, "A second factor was removed"));
        await server.SignInAsync(person.Email);
    }

    [Fact]
    public async Task The_password_answers_no_challenge_of_an_account_that_has_a_factor()
    {
        var (person, app) = await server.SignInWithAppAsync();
        var challenge = await server.ChallengeAsync(person.Email);
        await server.MakeStaleAsync(person.Tokens);
        using var stepUp = await server.PostAsync("/auth/2fa/recovery-codes", person.Tokens);
        var second = await FactorsServer.ChallengeOfAsync(stepUp);

        Assert.Equal("422 VALIDATION_ERROR", await FactorsServer.OutcomeAsync(await server.PostAsync("/auth/2fa", new { challenge, password = AccountsServer.Password })));
        Assert.Equal("422 VALIDATION_ERROR", await FactorsServer.OutcomeAsync(await server.PostAsync("/auth/2fa", new { challenge = second, password = AccountsServer.Password })));
        Assert.Equal("200", await FactorsServer.OutcomeAsync(await server.AnswerAsync(challenge, app.Code())));
    }

    [Theory]
    [InlineData("""{}""", "challenge")]
    [InlineData("""{"challenge":"x"}""", "code")]
    [InlineData("""{"challenge":"x","code":"123456","recovery_code":"k3vqx-7m2pd"}""", "code")]
    public async Task A_challenge_is_answered_by_exactly_one_thing(string body, string field)
    {
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        using var response = await server.Client.PostAsync("/auth/2fa", content, Cancel);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        Assert.True((await FactorsServer.DetailsAsync(response)).GetProperty("fields").TryGetProperty(field, out _));
    }

    [Theory]
    [InlineData("""{"challenge":"nonsense","code":"123456"}""")]
    [InlineData("""{"challenge":"' OR 1=1 --\u0000","code":"123456"}""")]
    public async Task What_is_no_challenge_is_refused(string body)
    {
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");

        Assert.Equal("401 AUTH_TOKEN_INVALID", await FactorsServer.OutcomeAsync(await server.Client.PostAsync("/auth/2fa", content, Cancel)));
    }

    [Fact]
    public async Task A_dangerous_operation_wants_the_password_anew_after_ten_minutes()
    {
        var person = await server.SignInAsync();
        server.Clock.Advance(TimeSpan.FromMinutes(11));
        using var refused = await server.PostAsync("/auth/2fa/totp", person.Tokens);
        var challenge = await FactorsServer.ChallengeOfAsync(refused);
        var methods = FactorsServer.Texts((await FactorsServer.DetailsAsync(refused)).GetProperty("methods"));

        Assert.Equal(["password"], methods);
        Assert.Equal("401 AUTH_INVALID_CREDENTIALS", await FactorsServer.OutcomeAsync(await server.PostAsync("/auth/2fa", new { challenge, password = "wrong password" })));
        Assert.Equal("204", await FactorsServer.OutcomeAsync(await server.PostAsync("/auth/2fa", new { challenge, password = AccountsServer.Password })));
        Assert.Equal("200", await FactorsServer.OutcomeAsync(await server.PostAsync("/auth/2fa/totp", person.Tokens)));
        Assert.Equal("401 AUTH_TOKEN_INVALID", await FactorsServer.OutcomeAsync(await server.PostAsync("/auth/2fa", new { challenge, password = AccountsServer.Password })));
    }

    [Fact]
    public async Task A_fresh_proof_is_of_the_one_session_that_was_challenged()
    {
        var (person, app) = await server.SignInWithAppAsync();
        using var second = await server.AnswerAsync(await server.ChallengeAsync(person.Email), app.Code());
        var other = await Tokens.OfAsync(second);
        await server.MakeStaleAsync(person.Tokens);
        await server.MakeStaleAsync(other);
        using var refused = await server.PostAsync("/auth/2fa/recovery-codes", person.Tokens);

        Assert.Equal("204", await FactorsServer.OutcomeAsync(await server.AnswerAsync(await FactorsServer.ChallengeOfAsync(refused), app.Code())));
        Assert.Equal("401 AUTH_2FA_REQUIRED", await FactorsServer.OutcomeAsync(await server.PostAsync("/auth/2fa/recovery-codes", other)));
        Assert.Equal("200", await FactorsServer.OutcomeAsync(await server.PostAsync("/auth/2fa/recovery-codes", person.Tokens)));
    }

    [Fact]
    public async Task A_challenge_of_a_session_dies_with_the_session()
    {
        var (person, app) = await server.SignInWithAppAsync();
        await server.MakeStaleAsync(person.Tokens);
        using var refused = await server.PostAsync("/auth/2fa/recovery-codes", person.Tokens);
        var challenge = await FactorsServer.ChallengeOfAsync(refused);
        using var logout = await server.LogoutAsync(person.Tokens.Refresh);

        Assert.Equal("401 AUTH_TOKEN_INVALID", await FactorsServer.OutcomeAsync(await server.AnswerAsync(challenge, app.Code())));
    }

    [Theory]
    [InlineData("POST", "/auth/2fa/totp")]
    [InlineData("POST", "/auth/2fa/totp/confirm")]
    [InlineData("DELETE", "/auth/2fa/totp")]
    [InlineData("POST", "/auth/2fa/recovery-codes")]
    [InlineData("POST", "/auth/passkeys/options")]
    [InlineData("DELETE", "/auth/passkeys/019b3c4e-7a10-7c1e-9d3f-2f6a5b8c9d01")]
    public async Task Every_change_of_factors_wants_a_fresh_proof_and_no_key_can_give_one(string method, string path)
    {
        var person = await server.SignInAsync();
        await server.MakeStaleAsync(person.Tokens);
        using var withKey = new HttpRequestMessage(new HttpMethod(method), path) { Content = new StringContent("""{"code":"123456"}""", System.Text.Encoding.UTF8, "application/json") };
        withKey.Headers.Add("X-API-Key", "test-static-key");

        Assert.Equal("401 AUTH_2FA_REQUIRED", await FactorsServer.OutcomeAsync(await server.SendAsync(new(method), path, person.Tokens, new { code = "123456" })));
        Assert.Equal("403 FORBIDDEN", await FactorsServer.OutcomeAsync(await server.Client.SendAsync(withKey, Cancel)));
    }

    [Fact]
    public async Task A_second_app_is_not_set_up_beside_the_first()
    {
        var (person, _) = await server.SignInWithAppAsync();

        Assert.Equal("409 CONFLICT", await FactorsServer.OutcomeAsync(await server.PostAsync("/auth/2fa/totp", person.Tokens)));
    }

    [Fact]
    public async Task Of_two_secrets_only_the_last_is_confirmed_and_only_in_its_time()
    {
        var person = await server.SignInAsync();
        using var first = await server.PostAsync("/auth/2fa/totp", person.Tokens);
        using var second = await server.PostAsync("/auth/2fa/totp", person.Tokens);
        var firstApp = new TestApp(TestApp.Decode((await first.JsonAsync()).GetProperty("secret").GetString()!), server.Clock);
        var secondApp = new TestApp(TestApp.Decode((await second.JsonAsync()).GetProperty("secret").GetString()!), server.Clock);

        Assert.Equal("409 CONFLICT", await FactorsServer.OutcomeAsync(await server.PostAsync("/auth/2fa/totp/confirm", person.Tokens, new { code = firstApp.Code() })));
        await server.ExecuteAsync("UPDATE totp SET created_at = created_at - 3700000000 WHERE account_id = $1", person.Id);
        Assert.Equal("409 CONFLICT", await FactorsServer.OutcomeAsync(await server.PostAsync("/auth/2fa/totp/confirm", person.Tokens, new { code = secondApp.Code() })));
    }

    [Fact]
    public async Task Confirmed_many_times_at_once_an_app_is_added_once_with_one_set_of_recovery_codes()
    {
        var person = await server.SignInAsync();
        using var started = await server.PostAsync("/auth/2fa/totp", person.Tokens);
        var code = new TestApp(TestApp.Decode((await started.JsonAsync()).GetProperty("secret").GetString()!), server.Clock).Code();

        var outcomes = await Task.WhenAll(
            Enumerable.Range(0, 6).Select(async _ => await FactorsServer.OutcomeAsync(await server.PostAsync("/auth/2fa/totp/confirm", person.Tokens, new { code }))));

        Assert.Single(outcomes, static outcome => outcome == "200");
        Assert.Equal(10, await server.CountAsync("SELECT count(*) FROM recovery_code WHERE account_id = $1", person.Id));
        Assert.Equal(1, await server.CountAsync("SELECT factor_version FROM account WHERE id = $1", person.Id));
    }

    [Fact]
    public async Task A_sign_in_that_looked_before_a_factor_was_added_opens_nothing_after_it()
    {
        var person = await server.SignInAsync();
        var read = (await server.Services.GetRequiredService<AccountTable>().FindSecretsAsync(person.Email, Cancel))!;
        var before = (await server.Services.GetRequiredService<FactorTable>().FindAsync(person.Id, Cancel))!;
        await server.AddAppAsync(person.Tokens);

        Assert.Null(await server.Services.GetRequiredService<SessionTable>().OpenAsync(read, new(AuthMethods.Password, default) { FactorVersion = before.Version }, Cancel));
    }

    [Fact]
    public async Task Every_change_is_in_the_accounts_activity_and_no_secret_is()
    {
        var (person, app) = await server.SignInWithAppAsync();
        Assert.Equal("401 AUTH_INVALID_CREDENTIALS", await FactorsServer.OutcomeAsync(await server.AnswerAsync(await server.ChallengeAsync(person.Email), app.WrongCode())));
        Assert.Equal("200", await FactorsServer.OutcomeAsync(await server.RecoverAsync(await server.ChallengeAsync(person.Email), app.RecoveryCodes[5])));
        using var removed = await server.SendAsync(HttpMethod.Delete, "/auth/2fa/totp", person.Tokens);

        var events = await server.Database.ReadAsync(
            session => session.QueryAsync(
                "SELECT e.kind, e.data FROM event e JOIN stream s ON s.id = e.stream_id WHERE s.name = $1 ORDER BY e.seq",
                static row => (Kind: row.GetString(0), Data: System.Text.Encoding.UTF8.GetString(row.GetFieldValue<byte[]>(1))),
                $"accounts.activity.{person.Id}"),
            Cancel);
        Assert.Equal(
            ["account.registered", "session.opened", "factor.added", "factor.refused", "recovery_code.used", "session.opened", "factor.removed"], events.Select(static item => item.Kind));
        Assert.DoesNotContain(events, item => app.RecoveryCodes.Any(code => item.Data.Contains(code, StringComparison.OrdinalIgnoreCase)));
    }
}

public sealed class SecondFactorOnSqliteTests(SqliteFactorsServer server) : SecondFactorTests(server), IClassFixture<SqliteFactorsServer>;

public sealed class SecondFactorOnPostgresTests(PostgresFactorsServer server) : SecondFactorTests(server), IClassFixture<PostgresFactorsServer>;
