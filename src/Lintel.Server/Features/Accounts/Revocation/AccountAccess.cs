using Lintel.Features.Accounts.Audit;
using Lintel.Features.Accounts.Sessions;
using Lintel.Platform.Security;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.Revocation;

/// <summary>Ends what a person is signed in with: all sessions and keys, with their sockets and streams, on every node, the moment the unit commits.</summary>
internal sealed class AccountAccess(SessionEnd sessions, IAccountKeys keys, AccountAudit audit)
{
    public const string ByAdministrator = "administrator";
    public const string AccountDisabled = "account_disabled";
    public const string AccountDeleted = "account_deleted";
    public const string FactorsRemoved = "factors_removed";
    public const string MailboxClaimed = "mailbox_claimed";
    public const string PasswordReset = "password_reset";
    public const string RoleChanged = "role_changed";

    /// <returns>How many sessions ended.</returns>
    public async ValueTask<int> EndSessionsAsync(DbSession unit, long accountId, string reason, DateTimeOffset now, Actor by)
    {
        // In one order for all who do this, so that two of them cannot wait for each other: keys first, since their owner's revoking one locks it before the logs.
        await keys.LockAllAsync(unit, accountId);
        return await sessions.EndAllAsync(unit, accountId, null, reason, now, by);
    }

    /// <summary>Revokes the keys that have these scopes; <see cref="Scopes.None"/> means all of them.</summary>
    /// <returns>How many they were.</returns>
    public async ValueTask<int> RevokeKeysAsync(DbSession unit, long accountId, Scopes having, string reason, DateTimeOffset now, Actor by)
    {
        var count = await keys.RevokeAllAsync(unit, accountId, having, now);
        if (count > 0)
        {
            await audit.AddAsync(unit, accountId, AccountEvents.KeysRevoked, by, new() { ["keys"] = count, ["reason"] = reason });
        }

        return count;
    }
}
