using Lintel.Features.Accounts.Revocation;
using Lintel.Platform.Security;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts;

/// <summary>Forgets tickets and sessions whose time is over, and revocations that no token outlives.</summary>
internal sealed class AccountRetentionWorker(
    Database database, RevokedCredentials revoked, RevocationLog log, Revocations revocations, TimeProvider time, ILogger<AccountRetentionWorker> logger)
    : RetentionWorker(database, time, logger, "Old tickets, sessions and revocations")
{
    // A session that has run out is kept a while for its owner to see.
    private static readonly TimeSpan SessionsKept = TimeSpan.FromDays(7);

    public override async Task ForgetAsync(CancellationToken cancellationToken)
    {
        revoked.Prune();
        var now = Time.GetUtcNow();
        await ForgetAsync(
            "DELETE FROM ws_ticket WHERE hash IN (SELECT hash FROM ws_ticket WHERE expires_at < $1 LIMIT $2)", now, cancellationToken);
        await ForgetAsync(
            "DELETE FROM session WHERE id IN (SELECT id FROM session WHERE expires_at < $1 LIMIT $2)", now - SessionsKept, cancellationToken);
        await ForgetAsync(
            "DELETE FROM factor_challenge WHERE id IN (SELECT id FROM factor_challenge WHERE expires_at < $1 LIMIT $2)", now, cancellationToken);
        await ForgetAsync(
            "DELETE FROM remembered_device WHERE id IN (SELECT id FROM remembered_device WHERE expires_at < $1 LIMIT $2)", now, cancellationToken);
        await log.PruneAsync(now - revocations.Horizon, cancellationToken);
    }
}
