using Lintel.Features.Streams;
using Lintel.Platform.Storage;

namespace Lintel.Features.Notifications;

/// <summary>Forgets the oldest notifications of those who have more than are kept, and all of accounts that are gone.</summary>
internal sealed class NotificationRetentionWorker(
    Database database, StreamLog log, OrphanStreams orphans, NotificationOptions options, TimeProvider time, ILogger<NotificationRetentionWorker> logger)
    : RetentionWorker(database, time, logger, "Old notifications")
{
    private const long BatchSize = 200;

    public override async Task ForgetAsync(CancellationToken cancellationToken)
    {
        List<(long Id, long NextSeq)> full;
        do
        {
            full = await Database.ReadAsync(
                session => session.QueryAsync(
                    "SELECT s.id, s.next_seq FROM inbox i JOIN stream s ON s.id = i.stream_id WHERE s.next_seq - s.floor_seq > $1 LIMIT $2",
                    static row => (row.GetInt64(0), row.GetInt64(1)),
                    (long)options.Kept,
                    BatchSize),
                cancellationToken);
            foreach (var (id, nextSeq) in full)
            {
                await log.PruneAsync(id, nextSeq - options.Kept, cancellationToken);
            }
        }
        while (full.Count == BatchSize);

        await orphans.ForgetAsync("inbox-", "inbox", cancellationToken);
    }
}
