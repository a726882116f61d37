using Lintel.Platform.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Lintel.Features.Accounts.Email;

public abstract class EmailRetentionTests(EmailServer server)
{
    private const string All =
        "SELECT (SELECT count(*) FROM email_link) + (SELECT count(*) FROM email_code) + (SELECT count(*) FROM email_change) + (SELECT count(*) FROM email_budget)";

    [Fact]
    public async Task Links_codes_changes_and_counts_are_forgotten_when_their_time_is_over()
    {
        var person = await server.SignInAsync();
        await server.ResetTokenAsync(person.Email);
        await server.CodeAsync(person.Email);
        using var asked = await server.PostAsync("/auth/email/change", new { email = AccountsServer.NewEmail() }, person.Tokens.Access);
        await server.LetterAsync(person.Email, "asked to change its address");
        await ForgetAsync();
        Assert.True(await server.CountAsync(All) >= 8);

        server.Clock.Advance(TimeSpan.FromHours(26));
        await ForgetAsync();

        Assert.Equal(0, await server.CountAsync(All));
    }

    private async Task ForgetAsync()
    {
        foreach (var worker in server.Services.GetServices<IHostedService>().OfType<RetentionWorker>().Where(static worker => worker is ExpiryWorker or EmailRetentionWorker))
        {
            await worker.ForgetAsync(TestContext.Current.CancellationToken);
        }
    }
}

public sealed class EmailRetentionOnSqliteTests(SqliteEmailServer server) : EmailRetentionTests(server), IClassFixture<SqliteEmailServer>;

public sealed class EmailRetentionOnPostgresTests(PostgresEmailServer server) : EmailRetentionTests(server), IClassFixture<PostgresEmailServer>;
