using System.Net;
using System.Net.Http.Json;
using Lintel.Features.Accounts.Passwords;
using Lintel.Features.Accounts.Sessions;
using Lintel.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Features.Accounts.Guessing;

/// <summary>Guessing is slow from wherever it is tried, and slow for nobody else.</summary>
public abstract class GuessTests(GuessServer server)
{
    private const string Wrong = "wrong horse battery";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private Guesses Guesses => server.Services.GetRequiredService<Guesses>();

    [Fact]
    public async Task Two_hundred_guesses_at_once_are_no_more_than_may_be_made_one_after_the_other()
    {
        var email = await RegisterAsync();
        var passwords = server.Services.GetRequiredService<PasswordHashing>();
        var hashed = passwords.Taken;

        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => LoginAsync(email, $"{Wrong} {i}", "192.0.2.1")));

        Assert.Equal(5, answers.Count(answer => answer.Status == HttpStatusCode.Unauthorized));
        Assert.Equal(195, answers.Count(answer => answer.Status == HttpStatusCode.TooManyRequests));
        Assert.Equal(5, passwords.Taken - hashed);
    }

    [Fact]
    public async Task So_are_guesses_at_once_from_two_hundred_networks()
    {
        var email = await RegisterAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => LoginAsync(email, Wrong, $"198.51.100.{i}")));

        Assert.Equal(20, answers.Count(answer => answer.Status == HttpStatusCode.Unauthorized));
    }

    [Fact]
    public async Task Each_further_try_waits_twice_as_long_and_a_right_one_ends_it()
    {
        var email = await RegisterAsync();
        await GuessAsync(email, "192.0.2.2", 5);
        foreach (var wait in new[] { 1, 2, 4, 8 })
        {
            var refused = await LoginAsync(email, AccountsServer.Password, "192.0.2.2");
            Assert.Equal((HttpStatusCode.TooManyRequests, "RATE_LIMITED"), (refused.Status, refused.Code));
            Assert.Equal(wait, refused.RetryAfter);
            server.Clock.Advance(TimeSpan.FromSeconds(wait));
            Assert.Equal(HttpStatusCode.Unauthorized, (await LoginAsync(email, Wrong, "192.0.2.2")).Status);
        }

        server.Clock.Advance(TimeSpan.FromSeconds(16));
        Assert.Equal(HttpStatusCode.OK, (await LoginAsync(email, AccountsServer.Password, "192.0.2.2")).Status);
        await GuessAsync(email, "192.0.2.2", 5);
    }

    [Fact]
    public async Task Nobody_waits_longer_than_is_set()
    {
        var email = await RegisterAsync();
        await GuessAsync(email, "192.0.2.3", 5);
        for (var i = 0; i < 14; i++)
        {
            server.Clock.Advance(TimeSpan.FromSeconds(900));
            await GuessAsync(email, "192.0.2.3", 1);
        }

        Assert.Equal(900, (await LoginAsync(email, Wrong, "192.0.2.3")).RetryAfter);
    }

    [Fact]
    public async Task After_a_long_quiet_all_is_forgotten()
    {
        var email = await RegisterAsync();
        await GuessAsync(email, "192.0.2.4", 5);
        server.Clock.Advance(TimeSpan.FromHours(2));

        await GuessAsync(email, "192.0.2.4", 5);
    }

    [Fact]
    public async Task Strangers_elsewhere_do_not_keep_out_an_owner_who_was_there_before()
    {
        var email = await RegisterAsync();
        Assert.Equal(HttpStatusCode.OK, (await LoginAsync(email, AccountsServer.Password, "203.0.113.7")).Status);
        foreach (var network in Enumerable.Range(10, 4))
        {
            await GuessAsync(email, $"192.0.2.{network}", 5);
        }

        Assert.Equal(HttpStatusCode.TooManyRequests, (await LoginAsync(email, Wrong, "192.0.2.20")).Status);
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(HttpStatusCode.OK, (await LoginAsync(email, AccountsServer.Password, "203.0.113.7")).Status);
        }

        // Nor does the owner's being right give the strangers more.
        Assert.Equal(HttpStatusCode.TooManyRequests, (await LoginAsync(email, Wrong, "192.0.2.20")).Status);
    }

    [Fact]
    public async Task Strangers_do_not_slow_down_a_device_that_its_account_remembers_wherever_its_owner_is()
    {
        var (email, other) = (await RegisterAsync(), await RegisterAsync());
        var device = await RememberAsync(email, "203.0.113.7");
        var otherDevice = await RememberAsync(other, "203.0.113.8");
        foreach (var network in Enumerable.Range(110, 4))
        {
            await GuessAsync(email, $"192.0.2.{network}", 5);
        }

        // On the road: a network that the account was never signed in from.
        Assert.Equal(HttpStatusCode.TooManyRequests, (await LoginAsync(email, AccountsServer.Password, "203.0.113.99")).Status);
        foreach (var token in new[] { otherDevice, device + "x", "ltd_" + new string('A', 43), new string('x', 5000) })
        {
            Assert.Equal(HttpStatusCode.TooManyRequests, (await LoginAsync(email, AccountsServer.Password, "203.0.113.99", token)).Status);
        }

        Assert.Equal(HttpStatusCode.OK, (await LoginAsync(email, AccountsServer.Password, "203.0.113.99", device)).Status);

        // The owner's being right gives the strangers nothing, and makes the network known.
        Assert.Equal(HttpStatusCode.TooManyRequests, (await LoginAsync(email, Wrong, "192.0.2.120")).Status);
        Assert.Equal(HttpStatusCode.OK, (await LoginAsync(email, AccountsServer.Password, "203.0.113.99")).Status);
    }

    [Fact]
    public async Task A_stolen_device_gives_a_few_tries_more_and_no_others_however_many_networks_try()
    {
        var email = await RegisterAsync();
        var device = await RememberAsync(email, "203.0.113.20");

        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => LoginAsync(email, Wrong, $"198.51.100.{i}", device)));

        Assert.Equal(5 + 20, answers.Count(answer => answer.Status == HttpStatusCode.Unauthorized));
        Assert.Equal(75, answers.Count(answer => answer.Status == HttpStatusCode.TooManyRequests));

        // Then it waits like everybody, twice as long each time.
        server.Clock.Advance(TimeSpan.FromSeconds(1));
        answers = await Task.WhenAll(Enumerable.Range(100, 50).Select(i => LoginAsync(email, Wrong, $"198.51.100.{i}", device)));
        Assert.Equal(2, answers.Count(answer => answer.Status == HttpStatusCode.Unauthorized));
        Assert.Equal(HttpStatusCode.OK, (await LoginAsync(email, AccountsServer.Password, "203.0.113.20", device)).Status);
    }

    [Fact]
    public async Task A_new_password_forgets_the_device()
    {
        var email = await RegisterAsync();
        var device = await RememberAsync(email, "203.0.113.30");
        await server.ExecuteAsync("UPDATE account SET password_version = password_version + 1 WHERE email_normalized = $1", email);
        foreach (var network in Enumerable.Range(130, 4))
        {
            await GuessAsync(email, $"192.0.2.{network}", 5);
        }

        Assert.Equal(HttpStatusCode.TooManyRequests, (await LoginAsync(email, AccountsServer.Password, "203.0.113.31", device)).Status);
    }

    [Fact]
    public async Task Whether_a_device_is_to_be_remembered_is_true_or_false()
    {
        var email = await RegisterAsync();
        using var refused = await server.PostAsync("/auth/login", new { email, password = AccountsServer.Password, remember_device = 7 });
        using var not = await server.PostAsync("/auth/login", new { email, password = AccountsServer.Password, remember_device = false });

        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
        Assert.False((await not.JsonAsync()).TryGetProperty("device_token", out _));
    }

    [Fact]
    public async Task Another_account_is_not_slower_for_it()
    {
        var (email, other) = (await RegisterAsync(), await RegisterAsync());
        await GuessAsync(email, "192.0.2.30", 5);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await LoginAsync(email, Wrong, "192.0.2.30")).Status);

        Assert.Equal(HttpStatusCode.OK, (await LoginAsync(other, AccountsServer.Password, "192.0.2.30")).Status);
    }

    [Theory]
    [InlineData("192.0.2.40", "192.0.2.40", "192.0.2.41")]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1")]
    public async Task One_network_cannot_try_a_few_passwords_at_everybody(string address, string same, string other)
    {
        foreach (var chunk in Enumerable.Range(0, 100).Chunk(25))
        {
            var tried = await Task.WhenAll(chunk.Select(_ => LoginAsync(AccountsServer.NewEmail(), Wrong, address)));
            Assert.All(tried, answer => Assert.Equal(HttpStatusCode.Unauthorized, answer.Status));
        }

        Assert.Equal(HttpStatusCode.TooManyRequests, (await LoginAsync(AccountsServer.NewEmail(), Wrong, same)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await LoginAsync(AccountsServer.NewEmail(), Wrong, other)).Status);

        server.Clock.Advance(TimeSpan.FromHours(2));
    }

    [Fact]
    public async Task Whoever_tries_everybody_from_a_shared_network_does_not_keep_out_an_owner_who_was_there_before()
    {
        var (email, late) = (await RegisterAsync(), await RegisterAsync());
        Assert.Equal(HttpStatusCode.OK, (await LoginAsync(email, AccountsServer.Password, "192.0.2.90")).Status);
        foreach (var chunk in Enumerable.Range(0, 100).Chunk(25))
        {
            await Task.WhenAll(chunk.Select(_ => LoginAsync(AccountsServer.NewEmail(), Wrong, "192.0.2.90")));
        }

        Assert.Equal(HttpStatusCode.TooManyRequests, (await LoginAsync(late, AccountsServer.Password, "192.0.2.90")).Status);
        Assert.Equal(HttpStatusCode.OK, (await LoginAsync(email, AccountsServer.Password, "192.0.2.90")).Status);

        // That the owner is known there gives nobody more tries at the account.
        await GuessAsync(email, "192.0.2.90", 5);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await LoginAsync(email, Wrong, "192.0.2.90")).Status);
        server.Clock.Advance(TimeSpan.FromHours(2));
    }

    [Fact]
    public async Task Many_people_sign_in_from_one_network()
    {
        var email = await RegisterAsync();
        for (var i = 0; i < 120; i++)
        {
            Assert.Equal(HttpStatusCode.OK, (await LoginAsync(email, AccountsServer.Password, "192.0.2.50")).Status);
        }
    }

    [Fact]
    public async Task Whether_there_is_such_an_account_shows_nowhere()
    {
        var known = await RegisterAsync();
        var unknown = AccountsServer.NewEmail();

        for (var i = 0; i < 8; i++)
        {
            var first = await LoginAsync(known, Wrong, "192.0.2.60");
            Assert.Equal(first, await LoginAsync(unknown, Wrong, "192.0.2.61"));
            Assert.Equal(i < 5 ? HttpStatusCode.Unauthorized : HttpStatusCode.TooManyRequests, first.Status);
        }
    }

    [Fact]
    public async Task Kinds_are_counted_apart()
    {
        var subject = Guid.CreateVersion7().ToString();
        var client = new ClientInfo(null, "192.0.2.70");
        for (var i = 0; i < 5; i++)
        {
            Assert.True((await Guesses.BeginAsync(GuessKind.Password, subject, client, null, Cancel)).IsAdmitted);
        }

        Assert.False((await Guesses.BeginAsync(GuessKind.Password, subject, client, null, Cancel)).IsAdmitted);
        Assert.True((await Guesses.BeginAsync(GuessKind.Code, subject, client, null, Cancel)).IsAdmitted);
        Assert.True((await Guesses.BeginAsync(GuessKind.SecondFactor, subject, client, null, Cancel)).IsAdmitted);
        await Guesses.SucceededAsync(GuessKind.Code, subject, client, null, Cancel);
        Assert.False((await Guesses.BeginAsync(GuessKind.Password, subject, client, null, Cancel)).IsAdmitted);
    }

    [Fact]
    public async Task A_try_that_was_not_checked_does_not_count()
    {
        var subject = Guid.CreateVersion7().ToString();
        var client = new ClientInfo(null, "192.0.2.71");
        for (var i = 0; i < 40; i++)
        {
            Assert.True((await Guesses.BeginAsync(GuessKind.Code, subject, client, null, Cancel)).IsAdmitted);
            await Guesses.WithdrawAsync(GuessKind.Code, subject, client, null, Cancel);
        }
    }

    [Fact]
    public async Task Someone_who_signs_in_from_everywhere_does_not_fill_the_table()
    {
        var before = await server.CountAsync("SELECT count(*) FROM guess_place");
        var subject = Guid.CreateVersion7().ToString();
        for (var i = 0; i < 50; i++)
        {
            await Guesses.SucceededAsync(GuessKind.Password, subject, new(null, $"10.1.{i}.1"), null, Cancel);
            server.Clock.Advance(TimeSpan.FromMilliseconds(1));
        }

        Assert.InRange(await server.CountAsync("SELECT count(*) FROM guess_place") - before, 1, 32);
    }

    private protected static async Task<Answer> LoginAsync(HttpClient client, string email, string password, string address, string? device = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/auth/login") { Content = JsonContent.Create(new { email, password, device_token = device }) };
        request.Headers.TryAddWithoutValidation("X-Forwarded-For", address);
        using var response = await client.SendAsync(request, Cancel);
        var isError = response.StatusCode != HttpStatusCode.OK;
        return new(
            response.StatusCode,
            isError ? await response.ErrorCodeAsync() : null,
            isError ? (await response.JsonAsync()).GetProperty("error").GetRawText() : null,
            (int)(response.Headers.RetryAfter?.Delta?.TotalSeconds ?? 0));
    }

    private Task<Answer> LoginAsync(string email, string password, string address, string? device = null) => LoginAsync(server.Client, email, password, address, device);

    /// <summary>Signs in, and has the device remembered.</summary>
    private async Task<string> RememberAsync(string email, string address)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/auth/login")
        {
            Content = JsonContent.Create(new { email, password = AccountsServer.Password, remember_device = true }),
        };
        request.Headers.TryAddWithoutValidation("X-Forwarded-For", address);
        using var response = await server.Client.SendAsync(request, Cancel);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return (await response.JsonAsync()).GetProperty("device_token").GetString()!;
    }

    private async Task GuessAsync(string email, string address, int times)
    {
        for (var i = 0; i < times; i++)
        {
            Assert.Equal(HttpStatusCode.Unauthorized, (await LoginAsync(email, Wrong, address)).Status);
        }
    }

    private async Task<string> RegisterAsync()
    {
        var email = AccountsServer.NewEmail();
        using var registered = await server.PostAsync("/auth/register", new { email, password = AccountsServer.Password });
        Assert.Equal(HttpStatusCode.Created, registered.StatusCode);
        return email;
    }

    private protected sealed record Answer(HttpStatusCode Status, string? Code, string? Error, int RetryAfter);
}

/// <summary>A server that counts as it does by default, behind a proxy that says where clients are.</summary>
public abstract class GuessServer : AccountsServer
{
    public static readonly string[] Defaults = ["--TRUSTED_PROXIES=127.0.0.1", "--GUESS_TRIES=5", "--GUESS_TRIES_PER_ACCOUNT=20", "--GUESS_TRIES_PER_NETWORK=100"];

    private protected GuessServer(TestDatabaseKind kind)
        : base(kind, new MovableClock(standsStill: true), Defaults)
    {
    }
}

public sealed class SqliteGuessServer() : GuessServer(TestDatabaseKind.Sqlite);

public sealed class PostgresGuessServer() : GuessServer(TestDatabaseKind.Postgres);

public sealed class GuessesOnSqliteTests(SqliteGuessServer server) : GuessTests(server), IClassFixture<SqliteGuessServer>;

public sealed class GuessesOnPostgresTests(PostgresGuessServer server) : GuessTests(server), IClassFixture<PostgresGuessServer>
{
    [Fact]
    public async Task Two_nodes_give_no_more_tries_than_one()
    {
        await using var database = await TestDatabase.CreateAsync(TestDatabaseKind.Postgres);
        string[] settings = ["--PASSWORD_HASH_ITERATIONS=10000", $"--DATABASE_URL={database.Url}", .. GuessServer.Defaults];
        var clock = new MovableClock(standsStill: true);
        await using var first = await ServerFixture.StartAsync(settings, builder => builder.Services.AddSingleton<TimeProvider>(clock));
        await using var second = await ServerFixture.StartAsync(settings, builder => builder.Services.AddSingleton<TimeProvider>(clock));
        var email = AccountsServer.NewEmail();

        var answers = await Task.WhenAll(Enumerable.Range(0, 60).Select(i => LoginAsync((i % 2 == 0 ? first : second).Client, email, "any password", "192.0.2.1")));

        Assert.Equal(5, answers.Count(answer => answer.Status == HttpStatusCode.Unauthorized));
        Assert.Equal(55, answers.Count(answer => answer.Status == HttpStatusCode.TooManyRequests));
    }
}
