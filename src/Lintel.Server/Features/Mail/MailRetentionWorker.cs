using Lintel.Platform.Storage;

namespace Lintel.Features.Mail;

/// <summary>Gives up messages that nobody took for days.</summary>
internal sealed class MailRetentionWorker(Database database, MailOptions options, TimeProvider time, ILogger<MailRetentionWorker> logger)
    : RetentionWorker(database, time, logger, "Mail that could not be sent")
{
    public override Task ForgetAsync(CancellationToken cancellationToken) =>
        ForgetAsync("DELETE FROM mail WHERE id IN (SELECT id FROM mail WHERE created_at < $1 LIMIT $2)", Time.GetUtcNow() - options.Retention, cancellationToken);
}
