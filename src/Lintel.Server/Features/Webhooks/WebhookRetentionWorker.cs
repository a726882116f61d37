using Lintel.Platform.Storage;

namespace Lintel.Features.Webhooks;

/// <summary>Forgets what was delivered or failed, but for the last ones of each webhook.</summary>
internal sealed class WebhookRetentionWorker(Database database, WebhookOptions options, TimeProvider time, ILogger<WebhookRetentionWorker> logger)
    : RetentionWorker(database, time, logger, "Old deliveries of webhooks")
{
    private const long BatchSize = 200;

    public override async Task ForgetAsync(CancellationToken cancellationToken)
    {
        // What waits counts too, as it has a number: of a webhook with a long queue fewer old ones are kept.
        while (await Database.WriteAsync(
            session => session.ExecuteAsync(
                """
                DELETE FROM webhook_delivery WHERE id IN (
                    SELECT d.id FROM webhook w JOIN webhook_delivery d ON d.webhook_id = w.id
                    WHERE d.seq <= w.last_seq - $1 AND d.state <> 'pending' LIMIT $2)
                """,
                (long)options.Kept,
                BatchSize),
            cancellationToken) >= BatchSize)
        {
        }
    }
}
