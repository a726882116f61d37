using Lintel.Features.Accounts.Audit;
using Lintel.Features.Accounts.External;
using Lintel.Features.Accounts.Passwords;
using Lintel.Features.Accounts.Revocation;
using Lintel.Features.Accounts.SecondFactors;
using Lintel.Platform.Security;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.Email;

/// <summary>
/// The first time that an account's mailbox is shown to be somebody's. Until then whoever made the account may have been anybody, and may have left doors of their own: what opened it
/// before opens nothing any more, so that nobody can make an account for somebody else and wait for them.
/// </summary>
internal sealed class MailboxClaims(EmailVerifications verifications, PasswordUpdate passwords, AccountAccess access, ExternalIdentityTable identities, TimeProvider time)
{
    /// <summary>In the place of a password's hash: nothing is checked against it.</summary>
    private const string NoPassword = "";

    /// <summary>
    /// Somebody typed the code that was mailed. The password and the sessions of before end with the first one. Nothing is claimed where there is a second factor: a mailbox alone is not
    /// enough for that account.
    /// </summary>
    public async ValueTask ClaimByCodeAsync(DbSession unit, AccountSecrets account, string normalized, Actor by)
    {
        // Holds the account's row: factors that are added meanwhile wait.
        if (await FactorTable.LockAsync(unit, account.Id) is { Any: false } && await ClaimAsync(unit, account.Id, normalized, by))
        {
            await passwords.SetAsync(unit, account.Id, account.PasswordVersion, NoPassword, null, AccountEvents.PasswordRemoved, by);
        }
    }

    /// <summary>Somebody followed a mailed link to set a password, with which those of before end by themselves.</summary>
    /// <returns>True the first time.</returns>
    public async ValueTask<bool> ClaimAsync(DbSession unit, long accountId, string normalized, Actor by)
    {
        if (!await verifications.MarkAsync(unit, accountId, normalized, by))
        {
            return false;
        }

        await identities.ForgetAllAsync(unit, accountId, by);
        await access.RevokeKeysAsync(unit, accountId, Scopes.None, AccountAccess.MailboxClaimed, time.GetUtcNow(), by);
        return true;
    }
}
