using System.Net;
using Lintel.Infrastructure;
using Lintel.Platform.Configuration;
using Lintel.Platform.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Features.Accounts;

/// <summary>What clients get while the database cannot be written, and afterwards.</summary>
public sealed class OutageTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task While_SQLite_is_locked_changes_are_unavailable_and_reads_go_on()
    {
        await using var server = new SqliteAccountsServer();
        await server.InitializeAsync();
        var person = await server.SignInAsync();
        var path = server.Services.GetRequiredService<StorageOptions>().SqlitePath;
        await using var intruder = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ConnectionString);
        await intruder.OpenAsync(Cancel);
        Execute(intruder, "BEGIN IMMEDIATE");

        await AssertUnavailableAsync(server, person);
        Assert.Equal(HttpStatusCode.OK, await server.StatusOfMeAsync(person.Tokens.Access));

        Execute(intruder, "ROLLBACK");
        await AssertNothingHappenedAsync(server, person);
    }

    [Fact]
    public async Task While_the_disk_is_full_changes_are_unavailable_and_reads_go_on()
    {
        await using var server = new SqliteAccountsServer();
        await server.InitializeAsync();
        var person = await server.SignInAsync();
        await SetMaxPagesAsync(server, 1);
        await FillAsync(server);

        // Each table has a little room left on its last page.
        var statuses = new HashSet<HttpStatusCode>();
        for (var i = 0; i < 400 && !statuses.Contains(HttpStatusCode.ServiceUnavailable); i++)
        {
            using var response = await server.PostAsync("/auth/login", new { email = person.Email, password = AccountsServer.Password });
            statuses.Add(response.StatusCode);
        }

        Assert.Contains(HttpStatusCode.ServiceUnavailable, statuses);
        Assert.DoesNotContain(HttpStatusCode.InternalServerError, statuses);
        Assert.Equal(HttpStatusCode.OK, await server.StatusOfMeAsync(person.Tokens.Access));

        await SetMaxPagesAsync(server, 1_073_741_823);
        await AssertNothingHappenedAsync(server, person);
    }

    [Fact]
    public async Task While_PostgreSQL_takes_no_changes_they_are_unavailable_and_reads_go_on()
    {
        await using var server = new PostgresAccountsServer();
        await server.InitializeAsync();
        var person = await server.SignInAsync();

        // What a standby is like: connections of before are cut, and new ones may only read.
        await server.ExecuteAsync("DO $do$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $do$");
        await CutConnectionsAsync(server);
        await AssertUnavailableAsync(server, person);
        Assert.Equal(HttpStatusCode.OK, await server.StatusOfMeAsync(person.Tokens.Access));

        await server.Database.WriteAsync<int>(
            async session =>
            {
                await session.ExecuteAsync("SET TRANSACTION READ WRITE");
                return await session.ExecuteAsync("DO $do$ BEGIN EXECUTE format('ALTER DATABASE %I RESET default_transaction_read_only', current_database()); END $do$");
            },
            Cancel);
        await CutConnectionsAsync(server);
        await AssertNothingHappenedAsync(server, person);
    }

    private static async Task AssertUnavailableAsync(AccountsServer server, Person person)
    {
        var attempts = new[]
        {
            server.PostAsync("/auth/register", new { email = AccountsServer.NewEmail(), password = AccountsServer.Password }),
            server.PostAsync("/auth/login", new { email = person.Email, password = AccountsServer.Password }),
            server.RefreshAsync(person.Tokens.Refresh),
            server.LogoutAsync(person.Tokens.Refresh),
        };
        foreach (var attempt in attempts)
        {
            using var response = await attempt;
            Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
            Assert.Equal("SERVICE_UNAVAILABLE", await response.ErrorCodeAsync());
        }
    }

    /// <summary>The token that could not be exchanged was not used up, and nobody was signed out.</summary>
    private static async Task AssertNothingHappenedAsync(AccountsServer server, Person person)
    {
        Assert.Equal(1, await server.CountAsync("SELECT generation FROM session WHERE id = $1", person.Tokens.SessionId));
        using var refreshed = await server.RefreshAsync(person.Tokens.Refresh);
        Assert.Equal(HttpStatusCode.OK, await server.StatusOfMeAsync((await Tokens.OfAsync(refreshed)).Access));
    }

    private static async Task CutConnectionsAsync(AccountsServer server)
    {
        await server.Database.ReadAsync(
            session => session.ExecuteAsync("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"), Cancel);

        // The pool finds out one by one.
        for (var failures = 1; failures > 0;)
        {
            failures = 0;
            foreach (var read in Enumerable.Range(0, 30).Select(_ => server.Database.ReadAsync(session => session.ExecuteAsync("SELECT pg_sleep(0.05)"), Cancel)).ToList())
            {
                await read.ContinueWith(task => failures += task.IsFaulted ? 1 : 0, TaskScheduler.Default);
            }
        }
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private static async Task SetMaxPagesAsync(AccountsServer server, int pages) => await server.Database.WriteAsync(
        session => session.QueryAsync($"PRAGMA max_page_count = {pages}", static row => row.GetInt64(0)), Cancel);

    private static async Task FillAsync(AccountsServer server)
    {
        try
        {
            while (true)
            {
                await server.ExecuteAsync("INSERT INTO ws_ticket (hash, path, owner_id, scopes, rate_limit_key, caller_expires_at, expires_at) SELECT randomblob(2000), 'filler', 0, 0, '', 0, 0");
            }
        }
        catch (StorageUnavailableException)
        {
            // Full.
        }
    }
}
