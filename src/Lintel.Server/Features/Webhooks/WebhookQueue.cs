using System.Text.Json;
using Lintel.Features.Jobs;
using Lintel.Features.Webhooks.Sending;
using Lintel.Platform.Storage;

namespace Lintel.Features.Webhooks;

/// <summary>
/// What webhooks are to be sent. Each has a job at most, which stands in its row: whoever adds something holds the row's lock, takes the next number in the webhook's order, and
/// sees to it that there is a job.
/// </summary>
internal sealed class WebhookQueue(JobQueue jobs, WebhookOptions options, TimeOrderedIds ids, TimeProvider time)
{
    /// <summary>Queues a message as part of <paramref name="session"/>'s unit of work, which has locked the webhook's row.</summary>
    /// <param name="data">JSON text.</param>
    /// <returns>The message's id; null where the webhook is disabled or has too many waiting, which it counts.</returns>
    public async ValueTask<Guid?> AddAsync(DbSession session, Guid webhookId, string type, string data)
    {
        if (await TakePlaceAsync(session, webhookId) is not { } place)
        {
            await session.ExecuteAsync("UPDATE webhook SET missed = missed + 1 WHERE id = $1 AND enabled = TRUE", webhookId);
            return null;
        }

        var id = ids.Next();
        var now = time.GetMicroseconds();
        await session.ExecuteAsync(
            "INSERT INTO webhook_delivery (id, webhook_id, seq, type, data, state, created_at, queued_at) VALUES ($1, $2, $3, $4, $5, 'pending', $6, $6)",
            id,
            webhookId,
            place.Seq,
            type,
            data,
            now);
        await EnsureJobAsync(session, webhookId, place);
        return id;
    }

    /// <summary>Queues a message again, behind all others, under its id.</summary>
    /// <returns>False where it is still pending, or the webhook is disabled or has too many waiting.</returns>
    public async ValueTask<bool> AddAgainAsync(DbSession session, Guid webhookId, Guid deliveryId)
    {
        if (await TakePlaceAsync(session, webhookId) is not { } place
            || await session.ExecuteAsync(
                """
                UPDATE webhook_delivery SET seq = $3, state = 'pending', attempts = 0, status_code = NULL, error = NULL, duration_ms = NULL, attempted_at = NULL, queued_at = $4
                WHERE id = $2 AND webhook_id = $1 AND state <> 'pending'
                """,
                webhookId,
                deliveryId,
                place.Seq,
                time.GetMicroseconds()) == 0)
        {
            return false;
        }

        await EnsureJobAsync(session, webhookId, place);
        await HurryAsync(session, place.JobId);
        return true;
    }

    /// <summary>Puts a new job in the place of the webhook's.</summary>
    public async ValueTask BeginJobAsync(DbSession session, Guid webhookId, long ownerId)
    {
        var id = ids.Next();
        var input = JsonSerializer.SerializeToUtf8Bytes(new WebhookJobInput(webhookId), WebhookJobJson.Default.WebhookJobInput);
        await session.ExecuteAsync("UPDATE webhook SET job_id = $2 WHERE id = $1", webhookId, id);
        await jobs.AddAsync(session, new JobRequest(WebhookJob.Kind, ownerId, input, 0, Id: id));
    }

    /// <summary>Ends the waiting between two attempts: somebody has reason to believe that the next one works.</summary>
    public async ValueTask HurryAsync(DbSession session, Guid? jobId)
    {
        if (jobId is { } waiting)
        {
            await jobs.HurryAsync(session, waiting);
        }
    }

    /// <summary>Sees to it that a webhook that has something pending also has a job, whose row may have ended in ways of its own: cancelled, or tried too often.</summary>
    public async ValueTask<bool> ReviveAsync(DbSession session, Guid webhookId)
    {
        var place = await session.QueryFirstAsync(
            "UPDATE webhook SET last_seq = last_seq WHERE id = $1 AND enabled = TRUE RETURNING last_seq, owner_id, job_id",
            static row => new Place(row.GetInt64(0), row.GetInt64(1), row.GetNullableGuid(2)),
            webhookId);
        return place is not null && await EnsureJobAsync(session, webhookId, place);
    }

    /// <summary>
    /// The next number of a webhook, whose row is locked already: by this statement alone, on PostgreSQL the search for what waits would not see what another has just added. It is
    /// counted by the numbers, without looking at each.
    /// </summary>
    private ValueTask<Place?> TakePlaceAsync(DbSession session, Guid webhookId) =>
        session.QueryFirstAsync(
            """
            UPDATE webhook SET last_seq = last_seq + 1
            WHERE id = $1 AND enabled = TRUE
                AND NOT EXISTS (SELECT 1 FROM webhook_delivery d WHERE d.webhook_id = $1 AND d.state = 'pending' AND d.seq <= webhook.last_seq + 1 - $2)
            RETURNING last_seq, owner_id, job_id
            """,
            static row => new Place(row.GetInt64(0), row.GetInt64(1), row.GetNullableGuid(2)),
            webhookId,
            (long)options.Queued);

    private async ValueTask<bool> EnsureJobAsync(DbSession session, Guid webhookId, Place place)
    {
        if (place.JobId is { } known && await JobQueue.FindAsync(session, known) is { } job && !JobStates.IsTerminal(job.State))
        {
            return false;
        }

        await BeginJobAsync(session, webhookId, place.OwnerId);
        return true;
    }

    private sealed record Place(long Seq, long OwnerId, Guid? JobId);
}
