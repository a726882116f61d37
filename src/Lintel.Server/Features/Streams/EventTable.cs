using Lintel.Platform.Storage;

namespace Lintel.Features.Streams;

/// <param name="At">When, in unix microseconds.</param>
internal readonly record struct StreamAppend(long StreamId, StreamEvent[] Events, long Fence, bool Close, long At)
{
    public long Bytes => StreamEvent.CountBytes(Events);
}

/// <summary>The rows of events. Inserting many is the one place where the two databases want different statements.</summary>
internal abstract class EventTable
{
    private const int PageEvents = 512;
    private const int PageBytes = 512 * 1024;

    /// <summary>
    /// Numbers the stream's new events, where it is open and the fence is still the writer's. SQLite counts parameters as they appear, so they appear in order.
    /// </summary>
    protected const string Bump =
        "UPDATE stream SET next_seq = next_seq + $1, bytes = bytes + $2, closed = $3 WHERE id = $4 AND closed = FALSE AND fence = $5 RETURNING next_seq";

    public static EventTable For(DatabaseKind kind) => kind == DatabaseKind.Sqlite ? new SqliteEventTable() : new PostgresEventTable();

    /// <summary>The stream's new <c>next_seq</c>, or 0 when the append was refused.</summary>
    public abstract ValueTask<long> AppendAsync(DbSession session, StreamAppend append);

    public static async ValueTask<EventBatch?> ReadAsync(DbSession session, long streamId, long after)
    {
        var bytes = 0;
        var rows = await session.QueryAsync(
            "SELECT seq, kind, data FROM event WHERE stream_id = $1 AND seq > $2 ORDER BY seq LIMIT $3",
            row =>
            {
                // The row count bounds the query; the size bounds what is kept of it.
                if (bytes > PageBytes)
                {
                    return default;
                }

                var item = (Seq: row.GetInt64(0), Event: new StreamEvent(row.GetString(1), row.GetBytes(2)));
                bytes += item.Event.Data.Length;
                return item;
            },
            streamId,
            after,
            PageEvents);

        // A batch has no hole by definition, so what follows one is left out here, and missed by whoever reads on.
        var kept = rows.TakeWhile((row, i) => row.Seq != 0 && row.Seq == rows[0].Seq + i).ToList();
        return kept.Count == 0 ? null : new EventBatch(kept[0].Seq, [.. kept.Select(static row => row.Event)]);
    }
}
