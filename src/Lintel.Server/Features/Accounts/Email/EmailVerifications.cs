using Lintel.Features.Accounts.Audit;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.Email;

/// <summary>That an account's address is its owner's.</summary>
internal sealed class EmailVerifications(Database database, EmailLinks links, AccountAudit audit, EmailLog log, TimeProvider time)
{
    /// <summary>Confirms an address by the link that was mailed to it; false where that is not good.</summary>
    public Task<bool> ConfirmAsync(string token, Actor by, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async unit =>
            {
                if (await links.UseAsync(unit, LinkPurpose.Verify, token) is not { } link)
                {
                    return false;
                }

                await MarkAsync(unit, link.AccountId, link.Normalized, by);
                return true;
            },
            cancellationToken);

    /// <summary>Notes, as part of <paramref name="unit"/>, that somebody proved to read the account's address; nothing where that is known, or the address is another by now.</summary>
    /// <returns>Whether it was not known before.</returns>
    public async ValueTask<bool> MarkAsync(DbSession unit, long accountId, string normalized, Actor by)
    {
        var isNew = await unit.ExecuteAsync(
            "UPDATE account SET email_verified_at = $3 WHERE id = $1 AND email_normalized = $2 AND email_verified_at IS NULL", accountId, normalized, time.GetMicroseconds()) == 1;
        if (isNew)
        {
            await audit.AddAsync(unit, accountId, AccountEvents.EmailVerified, by);
            unit.AfterCommit(() => log.Verified(accountId));
        }

        return isNew;
    }
}
