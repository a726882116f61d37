using System.Text.Json;
using Lintel.Features.Notifications;
using Lintel.Platform.Storage;

namespace Lintel.Features.Webhooks.Sending;

/// <summary>A message that waits.</summary>
/// <param name="Data">JSON text.</param>
/// <param name="QueuedAt">When it was queued, or queued again: what its patience counts from.</param>
internal sealed record PendingMessage(Guid Id, long Seq, string Type, string Data, DateTimeOffset CreatedAt, DateTimeOffset QueuedAt);

/// <summary>A webhook as one moment has it, with what comes next.</summary>
/// <param name="PreviousSalt">Of the secret before, while it still signs.</param>
/// <param name="LastSeq">The number that was given last.</param>
/// <param name="Message">Null where nothing waits.</param>
internal sealed record NextDelivery(
    Guid WebhookId, Guid JobId, string Url, byte[] Salt, byte[]? PreviousSalt, DateTimeOffset? PreviousUntil, long LastSeq, bool IsFailing, PendingMessage? Message);

/// <summary>
/// The deliveries as the job sees them that sends them. A webhook's row names its job: under another's name, or of a webhook that was disabled or deleted meanwhile, there is
/// nothing to send. What was sent is written whoever stops meanwhile.
/// </summary>
internal sealed partial class PendingDeliveries(
    Database database, WebhookQueue queue, Inboxes inboxes, WebhookOptions options, TimeProvider time, ILogger<PendingDeliveries> logger)
{
    public const string DisabledNotice = "webhook_disabled";

    private const string NotTried = "It waited behind others that the target did not take, as long as it may.";
    private const string TookNothing = "It took nothing for days.";

    public Task<NextDelivery?> FindNextAsync(Guid webhookId, Guid jobId, CancellationToken cancellationToken) =>
        database.ReadAsync(
            session => session.QueryFirstAsync(
                """
                SELECT w.url, w.salt, w.previous_salt, w.previous_until, w.last_seq, w.failing_since, d.id, d.seq, d.type, d.data, d.created_at, d.queued_at
                FROM webhook w LEFT JOIN webhook_delivery d ON d.webhook_id = w.id AND d.state = 'pending'
                    AND d.seq = (SELECT min(p.seq) FROM webhook_delivery p WHERE p.webhook_id = w.id AND p.state = 'pending')
                WHERE w.id = $1 AND w.job_id = $2 AND w.enabled = TRUE
                """,
                row => new NextDelivery(
                    webhookId,
                    jobId,
                    row.GetString(0),
                    row.GetBytes(1),
                    row.IsDBNull(2) ? null : row.GetBytes(2),
                    row.GetNullableInstant(3),
                    row.GetInt64(4),
                    !row.IsDBNull(5),
                    row.IsDBNull(6)
                        ? null
                        : new PendingMessage(row.GetGuid(6), row.GetInt64(7), row.GetString(8), row.GetString(9), row.GetInstant(10), row.GetInstant(11))),
                webhookId,
                jobId),
            cancellationToken);

    /// <summary>Ends the job's part where nothing waits; false where something was added since that was seen, which the number tells.</summary>
    public Task<bool> ReleaseAsync(NextDelivery seen) =>
        database.WriteAsync(
            async session => await session.ExecuteAsync(
                "UPDATE webhook SET job_id = NULL WHERE id = $1 AND job_id = $2 AND last_seq = $3", seen.WebhookId, seen.JobId, seen.LastSeq) == 1,
            CancellationToken.None);

    /// <summary>Leaves the rest to another job, which comes after those of others.</summary>
    public Task HandOverAsync(NextDelivery seen) =>
        database.WriteAsync(
            async session =>
            {
                var owner = await session.QueryFirstAsync(
                    "UPDATE webhook SET job_id = job_id WHERE id = $1 AND job_id = $2 AND enabled = TRUE RETURNING owner_id",
                    static row => (long?)row.GetInt64(0),
                    seen.WebhookId,
                    seen.JobId);
                if (owner is { } id)
                {
                    await queue.BeginJobAsync(session, seen.WebhookId, id);
                }
            },
            CancellationToken.None);

    public Task DeliveredAsync(NextDelivery seen, PendingMessage message, DeliveryOutcome outcome) =>
        database.WriteAsync(
            async session =>
            {
                if (seen.IsFailing)
                {
                    await session.ExecuteAsync("UPDATE webhook SET failing_since = NULL WHERE id = $1", seen.WebhookId);
                }

                await WriteAsync(session, message, outcome, DeliveryStates.Delivered);
            },
            CancellationToken.None);

    /// <summary>Writes what went wrong, gives up what was tried long enough, and disables a webhook whose target is gone.</summary>
    /// <returns>False where the webhook is disabled, or gone itself.</returns>
    public Task<bool> FailedAsync(NextDelivery seen, PendingMessage message, DeliveryOutcome outcome) =>
        database.WriteAsync(
            async session =>
            {
                var now = time.GetUtcNow();
                var failingSince = await session.QueryFirstAsync(
                    "UPDATE webhook SET failing_since = coalesce(failing_since, $3) WHERE id = $1 AND job_id = $2 AND enabled = TRUE RETURNING failing_since",
                    static row => row.GetNullableInstant(0),
                    seen.WebhookId,
                    seen.JobId,
                    now.ToMicroseconds());
                if (failingSince is not { } since)
                {
                    return false;
                }

                var isGivenUp = outcome.IsGone || now - message.QueuedAt >= options.Patience;
                await WriteAsync(session, message, outcome, isGivenUp ? DeliveryStates.Failed : DeliveryStates.Pending);
                if (isGivenUp)
                {
                    await session.ExecuteAsync(
                        "UPDATE webhook_delivery SET state = 'failed', error = $3 WHERE webhook_id = $1 AND state = 'pending' AND queued_at <= $2",
                        seen.WebhookId,
                        (now - options.Patience).ToMicroseconds(),
                        NotTried);
                }

                if (outcome.IsGone || (isGivenUp && now - since >= options.DisableAfter))
                {
                    await DisableAsync(session, seen.WebhookId, outcome.IsGone ? outcome.Error! : TookNothing);
                    return false;
                }

                return true;
            },
            CancellationToken.None);

    private async ValueTask DisableAsync(DbSession session, Guid webhookId, string reason)
    {
        var (owner, description) = await session.QueryFirstAsync(
            "UPDATE webhook SET enabled = FALSE, disabled_reason = $2, updated_at = $3 WHERE id = $1 RETURNING owner_id, description",
            static row => (row.GetInt64(0), row.GetNullableString(1)),
            webhookId,
            reason,
            time.GetMicroseconds());
        await WebhookTable.FailPendingAsync(session, webhookId);

        // Without the address: whoever reads notifications need not know it, and it may hold a secret.
        var notice = JsonSerializer.SerializeToUtf8Bytes(new(webhookId, description, reason), WebhooksJson.Default.WebhookDisabled);
        await inboxes.AddAsync(session, owner, DisabledNotice, notice);
        session.AfterCommit(() => Log.Disabled(logger, webhookId, owner, reason));
    }

    /// <summary>Not where it was queued again meanwhile: that is another number.</summary>
    private async ValueTask WriteAsync(DbSession session, PendingMessage message, DeliveryOutcome outcome, string state) =>
        await session.ExecuteAsync(
            """
            UPDATE webhook_delivery SET state = $3, attempts = attempts + $4, status_code = $5, error = $6, duration_ms = $7, attempted_at = $8
            WHERE id = $1 AND seq = $2
            """,
            message.Id,
            message.Seq,
            state,
            outcome.WasTried ? 1 : 0,
            outcome.StatusCode,
            outcome.Error,
            (long)outcome.Duration.TotalMilliseconds,
            time.GetMicroseconds());

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Webhook {WebhookId} of account {UserId} was disabled: {Reason}")]
        public static partial void Disabled(ILogger logger, Guid webhookId, long userId, string reason);
    }
}
