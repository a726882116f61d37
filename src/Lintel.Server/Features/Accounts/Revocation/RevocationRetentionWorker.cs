using Lintel.Platform.Security;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.Revocation;

/// <summary>Forgets revocations that no token outlives.</summary>
internal sealed class RevocationRetentionWorker(
    Database database, RevokedCredentials revoked, RevocationLog log, Revocations revocations, TimeProvider time, ILogger<RevocationRetentionWorker> logger)
    : RetentionWorker(database, time, logger, "Old revocations")
{
    public override void ForgetHere() => revoked.Prune();

    public override async Task ForgetAsync(CancellationToken cancellationToken)
    {
        var since = Time.GetUtcNow() - revocations.Horizon;
        await ForgetAsync(EndedCredentials.Prune, since, cancellationToken);
        await log.PruneAsync(since, cancellationToken);
    }
}
