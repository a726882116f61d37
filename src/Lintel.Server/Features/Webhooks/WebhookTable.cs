using System.Data.Common;
using System.Text.Json;
using Lintel.Platform.Storage;

namespace Lintel.Features.Webhooks;

/// <summary>What became of a request to send something.</summary>
internal enum SendStatus
{
    Queued,

    /// <summary>There is no such webhook of that owner, or no such delivery of it.</summary>
    NotFound,

    Disabled,

    /// <summary>It waits to be sent already.</summary>
    Pending,

    /// <summary>As many wait as may.</summary>
    Full,
}

/// <summary>The webhooks in the database, as their owners change them. Whose one is stands in every WHERE: another's and none look the same.</summary>
internal sealed class WebhookTable(Database database, WebhookQueue queue, WebhookOptions options, TimeProvider time)
{
    private const string DisabledMeanwhile = "The webhook was disabled before this was sent.";

    // Only the first that waits has a time of its own: the time of the job, which is 0 where it was never begun.
    private const string Deliveries =
        """
        SELECT d.id, d.seq, d.type, d.state, d.attempts, d.status_code, d.error, d.duration_ms, d.created_at, d.attempted_at,
            CASE WHEN d.state = 'pending' AND j.state = 'queued'
                AND d.seq = (SELECT min(p.seq) FROM webhook_delivery p WHERE p.webhook_id = w.id AND p.state = 'pending') THEN nullif(j.run_at, 0) END
        FROM webhook w JOIN webhook_delivery d ON d.webhook_id = w.id LEFT JOIN job j ON j.id = w.job_id
        """;

    /// <summary>Keeps a new webhook; false where the account has its fill of them.</summary>
    public Task<bool> AddAsync(Webhook webhook, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async session =>
            {
                // Locks the account's row, so that of many at once each counts what those before it added.
                await session.ExecuteAsync("UPDATE account SET is_active = is_active WHERE id = $1", webhook.OwnerId);
                return await session.ExecuteAsync(
                    """
                    INSERT INTO webhook (id, owner_id, url, events, description, enabled, salt, created_at, updated_at)
                    SELECT $1, $2, $3, $4, $5, $6, $7, $8, $8 WHERE (SELECT count(*) FROM webhook WHERE owner_id = $2) < $9
                    """,
                    webhook.Id,
                    webhook.OwnerId,
                    webhook.Url,
                    webhook.EventsText,
                    webhook.Description,
                    webhook.Enabled,
                    webhook.Salt,
                    webhook.CreatedAt.ToMicroseconds(),
                    (long)options.MaxPerAccount) == 1;
            },
            cancellationToken);

    public Task<List<Webhook>> ListAsync(long ownerId, CancellationToken cancellationToken) =>
        database.ReadAsync(
            session => session.QueryAsync($"SELECT {Webhook.Columns} FROM webhook WHERE owner_id = $1 ORDER BY id DESC", Webhook.Map, ownerId), cancellationToken);

    public Task<Webhook?> FindAsync(Guid id, long ownerId, CancellationToken cancellationToken) =>
        database.ReadAsync(session => FindAsync(session, id, ownerId, isLocked: false), cancellationToken);

    /// <summary>Changes a webhook; null where there is none of that owner.</summary>
    public Task<Webhook?> UpdateAsync(Guid id, long ownerId, Func<Webhook, Webhook> change, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async session =>
            {
                if (await FindAsync(session, id, ownerId, isLocked: true) is not { } current)
                {
                    return null;
                }

                // Enabled anew, it begins anew.
                var isEnabledAgain = !current.Enabled && change(current).Enabled;
                var changed = change(current) with { UpdatedAt = Instant.FromMicroseconds(time.GetMicroseconds()) };
                changed = isEnabledAgain ? changed with { DisabledReason = null, FailingSince = null } : changed;
                await session.ExecuteAsync(
                    """
                    UPDATE webhook SET url = $3, events = $4, description = $5, enabled = $6, disabled_reason = $7, failing_since = $8, updated_at = $9
                    WHERE id = $1 AND owner_id = $2
                    """,
                    id,
                    ownerId,
                    changed.Url,
                    changed.EventsText,
                    changed.Description,
                    changed.Enabled,
                    changed.DisabledReason,
                    changed.FailingSince?.ToMicroseconds(),
                    changed.UpdatedAt.ToMicroseconds());
                if (!changed.Enabled)
                {
                    await FailPendingAsync(session, id);
                }
                else if (changed.Url != current.Url)
                {
                    await queue.HurryAsync(session, current.JobId);
                }

                return changed;
            },
            cancellationToken);

    /// <summary>Deletes a webhook with its deliveries; its job finds nothing to do.</summary>
    public Task<bool> DeleteAsync(Guid id, long ownerId, CancellationToken cancellationToken) =>
        database.WriteAsync(async session => await session.ExecuteAsync("DELETE FROM webhook WHERE id = $1 AND owner_id = $2", id, ownerId) == 1, cancellationToken);

    /// <summary>Takes a new salt, and keeps the one before for a while; null where there is no such webhook of that owner.</summary>
    /// <returns>Until when the one before counts.</returns>
    public async Task<DateTimeOffset?> RotateAsync(Guid id, long ownerId, byte[] salt, CancellationToken cancellationToken)
    {
        var now = time.GetMicroseconds();
        var until = now + (long)options.RotationOverlap.TotalMicroseconds;
        var rotated = await database.WriteAsync(
            session => session.ExecuteAsync(
                "UPDATE webhook SET previous_salt = salt, previous_until = $4, salt = $3, updated_at = $5 WHERE id = $1 AND owner_id = $2", id, ownerId, salt, until, now),
            cancellationToken);
        return rotated == 1 ? Instant.FromMicroseconds(until) : null;
    }

    /// <summary>Queues a ping.</summary>
    public Task<(SendStatus Status, Delivery? Delivery)> PingAsync(Guid id, long ownerId, CancellationToken cancellationToken) =>
        database.WriteAsync<(SendStatus, Delivery?)>(
            async session =>
            {
                if (await FindAsync(session, id, ownerId, isLocked: true) is not { } webhook)
                {
                    return (SendStatus.NotFound, null);
                }

                if (!webhook.Enabled)
                {
                    return (SendStatus.Disabled, null);
                }

                var added = await queue.AddAsync(session, id, WebhookEventTypes.Ping, JsonSerializer.Serialize(new(id), WebhooksJson.Default.WebhookPing));
                await queue.HurryAsync(session, webhook.JobId);
                return added is { } delivery ? (SendStatus.Queued, await FindDeliveryAsync(session, id, delivery)) : (SendStatus.Full, null);
            },
            cancellationToken);

    /// <summary>Queues a delivery that has ended once more, under its id.</summary>
    public Task<(SendStatus Status, Delivery? Delivery)> RedeliverAsync(Guid id, long ownerId, Guid deliveryId, CancellationToken cancellationToken) =>
        database.WriteAsync<(SendStatus, Delivery?)>(
            async session =>
            {
                if (await FindAsync(session, id, ownerId, isLocked: true) is not { } webhook || await FindDeliveryAsync(session, id, deliveryId) is not { } delivery)
                {
                    return (SendStatus.NotFound, null);
                }

                if (!webhook.Enabled || delivery.State == DeliveryStates.Pending)
                {
                    return (webhook.Enabled ? SendStatus.Pending : SendStatus.Disabled, null);
                }

                return await queue.AddAgainAsync(session, id, deliveryId) ? (SendStatus.Queued, await FindDeliveryAsync(session, id, deliveryId)) : (SendStatus.Full, null);
            },
            cancellationToken);

    /// <summary>A webhook's deliveries, newest first.</summary>
    /// <param name="before">Only those before this number.</param>
    public Task<List<Delivery>> ListDeliveriesAsync(Guid id, long ownerId, long before, int limit, CancellationToken cancellationToken) =>
        database.ReadAsync(
            session => session.QueryAsync(
                $"{Deliveries} WHERE w.id = $1 AND w.owner_id = $2 AND d.seq < $3 ORDER BY d.seq DESC LIMIT $4", MapDelivery, id, ownerId, before, limit),
            cancellationToken);

    /// <summary>Ends what a webhook that is disabled has waiting.</summary>
    public static async ValueTask FailPendingAsync(DbSession session, Guid id)
    {
        await session.ExecuteAsync("UPDATE webhook_delivery SET state = 'failed', error = $2 WHERE webhook_id = $1 AND state = 'pending'", id, DisabledMeanwhile);
        await session.ExecuteAsync("UPDATE webhook SET job_id = NULL WHERE id = $1", id);
    }

    private static Delivery MapDelivery(DbDataReader row) => new(
        row.GetGuid(0),
        row.GetInt64(1),
        row.GetString(2),
        row.GetString(3),
        row.GetInt32(4),
        row.IsDBNull(5) ? null : row.GetInt32(5),
        row.GetNullableString(6),
        row.IsDBNull(7) ? null : row.GetInt64(7),
        row.GetInstant(8),
        row.GetNullableInstant(9),
        row.GetNullableInstant(10));

    private static ValueTask<Webhook?> FindAsync(DbSession session, Guid id, long ownerId, bool isLocked) =>
        session.QueryFirstAsync(
            $"SELECT {Webhook.Columns} FROM webhook WHERE id = $1 AND owner_id = $2{(isLocked ? session.Lock("FOR UPDATE") : "")}", Webhook.Map, id, ownerId);

    private static ValueTask<Delivery?> FindDeliveryAsync(DbSession session, Guid id, Guid deliveryId) =>
        session.QueryFirstAsync($"{Deliveries} WHERE w.id = $1 AND d.id = $2", MapDelivery, id, deliveryId);
}
