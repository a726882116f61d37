using System.Text.Json;
using Lintel.Features.Jobs;
using Lintel.Platform.Storage;

namespace Lintel.Features.Mail;

/// <summary>A message that waits.</summary>
internal sealed record WaitingMail(Guid Id, string Recipient, string Template, IReadOnlyDictionary<string, string?> Fields, DateTimeOffset CreatedAt);

/// <summary>Mail to be sent. It is queued in the transaction of what it tells of, so that neither is there without the other.</summary>
internal sealed class MailQueue(Database database, JobQueue jobs, MailOptions options, TimeOrderedIds ids, TimeProvider time)
{
    private const long PageSize = 50;

    /// <summary>Queues a message as part of <paramref name="session"/>'s unit of work; nothing where mail is off.</summary>
    /// <param name="ownerId">The account it is for: its mail is sent in order, and by one job at a time.</param>
    /// <param name="template">The name of a registered template.</param>
    /// <param name="fields">The values of its fields.</param>
    public async ValueTask AddAsync(DbSession session, long ownerId, string recipient, string template, Dictionary<string, string?> fields)
    {
        if (options.Delivery == MailDelivery.Off)
        {
            return;
        }

        var now = time.GetUtcNow();
        await session.ExecuteAsync(
            "INSERT INTO mail (id, owner_id, recipient, template, fields, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
            ids.Next(),
            ownerId,
            recipient,
            template,
            JsonSerializer.Serialize(fields, MailJson.Default.DictionaryStringString),
            now.ToMicroseconds());
        await jobs.EnsureAsync(session, MailJob.Kind, ownerId);
    }

    /// <summary>An owner's waiting messages, oldest first, some at a time.</summary>
    public Task<List<WaitingMail>> ReadAsync(long ownerId, CancellationToken cancellationToken) =>
        database.ReadAsync(
            session => session.QueryAsync(
                "SELECT id, recipient, template, fields, created_at FROM mail WHERE owner_id = $1 ORDER BY id LIMIT $2",
                static row => new WaitingMail(
                    row.GetGuid(0),
                    row.GetString(1),
                    row.GetString(2),
                    JsonSerializer.Deserialize(row.GetString(3), MailJson.Default.DictionaryStringString)!,
                    row.GetInstant(4)),
                ownerId,
                PageSize),
            cancellationToken);

    /// <summary>Forgets a message that was handed over or refused for good.</summary>
    public Task RemoveAsync(Guid id, CancellationToken cancellationToken) =>
        database.WriteAsync(async session => { await session.ExecuteAsync("DELETE FROM mail WHERE id = $1", id); }, cancellationToken);
}
