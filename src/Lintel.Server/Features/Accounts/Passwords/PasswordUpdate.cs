using Lintel.Features.Accounts.Audit;
using Lintel.Features.Accounts.Email;
using Lintel.Features.Accounts.Sessions;
using Lintel.Features.Mail;
using Lintel.Platform.Configuration;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.Passwords;

/// <summary>The one way in which a password becomes another: with it end the sessions that the old one opened, and the owner is told.</summary>
internal sealed class PasswordUpdate(SessionEnd ending, AccountAudit audit, AccountMail mail, EmailLog log, ServerOptions server, TimeProvider time)
{
    public const string Template = "password_changed";

    /// <summary>Sets a new password, as part of <paramref name="unit"/>.</summary>
    /// <param name="version">Counts the passwords: nothing happens where it is another by now.</param>
    /// <param name="kept">The session that goes on; null for none.</param>
    /// <param name="kind">What the audit calls it, one of <see cref="AccountEvents"/>.</param>
    public async ValueTask<bool> SetAsync(DbSession unit, long accountId, long version, string hash, Guid? kept, string kind, Actor by)
    {
        // The account's row first: from here on no session can be opened under the old version.
        var email = await unit.QueryFirstAsync(
            """
            UPDATE account SET password_hash = $3, password_version = password_version + 1
            WHERE id = $1 AND password_version = $2 AND is_active
              AND ($4 = FALSE OR EXISTS (SELECT 1 FROM session s WHERE s.id = $5 AND s.account_id = $1 AND s.revoked_at IS NULL))
            RETURNING email
            """,
            static row => row.GetString(0),
            accountId,
            version,
            hash,
            kept is not null,
            kept ?? Guid.Empty);
        if (email is null)
        {
            return false;
        }

        await ending.EndAllAsync(unit, accountId, kept, kind, time.GetUtcNow(), by);
        await audit.AddAsync(unit, accountId, kind, by);
        await mail.AddAsync(unit, accountId, email, Template, new()
        {
            ["app"] = server.AppName,
            ["at"] = MailTime.ToText(time.GetUtcNow()),
            ["address"] = by.Client.Address,
            ["device"] = by.Client.UserAgent,
            ["how"] = kind switch
            {
                AccountEvents.PasswordReset => "by a link that was mailed to you",
                AccountEvents.PasswordRemoved => "by the first sign-in with a code mailed to you: the one of before is good no more",
                _ => "by somebody who was signed in",
            },
            ["url"] = server.PublicUrl.ToString(),
        });
        unit.AfterCommit(() => log.PasswordChanged(accountId, kind));
        return true;
    }
}
