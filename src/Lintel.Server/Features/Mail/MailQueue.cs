using System.Data.Common;
using Lintel.Features.Jobs;
using Lintel.Platform.Storage;

namespace Lintel.Features.Mail;

/// <summary>A message that waits.</summary>
/// <param name="Fields">Null where they cannot be read: <c>SECRET_KEY</c> is another than when it was queued.</param>
internal sealed record WaitingMail(Guid Id, string Recipient, string Template, IReadOnlyDictionary<string, string?>? Fields, DateTimeOffset CreatedAt);

/// <summary>Mail to be sent. It is queued in the transaction of what it tells of, so that neither is there without the other.</summary>
internal sealed class MailQueue(Database database, JobQueue jobs, MailOptions options, MailSecrets secrets, TimeOrderedIds ids, TimeProvider time)
{
    private const long PageSize = 50;
    private const long SecondsInHour = 3600;

    /// <summary>Queues a message as part of <paramref name="session"/>'s unit of work; nothing where mail is off, or the owner had as much this hour as one may.</summary>
    /// <param name="ownerId">The account it is for: its mail is sent in order, and by one job at a time.</param>
    /// <param name="template">The name of a registered template.</param>
    /// <param name="fields">The values of its fields.</param>
    public async ValueTask AddAsync(DbSession session, long ownerId, string recipient, string template, Dictionary<string, string?> fields)
    {
        if (options.Delivery != MailDelivery.Off && await TakePlaceAsync(session, ownerId, time.GetUtcNow()))
        {
            await AddUncountedAsync(session, ownerId, recipient, template, fields);
        }
    }

    /// <summary>As <see cref="AddAsync"/>, for a feature that bounds by itself how much it sends.</summary>
    public async ValueTask AddUncountedAsync(DbSession session, long ownerId, string recipient, string template, Dictionary<string, string?> fields)
    {
        if (options.Delivery == MailDelivery.Off)
        {
            return;
        }

        var id = ids.Next();
        await session.ExecuteAsync(
            "INSERT INTO mail (id, owner_id, recipient, template, fields, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
            id,
            ownerId,
            recipient,
            template,
            secrets.Protect(id, recipient, template, fields),
            time.GetMicroseconds());
        await jobs.EnsureAsync(session, MailJob.Kind, ownerId);
    }

    /// <summary>An owner's waiting messages, oldest first, some at a time.</summary>
    public Task<List<WaitingMail>> ReadAsync(long ownerId, CancellationToken cancellationToken) =>
        database.ReadAsync(
            session => session.QueryAsync(
                "SELECT id, recipient, template, fields, created_at FROM mail WHERE owner_id = $1 ORDER BY id LIMIT $2",
                Read,
                ownerId,
                PageSize),
            cancellationToken);

    /// <summary>Forgets a message that was handed over or refused for good.</summary>
    public Task RemoveAsync(Guid id, CancellationToken cancellationToken) =>
        database.WriteAsync(async session => { await session.ExecuteAsync("DELETE FROM mail WHERE id = $1", id); }, cancellationToken);

    private WaitingMail Read(DbDataReader row)
    {
        var (id, recipient, template) = (row.GetGuid(0), row.GetString(1), row.GetString(2));
        return new(id, recipient, template, secrets.Unprotect(id, recipient, template, row.GetString(3)), row.GetInstant(4));
    }

    /// <summary>
    /// Counts a message of this hour, unless there were as many as an owner may have. An owner may write what is mailed, and to an address that is another's: the bound is on the owner,
    /// however many keys ask.
    /// </summary>
    private async ValueTask<bool> TakePlaceAsync(DbSession session, long ownerId, DateTimeOffset now) =>

        // A node whose clock is behind counts in the hour that another has begun.
        await session.ExecuteAsync(
            """
            INSERT INTO mail_usage (owner_id, hour, queued) VALUES ($1, $2, 1)
            ON CONFLICT (owner_id) DO UPDATE SET
                queued = CASE WHEN mail_usage.hour < excluded.hour THEN 1 ELSE mail_usage.queued + 1 END,
                hour = CASE WHEN mail_usage.hour < excluded.hour THEN excluded.hour ELSE mail_usage.hour END
            WHERE mail_usage.hour < excluded.hour OR mail_usage.queued < $3
            """,
            ownerId,
            now.ToUnixTimeSeconds() / SecondsInHour,
            (long)options.MaxPerOwnerPerHour) == 1;
}
