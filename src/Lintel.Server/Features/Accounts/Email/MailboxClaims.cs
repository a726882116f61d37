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
/// before opens nothing any more, so that nobody can make an account for somebody else and wait for them. Second factors are such doors too: a passkey signs in by itself, and an
/// app that the owner does not have keeps them out.
/// </summary>
internal sealed class MailboxClaims(
    Database database, EmailLinks links, PasswordUpdate passwords, AccountAccess access, ExternalIdentityTable identities, FactorNews news, AccountAudit audit, EmailLog log, TimeProvider time)
{
    /// <summary>In the place of a password's hash: nothing is checked against it.</summary>
    private const string NoPassword = "";

    /// <summary>
    /// Confirms an address by the link that was mailed to it; false where that is not good. Its mail asks whether it was its reader who made the account, so the password stays, and the
    /// sessions that it opened: both end with the next password.
    /// </summary>
    public Task<bool> ClaimByLinkAsync(string token, Actor by, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async unit =>
            {
                if (await links.UseAsync(unit, LinkPurpose.Verify, token) is not { } link)
                {
                    return false;
                }

                await ClaimAsync(unit, link.AccountId, link.Normalized, by);
                return true;
            },
            cancellationToken);

    /// <summary>Somebody typed the code that was mailed. The first time the password and the sessions of before end with it.</summary>
    public async ValueTask ClaimByCodeAsync(DbSession unit, AccountSecrets account, string normalized, Actor by)
    {
        if (await ClaimAsync(unit, account.Id, normalized, by) && await AccountTable.FindSecretsAsync(unit, account.Id) is { } held)
        {
            await passwords.SetAsync(unit, account.Id, held.PasswordVersion, NoPassword, null, AccountEvents.PasswordRemoved, by);
        }
    }

    /// <summary>Somebody proved, as part of <paramref name="unit"/>, to read the account's mailbox: by a link to set a password, with which those of before end by themselves.</summary>
    /// <returns>True the first time; false too where the address is another by now.</returns>
    public async ValueTask<bool> ClaimAsync(DbSession unit, long accountId, string normalized, Actor by)
    {
        // Holds the account's row: who adds a factor or links a provider meanwhile waits.
        if (await unit.ExecuteAsync(
            "UPDATE account SET email_verified_at = $3 WHERE id = $1 AND email_normalized = $2 AND email_verified_at IS NULL", accountId, normalized, time.GetMicroseconds()) == 0)
        {
            return false;
        }

        await audit.AddAsync(unit, accountId, AccountEvents.EmailVerified, by);
        unit.AfterCommit(() => log.Verified(accountId));

        var had = (await FactorTable.FindAsync(unit, accountId))!;
        await FactorTable.RemoveAllAsync(unit, accountId);
        if (had.Any)
        {
            await news.AllRemovedAsync(
                unit, accountId, by, had, "when its address was confirmed for the first time", new() { ["reason"] = AccountAccess.MailboxClaimed });
        }

        // One that was begun under an address that nobody had confirmed waits for the new address alone: whoever made the account could take it away from its owner after all.
        await unit.ExecuteAsync("DELETE FROM email_change WHERE account_id = $1", accountId);
        await identities.ForgetAllAsync(unit, accountId, by);
        await access.RevokeKeysAsync(unit, accountId, Scopes.None, AccountAccess.MailboxClaimed, time.GetUtcNow(), by);
        return true;
    }
}
