using System.Net;
using Lintel.Features.Accounts;

namespace Lintel.Features.Administration;

/// <summary>Each test has a server of its own: who is the last administrator is a matter of the whole server.</summary>
public abstract class LastAdminTests(Func<AccountsServer> create)
{
    [Fact]
    public async Task The_last_administrator_stays_one_and_stays_able_to_sign_in()
    {
        await using var server = create();
        await server.InitializeAsync();
        var admin = await server.AdminAsync();
        var locked = await server.AdminAsync();
        await server.LockAsync(locked);

        using var demoted = await server.ChangeRoleAsync(admin, admin.Id, "user");
        using var disabled = await server.DoAsync(admin, $"/api/admin/users/{admin.Id}/disable");

        Assert.Equal((HttpStatusCode.Conflict, HttpStatusCode.Conflict), (demoted.StatusCode, disabled.StatusCode));
        Assert.Equal(HttpStatusCode.OK, await server.StatusOfMeAsync(admin.Tokens.Access));
    }

    [Fact]
    public async Task Of_administrators_who_all_demote_each_other_at_once_one_stays()
    {
        await using var server = create();
        await server.InitializeAsync();
        for (var round = 0; round < 3; round++)
        {
            await server.ExecuteAsync("UPDATE account SET role = 'user'");
            var admins = new List<Person>();
            for (var i = 0; i < 4; i++)
            {
                admins.Add(await server.AdminAsync());
            }

            // Each demotes the next one and itself, all at once.
            var answers = await Task.WhenAll(admins.SelectMany((admin, i) => new[]
            {
                server.ChangeRoleAsync(admin, admins[(i + 1) % admins.Count].Id, "user"),
                server.DoAsync(admin, $"/api/admin/users/{admins[(i + 2) % admins.Count].Id}/disable"),
                server.ChangeRoleAsync(admin, admin.Id, "user"),
            }));

            Assert.DoesNotContain(answers, answer => (int)answer.StatusCode >= 500);
            Assert.Equal(1, await server.CountAsync("SELECT count(*) FROM account WHERE role = 'admin' AND is_active"));
            Array.ForEach(answers, static answer => answer.Dispose());
        }
    }
}

public sealed class LastAdminOnSqliteTests() : LastAdminTests(static () => new SqliteAccountsServer());

public sealed class LastAdminOnPostgresTests() : LastAdminTests(static () => new PostgresAccountsServer());
