using System.Runtime.CompilerServices;
using Lintel.Platform.Storage;

namespace Lintel.Features.Streams;

/// <summary>
/// The append-only log. A stream numbers its events 1, 2, 3 … without a hole, under its own row and in the transaction that inserts them,
/// and they are told to followers only once they are durable.
/// </summary>
internal sealed class StreamLog(Database database, StreamFeeds feeds, TimeProvider time)
{
    /// <summary>The largest event; anything larger belongs into a file.</summary>
    public const int MaxEventBytes = 256 * 1024;

    // Bounds how long one step of forgetting keeps writers waiting.
    private const long PruneEvents = 4000;

    private const long PageEvents = 500;

    private const string Columns = "id, name, epoch, next_seq, floor_seq, closed";

    private readonly EventTable _events = EventTable.For(database.Kind);

    /// <summary>Makes an empty stream, as part of <paramref name="session"/>'s unit of work, and returns its id.</summary>
    public ValueTask<long> CreateAsync(DbSession session, string name) =>
        session.QueryFirstAsync(
            "INSERT INTO stream (name, epoch) VALUES ($1, $2) RETURNING id",
            static row => row.GetInt64(0),
            name,
            time.GetMicroseconds());

    /// <summary>The id of the stream of that name, which is made if it does not exist.</summary>
    public async ValueTask<long> GetOrCreateAsync(DbSession session, string name) =>
        await session.QueryFirstAsync(
            "INSERT INTO stream (name, epoch) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id",
            static row => row.GetInt64(0),
            name,
            time.GetMicroseconds());

    /// <summary>Appends as part of <paramref name="session"/>'s unit of work; followers see the events after its commit.</summary>
    /// <param name="fence">The lease under which the writer works; a stream without a lease has 0.</param>
    /// <param name="close">These are the stream's last events.</param>
    public async ValueTask<AppendResult> AppendAsync(DbSession session, long streamId, StreamEvent[] events, long fence = 0, bool close = false)
    {
        foreach (var item in events)
        {
            if (item.Data.Length > MaxEventBytes)
            {
                throw new ArgumentException($"An event has {item.Data.Length} bytes; a stream takes at most {MaxEventBytes} in one.", nameof(events));
            }
        }

        var nextSeq = await _events.AppendAsync(session, new StreamAppend(streamId, events, fence, close, time.GetMicroseconds()));
        if (nextSeq == 0)
        {
            return AppendResult.Refusal;
        }

        var batch = new EventBatch(nextSeq - events.Length, events);
        session.AfterCommit(() => feeds.Publish(streamId, batch, close));
        return new AppendResult(batch.LastSeq, false);
    }

    /// <summary>
    /// Appends at the end of <paramref name="unit"/>, to streams that many units write: in the order of their names, and after all else that the unit does. A stream that is not there is made.
    /// </summary>
    public void AppendLast(DbSession unit, string name, StreamEvent item)
    {
        var pending = unit.BeforeCommit<LastAppends>(async all =>
        {
            foreach (var (stream, events) in all.ByName)
            {
                if ((await AppendAsync(unit, await GetOrCreateAsync(unit, stream), [.. events])).Refused)
                {
                    // The unit must not happen without what tells of it.
                    throw new InvalidOperationException($"The stream {stream} takes no more events.");
                }
            }
        });
        if (!pending.ByName.TryGetValue(name, out var known))
        {
            pending.ByName.Add(name, known = []);
        }

        known.Add(item);
    }

    /// <summary>Appends a stream's last events as part of <paramref name="session"/>'s unit of work.</summary>
    /// <exception cref="InvalidOperationException">The stream did not take them: the caller's own row and the stream's do not agree, and neither must change.</exception>
    public async ValueTask CloseAsync(DbSession session, long streamId, StreamEvent[] events, long fence)
    {
        if ((await AppendAsync(session, streamId, events, fence, close: true)).Refused)
        {
            throw new InvalidOperationException($"Stream {streamId} refused its last events although the lease is held.");
        }
    }

    /// <summary>Appends durably, in a unit of work of its own.</summary>
    public Task<AppendResult> AppendAsync(long streamId, StreamEvent[] events, long fence = 0, bool close = false, CancellationToken cancellationToken = default) =>
        database.WriteAsync(session => AppendAsync(session, streamId, events, fence, close), cancellationToken);

    public Task<StreamInfo?> FindAsync(long streamId, CancellationToken cancellationToken) =>
        database.ReadAsync(session => session.QueryFirstAsync($"SELECT {Columns} FROM stream WHERE id = $1", Map, streamId), cancellationToken);

    public Task<StreamInfo?> FindAsync(string name, CancellationToken cancellationToken) =>
        database.ReadAsync(session => session.QueryFirstAsync($"SELECT {Columns} FROM stream WHERE name = $1", Map, name), cancellationToken);

    /// <summary>A stream that must exist, because something that is kept refers to it.</summary>
    public async Task<StreamInfo> GetAsync(long streamId, CancellationToken cancellationToken) =>
        await FindAsync(streamId, cancellationToken) ?? throw new InvalidOperationException($"Stream {streamId} is gone.");

    /// <summary>The next events after number <paramref name="after"/>: a page of bounded size, or null when there are none.</summary>
    public Task<EventBatch?> ReadAsync(long streamId, long after, CancellationToken cancellationToken) =>
        database.ReadAsync(session => EventTable.ReadAsync(session, streamId, after), cancellationToken);

    /// <summary>All events that there are now, in their order, some at a time: for going through a whole stream.</summary>
    public async IAsyncEnumerable<StoredEvent> ReadAllAsync(StreamInfo stream, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var after = stream.FloorSeq - 1;
        List<StoredEvent> page;
        do
        {
            page = await database.ReadAsync(
                session => session.QueryAsync(
                    "SELECT seq, at, kind, data FROM event WHERE stream_id = $1 AND seq > $2 ORDER BY seq LIMIT $3",
                    static row => new StoredEvent(row.GetInt64(0), row.GetInstant(1), new StreamEvent(row.GetString(2), row.GetBytes(3))),
                    stream.Id,
                    after,
                    PageEvents),
                cancellationToken);
            foreach (var stored in page)
            {
                yield return stored;
                after = stored.Seq;
            }
        }
        while (page.Count == PageEvents);
    }

    /// <summary>The events before number <paramref name="before"/>, last first.</summary>
    public Task<List<StoredEvent>> ReadBackAsync(long streamId, long before, int limit, CancellationToken cancellationToken) =>
        database.ReadAsync(
            session => session.QueryAsync(
                "SELECT seq, at, kind, data FROM event WHERE stream_id = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3",
                static row => new StoredEvent(row.GetInt64(0), row.GetInstant(1), new StreamEvent(row.GetString(2), row.GetBytes(3))),
                streamId,
                before,
                (long)limit),
            cancellationToken);

    /// <summary>An event as it is kept, as part of <paramref name="session"/>'s unit of work; null when it is not.</summary>
    public static ValueTask<StoredEvent?> FindEventAsync(DbSession session, long streamId, long seq) =>
        session.QueryFirstAsync(
            "SELECT seq, at, kind, data FROM event WHERE stream_id = $1 AND seq = $2",
            static row => new StoredEvent(row.GetInt64(0), row.GetInstant(1), new StreamEvent(row.GetString(2), row.GetBytes(3))),
            streamId,
            seq);

    /// <summary>
    /// Puts other facts into the place of an event's, as part of <paramref name="session"/>'s unit of work, if it is still as it was found. Who followed the stream
    /// before is told by an event of its own; who reads on from the database sees the new facts. Only for followers that know of it (<c>isRewritten</c>).
    /// </summary>
    /// <returns>False when the event is another by now, or gone.</returns>
    public static async ValueTask<bool> RewriteAsync(DbSession session, long streamId, StoredEvent found, byte[] facts)
    {
        var old = found.Event.Data.ToArray();
        if (await session.ExecuteAsync("UPDATE event SET data = $1 WHERE stream_id = $2 AND seq = $3 AND data = $4", facts, streamId, found.Seq, old) == 0)
        {
            return false;
        }

        await session.ExecuteAsync("UPDATE stream SET bytes = bytes + $1 WHERE id = $2", (long)(facts.Length - old.Length), streamId);
        return true;
    }

    /// <summary>Forgets the events before number <paramref name="floor"/>, some thousands at a time. Readers that still need them get a reset.</summary>
    public async Task PruneAsync(long streamId, long floor, CancellationToken cancellationToken)
    {
        while (await database.WriteAsync(session => PruneAsync(session, streamId, floor), cancellationToken) is not 0 and var reached && reached < floor)
        {
        }
    }

    /// <summary>Forgets all events of a stream that is about to be deleted.</summary>
    public async Task EmptyAsync(long streamId, CancellationToken cancellationToken)
    {
        if (await FindAsync(streamId, cancellationToken) is { } stream)
        {
            await PruneAsync(streamId, stream.NextSeq, cancellationToken);
        }
    }

    /// <summary>Deletes a stream that was emptied, with what was appended since, as part of <paramref name="session"/>'s unit of work.</summary>
    public static async ValueTask RemoveAsync(DbSession session, long streamId)
    {
        // Its row is locked first: who appends comes before, and is seen, or finds no stream.
        await session.ExecuteAsync("DELETE FROM stream WHERE id = $1", streamId);
        await session.ExecuteAsync("DELETE FROM event WHERE stream_id = $1", streamId);
    }

    /// <returns>The stream's new floor; 0 when there was nothing to forget.</returns>
    private static async ValueTask<long> PruneAsync(DbSession session, long streamId, long floor)
    {
        var reached = await session.QueryFirstAsync(
            """
            UPDATE stream SET floor_seq = CASE WHEN floor_seq + $3 < $2 THEN floor_seq + $3 ELSE $2 END
            WHERE id = $1 AND floor_seq < $2 AND next_seq >= $2 RETURNING floor_seq
            """,
            static row => row.GetInt64(0),
            streamId,
            floor,
            PruneEvents);
        if (reached != 0)
        {
            await session.ExecuteAsync("DELETE FROM event WHERE stream_id = $1 AND seq < $2", streamId, reached);
        }

        return reached;
    }

    private static StreamInfo Map(System.Data.Common.DbDataReader row) =>
        new(row.GetInt64(0), row.GetString(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4), row.GetBoolean(5));

    private sealed class LastAppends
    {
        public SortedDictionary<string, List<StreamEvent>> ByName { get; } = new(StringComparer.Ordinal);
    }
}
