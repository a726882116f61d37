using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Lintel.Features.Accounts;
using Lintel.Features.Accounts.Passwords;
using Lintel.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Features.Administration;

public abstract class ImportTests(AccountsServer server)
{
    // Of "correct horse battery", at the least cost.
    private const string Hash = "$2b$04$abcdefghijklmnopqrstuuqREtd3VJD2QVZbuFskFSLk6eRIrQoOS";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Who_comes_over_signs_in_with_the_old_password_which_is_hashed_anew_then()
    {
        var admin = await server.AdminAsync();
        var email = AccountsServer.NewEmail();

        var result = await ImportAsync(admin, new { email, name = "Mason", password_hash = Hash, created_at = "2024-05-01T08:00:00Z", email_verified = true });

        Assert.Equal((1, 0, 0), Sum(result));
        Assert.True(result.GetProperty("passwords_usable").GetBoolean());
        using (var wrong = await server.PostAsync("/auth/login", new { email, password = "wrong password" }))
        {
            Assert.Equal("AUTH_INVALID_CREDENTIALS", await wrong.ErrorCodeAsync());
        }

        Assert.Equal(Hash, await HashOfAsync(email));
        var tokens = await server.SignInAsync(email);
        using var me = await server.GetMeAsync(tokens.Access);
        Assert.Equal("2024-05-01T08:00:00.000000Z", (await me.JsonAsync()).GetProperty("created_at").GetString());
        Assert.False(Bcrypt.IsHash(await HashOfAsync(email)));
        await server.SignInAsync(email);
        using var still = await server.PostAsync("/auth/login", new { email, password = "wrong password" });
        Assert.Equal(HttpStatusCode.Unauthorized, still.StatusCode);
    }

    [Fact]
    public async Task An_import_may_be_made_again_and_changes_nobody()
    {
        var admin = await server.AdminAsync();
        var person = await server.SignInAsync();
        var users = new object[]
        {
            new { email = person.Email.ToUpperInvariant(), password_hash = Hash, role = "admin" },
            new { email = AccountsServer.NewEmail(), password_hash = Hash },
        };

        var first = await ImportAsync(admin, users);
        var second = await ImportAsync(admin, users);

        Assert.Equal((1, 1, 0), Sum(first));
        Assert.Equal((0, 2, 0), Sum(second));
        Assert.Equal(1, await server.CountAsync("SELECT count(*) FROM account WHERE id = $1 AND role = 'user'", person.Id));
        await server.SignInAsync(person.Email);
    }

    [Fact]
    public async Task A_dry_run_tells_the_same_and_makes_nobody()
    {
        var admin = await server.AdminAsync();
        var email = AccountsServer.NewEmail();
        var users = new object[] { new { email, password_hash = Hash }, new { email }, new { email = "nobody" } };

        var looked = await ImportAsync(admin, users, dryRun: true);

        Assert.Equal((1, 1, 1), Sum(looked));
        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM account WHERE email = $1", email));
        Assert.Equal((1, 1, 1), Sum(await ImportAsync(admin, users)));
    }

    [Fact]
    public async Task Each_account_that_is_none_is_told_by_its_place_and_the_others_are_made()
    {
        var admin = await server.AdminAsync();
        var result = await ImportAsync(
            admin,
            new { email = AccountsServer.NewEmail() },
            new { email = "no address" },
            new { email = AccountsServer.NewEmail(), password_hash = "$2b$31$abcdefghijklmnopqrstuuqREtd3VJD2QVZbuFskFSLk6eRIrQoOS" },
            new { email = AccountsServer.NewEmail(), password_hash = "$argon2id$v=19$m=65536" },
            new { email = AccountsServer.NewEmail(), name = "Mason\r\nBcc: all@example.com" },
            new { email = AccountsServer.NewEmail(), role = "root" },
            new { email = AccountsServer.NewEmail(), created_at = "9999-01-01" },
            new { email = AccountsServer.NewEmail(), created_at = "yesterday" },
            new { email = AccountsServer.NewEmail(), is_active = false });

        Assert.Equal((2, 0, 7), Sum(result));
        Assert.Equal([1, 2, 3, 4, 5, 6, 7], result.GetProperty("problems").EnumerateArray().Select(problem => problem.GetProperty("index").GetInt32()));
    }

    [Fact]
    public async Task Who_comes_without_a_password_or_disabled_does_not_sign_in()
    {
        var admin = await server.AdminAsync();
        var (none, disabled) = (AccountsServer.NewEmail(), AccountsServer.NewEmail());
        await ImportAsync(admin, new { email = none }, new { email = disabled, password_hash = Hash, is_active = false });

        foreach (var (email, password) in new[] { (none, ""), (none, AccountsServer.Password), (disabled, AccountsServer.Password) })
        {
            using var response = await server.PostAsync("/auth/login", new { email, password });
            Assert.Equal("AUTH_INVALID_CREDENTIALS", await response.ErrorCodeAsync());
        }
    }

    [Fact]
    public async Task Two_imports_of_the_same_people_at_once_make_each_once()
    {
        var admin = await server.AdminAsync();
        var emails = Enumerable.Range(0, 30).Select(_ => AccountsServer.NewEmail()).ToArray();

        var results = await Task.WhenAll(
            ImportAsync(admin, [.. emails.Select(email => (object)new { email, password_hash = Hash })]),
            ImportAsync(admin, [.. emails.Reverse().Select(email => (object)new { email, password_hash = Hash })]));

        Assert.Equal(30, results.Sum(result => result.GetProperty("created").GetInt32()));
        Assert.Equal(30, results.Sum(result => result.GetProperty("existing").GetInt32()));
    }

    [Fact]
    public async Task Too_many_at_once_and_those_who_may_not_are_refused()
    {
        var admin = await server.AdminAsync();
        var person = await server.SignInAsync();
        var many = Enumerable.Range(0, 201).Select(_ => new { email = AccountsServer.NewEmail() });
        using var tooMany = await server.DoAsync(admin, "/api/admin/users/import", new { users = many });
        using var none = await server.DoAsync(admin, "/api/admin/users/import", new { users = Array.Empty<object>() });
        using var user = await server.DoAsync(person, "/api/admin/users/import", new { users = new[] { new { email = AccountsServer.NewEmail(), role = "admin" } } });

        Assert.Equal(
            (HttpStatusCode.UnprocessableEntity, HttpStatusCode.UnprocessableEntity, HttpStatusCode.Forbidden), (tooMany.StatusCode, none.StatusCode, user.StatusCode));
    }

    [Fact]
    public async Task While_imported_hashes_remain_every_refusal_takes_their_time()
    {
        var admin = await server.AdminAsync();
        var (costly, cheap) = (AccountsServer.NewEmail(), AccountsServer.NewEmail());
        await ImportAsync(admin, new { email = costly, password_hash = Hash.Replace("$04$", "$10$", StringComparison.Ordinal) }, new { email = cheap, password_hash = Hash });

        // At cost 10 a hash takes many times what everything else does here. Taken in turns, so that what else the machine does falls on all alike.
        var emails = new[] { costly, cheap, admin.Email, AccountsServer.NewEmail() };
        var times = emails.ToDictionary(email => email, _ => new List<double>());
        for (var round = 0; round < 12; round++)
        {
            foreach (var email in emails)
            {
                var started = Stopwatch.GetTimestamp();
                using var response = await server.PostAsync("/auth/login", new { email, password = "wrong password" });
                times[email].Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
                Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
            }
        }

        var medians = times.Values.Select(list => list.Order().ElementAt(list.Count / 2)).ToArray();
        Assert.True(medians.Max() < medians.Min() * 1.5, string.Join(", ", medians));

        // When the last of them has become one of our own, nobody pays any more.
        await server.ExecuteAsync("UPDATE account SET password_hash = '' WHERE substr(password_hash, 1, 2) = '$2'");
        await server.Services.GetRequiredService<IEnumerable<Microsoft.Extensions.Hosting.IHostedService>>().OfType<ImportedPasswordWatch>().Single().LookAsync(Cancel);
        Assert.Equal(0, server.Services.GetRequiredService<ImportedPasswords>().HighestCost);
    }

    private async Task<JsonElement> ImportAsync(Person admin, params object[] users) => await ImportAsync(admin, users, dryRun: false);

    private async Task<JsonElement> ImportAsync(Person admin, object[] users, bool dryRun)
    {
        using var response = await server.DoAsync(admin, "/api/admin/users/import", new { users, dry_run = dryRun });
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.JsonAsync();
    }

    private static (int Created, int Existing, int Refused) Sum(JsonElement result) =>
        (result.GetProperty("created").GetInt32(), result.GetProperty("existing").GetInt32(), result.GetProperty("refused").GetInt32());

    private async Task<string?> HashOfAsync(string email) =>
        await server.Database.ReadAsync(session => session.QueryFirstAsync("SELECT password_hash FROM account WHERE email = $1", static row => row.GetString(0), email), Cancel);
}

public sealed class ImportOnSqliteTests(SqliteAccountsServer server) : ImportTests(server), IClassFixture<SqliteAccountsServer>;

public sealed class ImportOnPostgresTests(PostgresAccountsServer server) : ImportTests(server), IClassFixture<PostgresAccountsServer>;
