using Lintel.Platform.Storage;

namespace Lintel.Features.ApiKeys;

/// <summary>Forgets keys that were revoked, and those that expired long ago.</summary>
internal sealed class ApiKeyRetentionWorker(Database database, TimeProvider time, ILogger<ApiKeyRetentionWorker> logger)
    : RetentionWorker(database, time, logger, "Old API keys")
{
    // For so long a program that still sends the key is told that it was revoked, rather than that there is no such key.
    private static readonly TimeSpan RevokedKept = TimeSpan.FromDays(1);

    // For its owner to see why a program stopped working.
    private static readonly TimeSpan ExpiredKept = TimeSpan.FromDays(30);

    public override async Task ForgetAsync(CancellationToken cancellationToken)
    {
        var now = Time.GetUtcNow();
        await ForgetAsync("DELETE FROM api_key WHERE id IN (SELECT id FROM api_key WHERE revoked_at < $1 LIMIT $2)", now - RevokedKept, cancellationToken);
        await ForgetAsync("DELETE FROM api_key WHERE id IN (SELECT id FROM api_key WHERE expires_at < $1 LIMIT $2)", now - ExpiredKept, cancellationToken);
    }
}
