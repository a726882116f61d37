using System.Text;
using System.Text.Json;
using Lintel.Features.Streams;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.Audit;

/// <summary>
/// Takes out of the audit what tells of a person whose account is deleted: their addresses, their programs, and words that somebody wrote. That something happened to an account of that
/// number, and when, stays.
/// </summary>
internal sealed class AuditErasure(Database database, StreamLog log)
{
    public async Task EraseAsync(long accountId, CancellationToken cancellationToken)
    {
        if (await log.FindAsync(AccountAudit.Name, cancellationToken) is not { } stream)
        {
            return;
        }

        var mark = Encoding.UTF8.GetBytes($"_id\":{accountId}");
        await foreach (var stored in log.ReadAllAsync(stream, cancellationToken))
        {
            if (stored.Event.Data.Span.IndexOf(mark) >= 0)
            {
                await EraseAsync(stream.Id, stored, accountId, cancellationToken);
            }
        }
    }

    private Task EraseAsync(long streamId, StoredEvent stored, long accountId, CancellationToken cancellationToken)
    {
        var entry = JsonSerializer.Deserialize(stored.Event.Data.Span, AuditJson.Default.AuditEntry)!;
        if (entry.AccountId != accountId && entry.ActorId != accountId)
        {
            return Task.CompletedTask;
        }

        // Where somebody else did it, from where is theirs; where the person did it to another, the other's words are not the person's.
        var kept = entry.ActorId is null || entry.ActorId == accountId ? entry with { Address = null, UserAgent = null } : entry;
        kept = entry.AccountId == accountId ? kept with { Details = null } : kept;
        return kept == entry
            ? Task.CompletedTask
            : database.WriteAsync(
                async session => { await StreamLog.RewriteAsync(session, streamId, stored, JsonSerializer.SerializeToUtf8Bytes(kept, AuditJson.Default.AuditEntry)); }, cancellationToken);
    }
}
