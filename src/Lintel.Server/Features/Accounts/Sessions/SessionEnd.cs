using Lintel.Features.Accounts.Audit;
using Lintel.Features.Accounts.Revocation;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.Sessions;

/// <summary>The one way in which a session ends before its time, whatever the reason: its row, its access tokens, its open connections, here and on other nodes.</summary>
internal sealed class SessionEnd(Revocations revocations, AccountAudit audit)
{
    public const string SignedOut = "signed_out";
    public const string TokenReused = "token_reused";

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
            await unit.ExecuteAsync(
                "UPDATE refresh_tokens SET revoked_at = $2 WHERE session_id = $1 AND revoked_at IS NULL", sessionId, now.ToMicroseconds());
            await revocations.AddAsync(unit, sessionId);
            await audit.AddAsync(unit, accountId, AccountEvents.SessionEnded, by, new() { ["session_id"] = sessionId, ["reason"] = reason });
        }

        return owner;
    }
}
