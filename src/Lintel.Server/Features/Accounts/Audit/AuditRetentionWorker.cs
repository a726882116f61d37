using Lintel.Features.Streams;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.Audit;

/// <summary>Forgets what happened to accounts longer ago than it is to be kept. Nothing else ever removes an entry.</summary>
internal sealed class AuditRetentionWorker(Database database, StreamLog log, AuditOptions options, TimeProvider time, ILogger<AuditRetentionWorker> logger)
    : RetentionWorker(database, time, logger, "Old account events")
{
    private const long BatchSize = 200;

    // It goes through the streams of all accounts.
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    // Events are numbered in the order of their time, but for clocks of several nodes that differ by a little. The first event that is young enough tells where to stop.
    private const string TooOld =
        """
        SELECT s.id, coalesce((SELECT young.seq FROM event young WHERE young.stream_id = s.id AND young.at >= $1 ORDER BY young.seq LIMIT 1), s.next_seq)
        FROM stream s JOIN event e ON e.stream_id = s.id AND e.seq = s.floor_seq
        WHERE s.id > $2 AND (s.name = 'accounts.audit' OR s.name LIKE 'accounts.activity.%') AND e.at < $1 ORDER BY s.id LIMIT $3
        """;

    private DateTimeOffset _nextAt;

    public override async Task ForgetAsync(CancellationToken cancellationToken)
    {
        var now = Time.GetUtcNow();
        if (now < _nextAt)
        {
            return;
        }

        List<(long Id, long Floor)> found;
        var last = 0L;
        do
        {
            found = await Database.ReadAsync(
                session => session.QueryAsync(TooOld, static row => (row.GetInt64(0), row.GetInt64(1)), (now - options.Retention).ToMicroseconds(), last, BatchSize),
                cancellationToken);
            foreach (var (id, floor) in found)
            {
                await log.PruneAsync(id, floor, cancellationToken);
                last = id;
            }
        }
        while (found.Count == BatchSize);

        _nextAt = now + Interval;
    }
}
