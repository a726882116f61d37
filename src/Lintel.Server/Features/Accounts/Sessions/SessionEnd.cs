using Lintel.Features.Accounts.Audit;
using Lintel.Features.Accounts.Revocation;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.Sessions;

/// <summary>The one way in which a session ends before its time, whatever the reason: its row, its access tokens, its open connections, here and on other nodes.</summary>
internal sealed class SessionEnd(Revocations revocations, AccountAudit audit)
{
    public const string SignedOut = "signed_out";
    public const string TokenReused = "token_reused";

    /// <summary>Its owner, or somebody with the owner's credentials, ended it from another session or with all others.</summary>
    public const string Revoked = "revoked";

    /// <summary>The account has so many that the one used least had to go.</summary>
    public const string TooMany = "too_many";

    /// <summary>Ends a session as part of <paramref name="unit"/>; it takes effect with its commit.</summary>
    /// <returns>Whose session it was; null when there is none, or it had ended before.</returns>
    public async ValueTask<long?> EndAsync(DbSession unit, Guid sessionId, string reason, DateTimeOffset now, Actor by)
    {
        var owner = await unit.QueryFirstAsync(
            "UPDATE session SET revoked_at = $2, revoke_reason = $3 WHERE id = $1 AND revoked_at IS NULL RETURNING account_id",
            static row => (long?)row.GetInt64(0),
            sessionId,
            now.ToMicroseconds(),
            reason);
        if (owner is { } accountId)
        {
            await FinishAsync(unit, accountId, sessionId, reason, now, by);
        }

        return owner;
    }

    /// <summary>Ends a session of this account; false where the account has no such session.</summary>
    public async ValueTask<bool> EndOwnAsync(DbSession unit, long accountId, Guid sessionId, string reason, DateTimeOffset now, Actor by)
    {
        var ended = await unit.ExecuteAsync(
            "UPDATE session SET revoked_at = $3, revoke_reason = $4 WHERE id = $2 AND account_id = $1 AND revoked_at IS NULL AND expires_at > $3",
            accountId,
            sessionId,
            now.ToMicroseconds(),
            reason);
        if (ended == 1)
        {
            await FinishAsync(unit, accountId, sessionId, reason, now, by);
        }

        return ended == 1;
    }

    /// <summary>
    /// Ends all sessions of an account, but for <paramref name="except"/>, and tells how many those were. Whoever takes away what lets people sign in (the account's lock, its
    /// password) does so before in the same unit: a sign-in under way is then either found here or refused.
    /// </summary>
    public async ValueTask<int> EndAllAsync(DbSession unit, long accountId, Guid? except, string reason, DateTimeOffset now, Actor by)
    {
        // In one order for all who do this, so that two of them cannot wait for each other.
        var ended = await unit.QueryAsync(
            $"""
            UPDATE session SET revoked_at = $3, revoke_reason = $4 WHERE id IN (
                SELECT id FROM session WHERE account_id = $1 AND id <> $2 AND revoked_at IS NULL AND expires_at > $3 ORDER BY id{unit.Lock("FOR UPDATE")})
            RETURNING id
            """,
            static row => row.GetGuid(0),
            accountId,
            except ?? Guid.Empty,
            now.ToMicroseconds(),
            reason);
        foreach (var sessionId in ended)
        {
            await FinishAsync(unit, accountId, sessionId, reason, now, by);
        }

        return ended.Count;
    }

    private async ValueTask FinishAsync(DbSession unit, long accountId, Guid sessionId, string reason, DateTimeOffset now, Actor by)
    {
        await unit.ExecuteAsync("UPDATE refresh_tokens SET revoked_at = $2 WHERE session_id = $1 AND revoked_at IS NULL", sessionId, now.ToMicroseconds());
        revocations.Add(unit, sessionId);
        await audit.AddAsync(unit, accountId, AccountEvents.SessionEnded, by, new() { ["session_id"] = sessionId, ["reason"] = reason });
    }
}
