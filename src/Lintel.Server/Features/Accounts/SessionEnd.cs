using Lintel.Platform.Security;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts;

/// <summary>The one way in which a session ends before its time, whatever the reason: its row, its access tokens, its open connections, here and on other nodes.</summary>
internal sealed class SessionEnd(
    RevocationLog log, RevokedSessions revoked, LiveConnections connections, TokenOptions options, TimeProvider time)
{
    public const string SignedOut = "signed_out";
    public const string TokenReused = "token_reused";

    // Nodes' clocks may differ a little.
    private static readonly TimeSpan Margin = TimeSpan.FromMinutes(1);

    /// <summary>How far back a revocation may lie and still matter.</summary>
    public TimeSpan Horizon => options.AccessTokenLifetime + Margin;

    /// <summary>Ends a session as part of <paramref name="unit"/>; it takes effect with its commit.</summary>
    /// <returns>Whose session it was; null when there is none, or it had ended before.</returns>
    public async ValueTask<long?> EndAsync(DbSession unit, Guid sessionId, string reason, DateTimeOffset now)
    {
        var owner = await unit.QueryFirstAsync(
            "UPDATE session SET revoked_at = $2, revoke_reason = $3 WHERE id = $1 AND revoked_at IS NULL RETURNING account_id",
            static row => (long?)row.GetInt64(0),
            sessionId,
            now.ToMicroseconds(),
            reason);
        if (owner is not null)
        {
            await unit.ExecuteAsync(
                "UPDATE refresh_tokens SET revoked_at = $2 WHERE session_id = $1 AND revoked_at IS NULL", sessionId, now.ToMicroseconds());
            await log.AppendAsync(unit, sessionId);
            unit.AfterCommit(() => Apply(sessionId));
        }

        return owner;
    }

    /// <summary>What this node does about a session that has ended.</summary>
    public void Apply(Guid sessionId)
    {
        // First the set, then the connections: one that opens in between looks into the set.
        revoked.Add(sessionId, time.GetUtcNow() + Horizon);
        connections.EndSession(sessionId);
    }
}
