using Lintel.Features.Accounts.Audit;
using Lintel.Features.Accounts.Email;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.Passwords;

/// <summary>Whose password is to change.</summary>
internal sealed record PasswordOwner(long Id, string Email, string? Name, string PasswordHash, long PasswordVersion);

/// <summary>New passwords: for somebody who is signed in, and for somebody who lost theirs.</summary>
internal sealed class PasswordChanges(Database database, PasswordUpdate update, EmailLinks links, MailboxClaims claims)
{
    public Task<PasswordOwner?> FindAsync(long accountId, CancellationToken cancellationToken) =>
        database.ReadAsync(session => FindAsync(session, accountId), cancellationToken);

    /// <summary>Whose a reset's link is, without using it up; null where it is not good.</summary>
    public Task<PasswordOwner?> FindAsync(string token, CancellationToken cancellationToken) =>
        database.ReadAsync(
            async session => await links.FindAsync(session, LinkPurpose.ResetPassword, token) is { } link ? await FindAsync(session, link.AccountId) : null, cancellationToken);

    /// <summary>Changes it and ends all other sessions; false where it changed meanwhile, or the session is over.</summary>
    public Task<bool> ChangeAsync(PasswordOwner owner, string hash, Guid session, Actor by, CancellationToken cancellationToken) =>
        database.WriteAsync(unit => update.SetAsync(unit, owner.Id, owner.PasswordVersion, hash, session, AccountEvents.PasswordChanged, by), cancellationToken);

    /// <summary>Uses a link up, sets the password and ends all sessions; false where the link is not good any more.</summary>
    public Task<bool> ResetAsync(string token, string hash, Actor by, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async unit =>
            {
                if (await links.UseAsync(unit, LinkPurpose.ResetPassword, token) is not { } link)
                {
                    return false;
                }

                if (!await update.SetAsync(unit, link.AccountId, link.PasswordVersion, hash, null, AccountEvents.PasswordReset, by))
                {
                    return false;
                }

                // Whoever has the link reads the mailbox.
                await claims.ClaimAsync(unit, link.AccountId, link.Normalized, by);
                return true;
            },
            cancellationToken);

    private static ValueTask<PasswordOwner?> FindAsync(DbSession session, long accountId) =>
        session.QueryFirstAsync(
            "SELECT id, email, name, password_hash, password_version FROM account WHERE id = $1 AND is_active",
            static row => new PasswordOwner(row.GetInt64(0), row.GetString(1), row.GetNullableString(2), row.GetString(3), row.GetInt64(4)),
            accountId);
}
