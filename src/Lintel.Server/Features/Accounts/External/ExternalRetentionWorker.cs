using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.External;

/// <summary>Forgets codes that nobody came for.</summary>
internal sealed class ExternalRetentionWorker(Database database, TimeProvider time, ILogger<ExternalRetentionWorker> logger)
    : RetentionWorker(database, time, logger, "Codes of sign-ins with other providers")
{
    public override Task ForgetAsync(CancellationToken cancellationToken) =>
        ForgetAsync("DELETE FROM external_code WHERE hash IN (SELECT hash FROM external_code WHERE expires_at < $1 LIMIT $2)", Time.GetUtcNow(), cancellationToken);
}
