using System.Data.Common;
using Lintel.Features.Accounts.Audit;
using Lintel.Features.Accounts.Email;
using Lintel.Features.Accounts.Sessions;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts;

/// <summary>A person who can sign in. What only sign-in needs is in <see cref="AccountSecrets"/>.</summary>
internal sealed record Account(long Id, string Email, string? Name, bool IsActive, DateTimeOffset CreatedAt, string Role, DateTimeOffset? EmailVerifiedAt);

/// <param name="PasswordVersion">Counts password changes: a session is opened only under the version whose password was checked.</param>
internal sealed record AccountSecrets(long Id, string Email, bool IsActive, string PasswordHash, long PasswordVersion, string Role);

/// <summary>The accounts in the database.</summary>
internal sealed class AccountTable(Database database, AccountAudit audit, EmailVerificationMail verification)
{
    private const string Columns = "id, email, name, is_active, created_at, role, email_verified_at";
    private const string SecretColumns = "id, email, is_active, password_hash, password_version, role";

    /// <summary>Keeps a new account; null when the address is taken. The unique index decides, so of two at once one gets it.</summary>
    public Task<Account?> AddAsync(string email, string? name, string passwordHash, DateTimeOffset now, ClientInfo client, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async session =>
            {
                var account = await session.QueryFirstAsync(
                    $"""
                    INSERT INTO account (email, email_normalized, name, password_hash, created_at) VALUES ($1, $2, $3, $4, $5)
                    ON CONFLICT (email_normalized) DO NOTHING
                    RETURNING {Columns}
                    """,
                    Map,
                    email,
                    EmailAddress.Normalize(email),
                    name,
                    passwordHash,
                    now.ToMicroseconds());
                if (account is not null)
                {
                    await audit.AddAsync(session, account.Id, AccountEvents.Registered, new Actor(account.Id, Client: client));
                    await verification.WelcomeAsync(session, account);
                }

                return account;
            },
            cancellationToken);

    public Task<Account?> FindAsync(long id, CancellationToken cancellationToken) =>
        database.ReadAsync(session => session.QueryFirstAsync($"SELECT {Columns} FROM account WHERE id = $1", Map, id), cancellationToken);

    public async Task<AccountSecrets?> FindSecretsAsync(string email, CancellationToken cancellationToken)
    {
        // What is no address is nobody's, and may hold what a database does not take for text.
        var normalized = EmailAddress.Normalize(email);
        return EmailAddress.IsValid(normalized)
            ? await database.ReadAsync(
                session => session.QueryFirstAsync($"SELECT {SecretColumns} FROM account WHERE email_normalized = $1", MapSecrets, normalized), cancellationToken)
            : null;
    }

    public static ValueTask<AccountSecrets?> FindSecretsAsync(DbSession session, long id) =>
        session.QueryFirstAsync($"SELECT {SecretColumns} FROM account WHERE id = $1", MapSecrets, id);

    private static AccountSecrets MapSecrets(DbDataReader row) =>
        new(row.GetInt64(0), row.GetString(1), row.GetBoolean(2), row.GetString(3), row.GetInt64(4), row.GetString(5));

    private static Account Map(DbDataReader row) =>
        new(row.GetInt64(0), row.GetString(1), row.GetNullableString(2), row.GetBoolean(3), row.GetInstant(4), row.GetString(5), row.GetNullableInstant(6));
}
