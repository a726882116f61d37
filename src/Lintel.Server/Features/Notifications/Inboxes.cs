using System.Globalization;
using Lintel.Features.Streams;
using Lintel.Platform.Storage;

namespace Lintel.Features.Notifications;

/// <summary>An inbox as the database has it at one moment.</summary>
internal sealed record Inbox(StreamInfo Stream, long ReadSeq)
{
    public long Unread => Stream.Tail - Math.Max(ReadSeq, Stream.FloorSeq - 1);
}

/// <summary>What people are told: one stream a person, which their open connections follow.</summary>
internal sealed class Inboxes(Database database, StreamLog log)
{
    /// <summary>Tells a person something, as part of <paramref name="session"/>'s unit of work; open connections hear of it after its commit.</summary>
    /// <param name="kind">One of the kinds that a feature registered.</param>
    /// <param name="facts">One JSON object in UTF-8.</param>
    public async ValueTask AddAsync(DbSession session, long userId, string kind, byte[] facts) =>
        await log.AppendAsync(session, await GetStreamAsync(session, userId), [new StreamEvent(kind, facts)]);

    /// <summary>A person's inbox, which is made when it is first asked for.</summary>
    public async Task<Inbox> GetAsync(long userId, CancellationToken cancellationToken)
    {
        if (await FindAsync(userId, cancellationToken) is { } inbox)
        {
            return inbox;
        }

        await database.WriteAsync(async session => { await GetStreamAsync(session, userId); }, cancellationToken);
        return await FindAsync(userId, cancellationToken) ?? throw new InvalidOperationException($"The inbox of account {userId} is gone.");
    }

    /// <summary>Marks everything up to that number as read; what was read stays so.</summary>
    public Task MarkReadAsync(long userId, long seq, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async session => { await session.ExecuteAsync("UPDATE inbox SET read_seq = $2 WHERE user_id = $1 AND read_seq < $2", userId, seq); },
            cancellationToken);

    private Task<Inbox?> FindAsync(long userId, CancellationToken cancellationToken) =>
        database.ReadAsync(
            session => session.QueryFirstAsync(
                """
                SELECT s.id, s.name, s.epoch, s.next_seq, s.floor_seq, s.closed, i.read_seq
                FROM inbox i JOIN stream s ON s.id = i.stream_id WHERE i.user_id = $1
                """,
                static row => new Inbox(
                    new StreamInfo(row.GetInt64(0), row.GetString(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4), row.GetBoolean(5)), row.GetInt64(6)),
                userId),
            cancellationToken);

    private async ValueTask<long> GetStreamAsync(DbSession session, long userId)
    {
        var known = await session.QueryFirstAsync("SELECT stream_id FROM inbox WHERE user_id = $1", static row => row.GetInt64(0), userId);
        if (known != 0)
        {
            return known;
        }

        var made = await log.GetOrCreateAsync(session, string.Create(CultureInfo.InvariantCulture, $"inbox-{userId}"));
        await session.ExecuteAsync("INSERT INTO inbox (user_id, stream_id) VALUES ($1, $2) ON CONFLICT DO NOTHING", userId, made);
        return made;
    }
}
