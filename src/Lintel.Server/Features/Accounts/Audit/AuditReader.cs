using System.Text.Json;
using Lintel.Features.Streams;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.Audit;

/// <summary>Which events are asked for.</summary>
/// <param name="AccountId">Whose account they happened to; anybody's where null.</param>
/// <param name="Kind">What happened; anything where null.</param>
/// <param name="Since">Not before.</param>
/// <param name="Until">Only before.</param>
internal sealed record AuditFilter(long? AccountId = null, string? Kind = null, DateTimeOffset? Since = null, DateTimeOffset? Until = null)
{
    public bool IsNone => AccountId is null && Kind is null && Since is null && Until is null;
}

/// <param name="After">Where the next page begins; null behind the last event.</param>
internal sealed record AuditPage(List<ActivityView> Events, string? After);

/// <summary>Reads what happened to accounts. Nobody changes it here.</summary>
internal sealed class AuditReader(Database database, StreamLog log)
{
    // Of a filter that matches little a request looks at so many events, and says where to go on.
    private const long Window = 20_000;

    private const string Matching =
        """
        SELECT seq, at, kind, data FROM event
        WHERE stream_id = $1 AND seq >= $2 AND seq < $3 AND ($4 = '' OR kind = $4) AND at >= $5 AND at < $6
        """;

    /// <summary>The stream of one account, or of all; null where nothing has happened yet.</summary>
    public Task<StreamInfo?> FindAsync(long? accountId, CancellationToken cancellationToken) =>
        log.FindAsync(accountId is { } id ? AccountAudit.NameOf(id) : AccountAudit.Name, cancellationToken);

    /// <summary>Events before number <paramref name="before"/>, newest first.</summary>
    public async Task<AuditPage> ListAsync(StreamInfo stream, long before, AuditFilter filter, int limit, CancellationToken cancellationToken)
    {
        var floor = filter.IsNone ? stream.FloorSeq : Math.Max(stream.FloorSeq, before - Window);

        // One more than asked for tells whether there is a next page.
        var found = await ReadAsync(stream, floor, before, filter, " ORDER BY seq DESC LIMIT $7", limit + 1, cancellationToken);
        var events = found.Take(limit).ToList();
        var next = found.Count > limit ? events[^1].Id : floor > stream.FloorSeq ? stream.IdOf(floor) : null;
        return new(events, next);
    }

    /// <summary>Events from number <paramref name="from"/> on, oldest first.</summary>
    public async Task<AuditPage> ReadOnAsync(StreamInfo stream, long from, AuditFilter filter, int limit, CancellationToken cancellationToken)
    {
        var end = Math.Min(stream.NextSeq, from + Window);
        var found = await ReadAsync(stream, from, end, filter, " ORDER BY seq LIMIT $7", limit, cancellationToken);
        var reached = found.Count == limit ? found[^1].Id : end < stream.NextSeq ? stream.IdOf(end - 1) : null;
        return new(found, reached);
    }

    /// <summary>Those of the events from number <paramref name="from"/> to before <paramref name="end"/> that are asked for, oldest first.</summary>
    public Task<List<StoredEvent>> ReadAsync(StreamInfo stream, long from, long end, AuditFilter filter, CancellationToken cancellationToken) =>
        QueryAsync(stream, from, end, filter, " ORDER BY seq LIMIT $7", (int)(end - from), cancellationToken);

    /// <summary>The number of an event of that stream; null for what is none of its ids.</summary>
    public static long? SeqOf(StreamInfo stream, string id) =>
        StreamCursor.TryParse(id, out var cursor) && cursor.Stream == stream.Name && cursor.Epoch == stream.Epoch && cursor.Seq <= stream.Tail ? cursor.Seq : null;

    /// <summary>An event as readers get it.</summary>
    public static ActivityView View(StreamInfo stream, StoredEvent stored)
    {
        var entry = JsonSerializer.Deserialize(stored.Event.Data.Span, AuditJson.Default.AuditEntry)!;
        return new(
            stream.IdOf(stored.Seq),
            stored.Event.Kind,
            stored.At,
            entry.AccountId,
            entry.ActorId,
            entry.SessionId,
            entry.KeyId,
            entry.Address,
            entry.UserAgent,
            entry.Details is null ? null : JsonSerializer.SerializeToElement(entry.Details, AuditJson.Default.JsonObject));
    }

    private async Task<List<ActivityView>> ReadAsync(
        StreamInfo stream, long floor, long end, AuditFilter filter, string order, int limit, CancellationToken cancellationToken) =>
        [.. (await QueryAsync(stream, floor, end, filter, order, limit, cancellationToken)).Select(stored => View(stream, stored))];

    private Task<List<StoredEvent>> QueryAsync(StreamInfo stream, long floor, long end, AuditFilter filter, string order, int limit, CancellationToken cancellationToken)
    {
        // In the log of all, an account's own events are told by their facts: its stream of its own is gone when it is deleted.
        var account = filter.AccountId is { } id && stream.Name == AccountAudit.Name ? $$"""{"account_id":{{id}}""" : "";
        return database.ReadAsync(
            session => session.QueryAsync(
                (account.Length == 0 ? Matching + " AND $8 = ''" : $"{Matching} AND {Beginning(session.Kind)} IN ($8 || ',', $8 || '}}')") + order,
                static row => new StoredEvent(row.GetInt64(0), row.GetInstant(1), new StreamEvent(row.GetString(2), row.GetBytes(3))),
                stream.Id,
                floor,
                end,
                filter.Kind ?? "",
                filter.Since?.ToMicroseconds() ?? 0,
                filter.Until?.ToMicroseconds() ?? long.MaxValue,
                (long)limit,
                account),
            cancellationToken);
    }

    // The account comes first in an entry, of which something follows or nothing, and its letters are ASCII.
    private static string Beginning(DatabaseKind kind) =>
        kind == DatabaseKind.Sqlite ? "substr(CAST(data AS TEXT), 1, length($8) + 1)" : "convert_from(substr(data, 1, length(CAST($8 AS TEXT)) + 1), 'UTF8')";
}
