using Lintel.Platform.Security;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.Revocation;

/// <summary>Forgets revocations that no token outlives.</summary>
internal sealed class RevocationRetentionWorker(
    Database database, RevokedCredentials revoked, RevocationLog log, Revocations revocations, TimeProvider time, ILogger<RevocationRetentionWorker> logger)
    : RetentionWorker(database, time, logger, "Old revocations")
{
    public override void ForgetHere() => revoked.Prune();

    public override Task ForgetAsync(CancellationToken cancellationToken) => log.PruneAsync(Time.GetUtcNow() - revocations.Horizon, cancellationToken);
}
