using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Lintel.Features.Jobs;
using Lintel.Platform.Storage;

namespace Lintel.Features.Webhooks;

/// <summary>Tells people's webhooks what happened, in the transaction in which it does: neither is there without the other.</summary>
internal sealed class WebhookEvents(WebhookQueue queue)
{
    /// <summary>Queues an event for those of a person's webhooks that are told of it, as part of <paramref name="session"/>'s unit of work.</summary>
    /// <param name="type">One of <see cref="WebhookEventTypes"/>.</param>
    /// <param name="facts">What is told, which is small and of bounded size.</param>
    public async ValueTask AddAsync<T>(DbSession session, long ownerId, string type, T facts, JsonTypeInfo<T> json)
    {
        // Locked, so that each counts what those before it added; and in one order, so that two units of work cannot wait for each other.
        var webhooks = await session.QueryAsync(
            $"""
            SELECT id FROM webhook
            WHERE owner_id = $1 AND enabled = TRUE AND (events LIKE '%,' || $2 || ',%' OR events LIKE '%,*,%')
                AND EXISTS (SELECT 1 FROM account WHERE account.id = webhook.owner_id AND is_active)
            ORDER BY id{session.Lock("FOR UPDATE OF webhook")}
            """,
            static row => row.GetGuid(0),
            ownerId,
            type);
        if (webhooks.Count == 0)
        {
            return;
        }

        var data = JsonSerializer.Serialize(facts, json);
        foreach (var id in webhooks)
        {
            await queue.AddAsync(session, id, type, data);
        }
    }

    /// <summary>Whether a person has any webhook that is told of something.</summary>
    public static async ValueTask<bool> AnyAsync(DbSession session, long ownerId) =>
        await session.QueryFirstAsync("SELECT 1 FROM webhook WHERE owner_id = $1 AND enabled = TRUE LIMIT 1", static row => row.GetInt32(0), ownerId) == 1;
}

/// <summary>Tells of the ends of jobs that people submitted.</summary>
internal sealed class WebhookJobEvents(WebhookEvents events, JobKinds kinds) : IJobEndListener
{
    public async ValueTask EndedAsync(DbSession session, Guid jobId, long ownerId, string kind)
    {
        // Of the server's own jobs nobody is told: sending that would be another one.
        if (kinds.Find(kind)?.IsInternal == true || !await WebhookEvents.AnyAsync(session, ownerId) || await JobQueue.FindAsync(session, jobId) is not { } job)
        {
            return;
        }

        var type = job.State switch
        {
            JobStates.Complete => WebhookEventTypes.JobCompleted,
            JobStates.Failed => WebhookEventTypes.JobFailed,
            _ => WebhookEventTypes.JobCancelled,
        };
        await events.AddAsync(session, ownerId, type, JobView.From(job), JobsJson.Default.JobView);
    }
}
