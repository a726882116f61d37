using System.Net;
using Lintel.Features.Accounts.Sessions;
using Lintel.Features.Administration;
using Lintel.Infrastructure;
using Lintel.Platform.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Lintel.Features.Accounts;

/// <summary>Many at once on PostgreSQL: each gets an answer that is none of the server's faults, and no two ever wait for each other.</summary>
public sealed class LockOrderTests
{
    private const int Clients = 64;
    private const string Hash = "$2b$04$abcdefghijklmnopqrstuuqREtd3VJD2QVZbuFskFSLk6eRIrQoOS";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = 240_000)]
    public async Task Sign_ins_to_one_account_that_has_as_many_sessions_as_it_may()
    {
        await using var server = new BusyServer();
        await server.InitializeAsync();
        var person = await server.SignInAsync();
        for (var round = 0; round < 4; round++)
        {
            // Each from one of a few devices, so that some are new and mailed of, and all end sessions of each other.
            var tokens = await AllAsync(i => server.SignInAsync(person.Email, $"curl/{round}.{i % 7}", $"203.0.113.{i % 5}"));
            Assert.Equal(Clients, tokens.Select(pair => pair.SessionId).Distinct().Count());
        }

        // Passwords are hashed a few at a time, so that few come to the database at once: all of them do with the proofs behind them.
        var account = (await server.Services.GetRequiredService<AccountTable>().FindSecretsAsync(person.Email, Cancel))!;
        var table = server.Services.GetRequiredService<SessionTable>();
        for (var round = 0; round < 8; round++)
        {
            Assert.DoesNotContain(
                await AllAsync(i => table.OpenAsync(account, new SessionOpening(AuthMethods.Password, new($"curl/{i % 5}", $"203.0.113.{i % 3}")), Cancel)), static grant => grant is null);
        }

        await server.SignInAsync(person.Email);
        Assert.Equal(BusyServer.Sessions, (await server.SessionsAsync(await server.SignInAsync(person.Email))).Length);
        await NoneMetAsync(server);
    }

    [Fact(Timeout = 240_000)]
    public async Task Sign_ins_and_refreshes_of_many_accounts_beside_their_ends_and_the_housekeeping()
    {
        await using var server = new BusyServer();
        await server.InitializeAsync();
        var people = await AllAsync(_ => server.SignInAsync());
        var expiry = server.Services.GetServices<IHostedService>().OfType<ExpiryWorker>().Single();
        for (var round = 0; round < 3; round++)
        {
            var keeping = Enumerable.Range(0, 20).Select(_ => expiry.ForgetAsync(Cancel)).ToArray();
            await AllAsync(async i =>
            {
                var person = people[(i * 7) % people.Length];
                var tokens = await server.SignInAsync(person.Email, $"curl/{i % 3}", $"198.51.100.{i % 9}");
                using var wrong = await server.PostAsync("/auth/login", new { email = person.Email, password = "wrong password" });
                Assert.Equal(HttpStatusCode.Unauthorized, wrong.StatusCode);
                using var refreshed = await server.RefreshAsync(tokens.Refresh);
                using var ended = await server.SendAsync(HttpMethod.Delete, "/auth/sessions?except=current", tokens);

                // Another of the person's devices may have ended this one.
                Assert.All([refreshed, ended], response => Assert.Contains(response.StatusCode, new[] { HttpStatusCode.OK, HttpStatusCode.Unauthorized }));
                return true;
            });
            await Task.WhenAll(keeping);

            // What was counted is out of date from here on: the next round finds rows that the housekeeping wants too.
            server.Clock.Advance(TimeSpan.FromDays(200));
            people = await AllAsync(async i => people[i] with { Tokens = await server.SignInAsync(people[i].Email) });
        }

        await NoneMetAsync(server);
    }

    [Fact(Timeout = 240_000)]
    public async Task Refreshes_of_one_session_and_of_all_of_an_account()
    {
        await using var server = new BusyServer();
        await server.InitializeAsync();
        var person = await server.SignInAsync();

        // The same token from everywhere brings the same successor.
        var pairs = await AllAsync(_ => RefreshAsync(server, person.Tokens));
        Assert.Single(pairs.Select(pair => pair.Refresh).Distinct());

        // Each of the account's sessions from eight places, while others sign in and push some out.
        var sessions = new List<Tokens>();
        for (var i = 0; i < BusyServer.Sessions; i++)
        {
            sessions.Add(await server.SignInAsync(person.Email));
        }

        var statuses = await AllAsync(async i =>
        {
            if (i % 4 == 0)
            {
                await server.SignInAsync(person.Email);
            }

            using var response = await server.RefreshAsync(sessions[i % sessions.Count].Refresh);
            return response.StatusCode;
        });
        Assert.All(statuses, status => Assert.Contains(status, new[] { HttpStatusCode.OK, HttpStatusCode.Unauthorized }));
        await NoneMetAsync(server);
    }

    [Fact(Timeout = 240_000)]
    public async Task Imports_beside_registrations_of_the_same_people()
    {
        await using var server = new BusyServer();
        await server.InitializeAsync();
        var admin = await server.AdminAsync();
        var made = 0;
        for (var round = 0; round < 4; round++)
        {
            var emails = Enumerable.Range(0, 120).Select(_ => AccountsServer.NewEmail()).ToArray();
            var imports = Enumerable.Range(0, 4).Select(async i =>
            {
                var users = emails.OrderBy(_ => Random.Shared.Next()).Take(100).Select(email => new { email, password_hash = Hash });
                using var response = await server.DoAsync(admin, "/api/admin/users/import", new { users });
                Assert.Equal(HttpStatusCode.OK, response.StatusCode);
                Interlocked.Add(ref made, (await response.JsonAsync()).GetProperty("created").GetInt32());
            });
            var registrations = emails.Select(async email =>
            {
                using var response = await server.PostAsync("/auth/register", new { email, password = AccountsServer.Password });
                Assert.Contains(response.StatusCode, new[] { HttpStatusCode.Created, HttpStatusCode.Conflict });
                Interlocked.Add(ref made, response.StatusCode == HttpStatusCode.Created ? 1 : 0);
            });
            await Task.WhenAll([.. imports, .. registrations]);
        }

        // Each was made once, whoever was first, and each has its one entry in both logs.
        Assert.Equal(4 * 120, made);
        const string Entries = "SELECT count(*) FROM event e JOIN stream s ON s.id = e.stream_id WHERE e.kind IN ('account.registered', 'account.imported') AND s.name ";
        Assert.Equal(made + 1, await server.CountAsync(Entries + "LIKE 'accounts.activity.%'"));
        Assert.Equal(made + 1, await server.CountAsync(Entries + "= 'accounts.audit'"));
        await NoneMetAsync(server);
    }

    private static async Task NoneMetAsync(AccountsServer server)
    {
        Assert.Equal(0, await Deadlocks.CountAsync(server));
        Assert.DoesNotContain(server.Log.Lines, line => line.GetProperty("level").GetString() == "ERROR");
    }

    private static async Task<Tokens> RefreshAsync(AccountsServer server, Tokens tokens)
    {
        using var response = await server.RefreshAsync(tokens.Refresh);
        return await Tokens.OfAsync(response);
    }

    private static Task<T[]> AllAsync<T>(Func<int, Task<T>> ask) => Task.WhenAll(Enumerable.Range(0, Clients).Select(ask));

    private sealed class BusyServer()
        : AccountsServer(
            TestDatabaseKind.Postgres, new MovableClock(), "--TRUSTED_PROXIES=127.0.0.1", $"--SESSIONS_PER_ACCOUNT={Sessions}", "--EMAIL_VERIFICATION=optional")
    {
        public const int Sessions = 8;
    }
}
