using System.Net;
using Lintel.Infrastructure;

namespace Lintel.Features.Accounts.Email;

public abstract class RequiredVerificationTests(EmailServer server)
{
    [Fact]
    public async Task Where_it_is_required_a_password_signs_nobody_in_whose_address_is_not_confirmed()
    {
        var email = AccountsServer.NewEmail();
        using var registered = await server.PostAsync("/auth/register", new { email, password = AccountsServer.Password });
        using var early = await server.PostAsync("/auth/login", new { email, password = AccountsServer.Password });

        Assert.Equal((HttpStatusCode.Forbidden, "FORBIDDEN"), (early.StatusCode, await early.ErrorCodeAsync()));
        Assert.Equal(HttpStatusCode.Unauthorized, await server.LogInStatusAsync(email, "wrong password"));

        Assert.Equal(HttpStatusCode.OK, await server.StatusAsync("/auth/email/verify", new { token = await server.TokenAsync(email, "/auth/email/verify") }));
        await server.SignInAsync(email);
    }

    [Fact]
    public async Task A_code_from_the_mailbox_confirms_the_address_too()
    {
        var email = AccountsServer.NewEmail();
        using var registered = await server.PostAsync("/auth/register", new { email, password = AccountsServer.Password });

        Assert.Equal(HttpStatusCode.OK, await server.StatusAsync("/auth/login/code", new { email, code = await server.CodeAsync(email) }));

        // Whoever chose the password of before may be somebody else.
        Assert.Equal(HttpStatusCode.Unauthorized, await server.LogInStatusAsync(email, AccountsServer.Password));
        Assert.Equal(HttpStatusCode.OK, await server.StatusAsync("/auth/password/reset", new { token = await server.ResetTokenAsync(email), password = EmailServer.NewPassword }));
        Assert.Equal(HttpStatusCode.OK, await server.LogInStatusAsync(email, EmailServer.NewPassword));
    }
}

public sealed class SqliteRequiringServer() : EmailServer(TestDatabaseKind.Sqlite, "--EMAIL_VERIFICATION=required");

public sealed class PostgresRequiringServer() : EmailServer(TestDatabaseKind.Postgres, "--EMAIL_VERIFICATION=required");

public sealed class RequiredVerificationOnSqliteTests(SqliteRequiringServer server) : RequiredVerificationTests(server), IClassFixture<SqliteRequiringServer>;

public sealed class RequiredVerificationOnPostgresTests(PostgresRequiringServer server) : RequiredVerificationTests(server), IClassFixture<PostgresRequiringServer>;
