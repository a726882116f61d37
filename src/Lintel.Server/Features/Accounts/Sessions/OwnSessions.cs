using Lintel.Features.Accounts.Audit;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.Sessions;

/// <summary>The sessions of an account, for its owner.</summary>
internal sealed class OwnSessions(Database database, SessionEnd ending, TimeProvider time)
{
    private const string Live =
        """
        SELECT id, user_agent, address, created_at, last_used_at, expires_at, auth_methods FROM session
        WHERE account_id = $1 AND revoked_at IS NULL AND expires_at > $2 ORDER BY last_used_at DESC, id DESC LIMIT $3
        """;

    // Those of a setting that was lowered are more than one may have now.
    private const long MostListed = 1000;

    /// <param name="current">The session that asks.</param>
    public Task<List<SessionView>> ListAsync(long accountId, Guid? current, CancellationToken cancellationToken) =>
        database.ReadAsync(
            session => session.QueryAsync(
                Live,
                row => new SessionView(
                    row.GetGuid(0),
                    DeviceName.Of(row.GetNullableString(1)),
                    row.GetNullableString(2),
                    row.GetInstant(3),
                    row.GetInstant(4),
                    row.GetInstant(5),
                    row.GetString(6).Split(' ', StringSplitOptions.RemoveEmptyEntries),
                    row.GetGuid(0) == current),
                accountId,
                time.GetMicroseconds(),
                MostListed),
            cancellationToken);

    /// <summary>Ends one; false where the account has no such session.</summary>
    public Task<bool> EndAsync(long accountId, Guid sessionId, Actor by) =>
        database.WriteAsync(unit => ending.EndOwnAsync(unit, accountId, sessionId, SessionEnd.Revoked, time.GetUtcNow(), by), CancellationToken.None);

    /// <summary>Ends all but <paramref name="except"/>, and tells how many those were.</summary>
    public Task<int> EndAllAsync(long accountId, Guid? except, Actor by) =>
        database.WriteAsync(unit => ending.EndAllAsync(unit, accountId, except, SessionEnd.Revoked, time.GetUtcNow(), by), CancellationToken.None);
}
