using Lintel.Features.Streams;
using Lintel.Platform.Storage;

namespace Lintel.Features.Chat;

/// <summary>Forgets what is too old or too much of rooms' histories, and all of rooms that were deleted, with their owner's account or without.</summary>
internal sealed class ChatRetentionWorker(
    Database database, StreamLog log, OrphanStreams orphans, Lobby lobby, ChatOptions options, TimeProvider time, ILogger<ChatRetentionWorker> logger)
    : RetentionWorker(database, time, logger, "Old chat messages")
{
    private const long BatchSize = 200;
    private const int LobbyKept = 1000;

    private const string TooMany =
        "SELECT s.id, s.next_seq - $1 FROM room r JOIN stream s ON s.id = r.stream_id WHERE s.next_seq - s.floor_seq > $1 ORDER BY s.id LIMIT $2";

    // Events are numbered in the order of their time, but for clocks of several nodes that differ by a little.
    private const string TooOld =
        """
        SELECT s.id, (SELECT max(old.seq) + 1 FROM event old WHERE old.stream_id = s.id AND old.at < $1)
        FROM room r JOIN stream s ON s.id = r.stream_id JOIN event e ON e.stream_id = s.id AND e.seq = s.floor_seq WHERE e.at < $1 ORDER BY s.id LIMIT $2
        """;

    public override async Task ForgetAsync(CancellationToken cancellationToken)
    {
        await PruneAsync(TooMany, options.HistoryMessages, cancellationToken);
        await PruneAsync(TooOld, (Time.GetUtcNow() - options.HistoryAge).ToMicroseconds(), cancellationToken);
        await lobby.ForgetAsync(LobbyKept, cancellationToken);
        await orphans.ForgetAsync("room-", "room", cancellationToken);
        await ForgetAsync("DELETE FROM room_mute WHERE (room_id, user_id) IN (SELECT room_id, user_id FROM room_mute WHERE until < $1 LIMIT $2)", Time.GetUtcNow(), cancellationToken);
    }

    private async Task PruneAsync(string query, long limit, CancellationToken cancellationToken)
    {
        List<(long Id, long Floor)> found;
        do
        {
            found = await Database.ReadAsync(
                session => session.QueryAsync(query, static row => (row.GetInt64(0), row.GetInt64(1)), limit, BatchSize), cancellationToken);
            foreach (var (id, floor) in found)
            {
                await log.PruneAsync(id, floor, cancellationToken);
            }
        }
        while (found.Count == BatchSize);
    }
}
