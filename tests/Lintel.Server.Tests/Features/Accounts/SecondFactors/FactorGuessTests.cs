using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using Lintel.Features.Accounts.Guessing;
using Lintel.Infrastructure;
using Lintel.Platform.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Features.Accounts.SecondFactors;

/// <summary>Guesses at second factors, with the limits that a server has by itself.</summary>
public abstract class FactorGuessTests(FactorsServer server)
{
    [Fact]
    public async Task New_challenges_bring_no_new_guesses()
    {
        var (person, app) = await server.SignInWithAppAsync();
        var wrong = app.WrongCode();
        var outcomes = new List<string>();
        for (var i = 0; i < 4; i++)
        {
            var challenge = await server.ChallengeAsync(person.Email);
            outcomes.AddRange(await Task.WhenAll(Enumerable.Range(0, 3).Select(async _ => await FactorsServer.OutcomeAsync(await server.AnswerAsync(challenge, wrong)))));
        }

        Assert.Equal(5, outcomes.Count(static outcome => outcome == "401 AUTH_INVALID_CREDENTIALS"));
        Assert.Equal(7, outcomes.Count(static outcome => outcome == "429 RATE_LIMITED"));
    }

    [Fact]
    public async Task Who_has_to_wait_is_told_how_long_loses_no_try_of_the_challenge_and_gets_in_afterwards()
    {
        var (person, app) = await server.SignInWithAppAsync();

        // Now: it sets the clock forward.
        var code = app.Code();
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal("401 AUTH_INVALID_CREDENTIALS", await FactorsServer.OutcomeAsync(await server.AnswerAsync(await server.ChallengeAsync(person.Email), app.WrongCode())));
        }

        var challenge = await server.ChallengeAsync(person.Email);
        using var refused = await server.AnswerAsync(challenge, code);
        Assert.Equal((HttpStatusCode.TooManyRequests, 1), (refused.StatusCode, refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds));
        server.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("200", await FactorsServer.OutcomeAsync(await server.AnswerAsync(challenge, code)));
    }

    [Fact]
    public async Task Recovery_codes_are_guessed_at_under_the_same_count_and_the_password_is_not()
    {
        var (person, _) = await server.SignInWithAppAsync();
        var challenge = await server.ChallengeAsync(person.Email);
        for (var i = 0; i < 5; i++)
        {
            await FactorsServer.OutcomeAsync(await server.RecoverAsync(challenge, "00000-00000"));
        }

        challenge = await server.ChallengeAsync(person.Email);
        Assert.Equal("429 RATE_LIMITED", await FactorsServer.OutcomeAsync(await server.RecoverAsync(challenge, "00000-00000")));
        Assert.Equal("429 RATE_LIMITED", await FactorsServer.OutcomeAsync(await server.AnswerAsync(challenge, "123456")));
    }

    [Fact]
    public async Task A_password_for_a_fresh_proof_is_guessed_at_under_the_count_of_sign_ins()
    {
        var person = await server.SignInAsync();
        await server.MakeStaleAsync(person.Tokens);
        using var refused = await server.PostAsync("/auth/2fa/totp", person.Tokens);
        var challenge = await FactorsServer.ChallengeOfAsync(refused);
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal("401 AUTH_INVALID_CREDENTIALS", await FactorsServer.OutcomeAsync(await server.PostAsync("/auth/2fa", new { challenge, password = "wrong password" })));
        }

        Assert.Equal("429 RATE_LIMITED", await FactorsServer.OutcomeAsync(await server.LoginAsync(person.Email)));
    }

    [Fact]
    public async Task A_remembered_device_shows_its_factor_while_others_in_its_network_guess_at_it()
    {
        var (person, app) = await server.SignInWithAppAsync();
        using var answered = await server.PostAsync("/auth/2fa", new { challenge = await server.ChallengeAsync(person.Email), code = app.Code(), remember_device = true });
        var device = (await answered.JsonAsync()).GetProperty("device_token").GetString();
        for (var i = 0; i < 5; i++)
        {
            await FactorsServer.OutcomeAsync(await server.AnswerAsync(await server.ChallengeAsync(person.Email), app.WrongCode()));
        }

        // They have been at it for long.
        var keys = server.Services.GetRequiredService<GuessKeys>();
        var counter = keys.Of(GuessKind.SecondFactor, person.Id.ToString(CultureInfo.InvariantCulture), new(null, "127.0.0.1")).Pair;
        Assert.Equal(1, await server.ExecuteAsync("UPDATE guess SET wait = 900000000 WHERE counter = $1", counter));
        await server.MakeStaleAsync(person.Tokens);
        using var stale = await server.PostAsync("/auth/2fa/recovery-codes", person.Tokens);
        var challenge = await FactorsServer.ChallengeOfAsync(stale);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/auth/2fa") { Content = JsonContent.Create(new { challenge, recovery_code = app.RecoveryCodes[0] }) };
        request.Headers.Add("X-Device-Token", device);

        Assert.Equal("429 RATE_LIMITED", await FactorsServer.OutcomeAsync(await server.RecoverAsync(challenge, app.RecoveryCodes[0])));
        Assert.Equal("204", await FactorsServer.OutcomeAsync(await server.Client.SendAsync(request, TestContext.Current.CancellationToken)));
    }

    [Fact]
    public async Task Challenges_that_are_never_answered_do_not_pile_up()
    {
        var (person, _) = await server.SignInWithAppAsync();
        for (var i = 0; i < 12; i++)
        {
            await server.ChallengeAsync(person.Email);
        }

        Assert.Equal(8, await server.CountAsync("SELECT count(*) FROM factor_challenge WHERE account_id = $1", person.Id));
        server.Clock.Advance(TimeSpan.FromMinutes(6));
        await server.Services.GetServices<Microsoft.Extensions.Hosting.IHostedService>().OfType<ExpiryWorker>().Single().ForgetAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM factor_challenge WHERE account_id = $1", person.Id));
    }
}

public sealed class SqliteFactorGuessServer() : FactorsServer(TestDatabaseKind.Sqlite, "--GUESS_TRIES=5");

public sealed class PostgresFactorGuessServer() : FactorsServer(TestDatabaseKind.Postgres, "--GUESS_TRIES=5");

public sealed class FactorGuessOnSqliteTests(SqliteFactorGuessServer server) : FactorGuessTests(server), IClassFixture<SqliteFactorGuessServer>;

public sealed class FactorGuessOnPostgresTests(PostgresFactorGuessServer server) : FactorGuessTests(server), IClassFixture<PostgresFactorGuessServer>;
