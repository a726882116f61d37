using System.Threading.Channels;
using Lintel.Platform.Storage;

namespace Lintel.Features.Streams;

/// <summary>
/// Keeps the feeds of this node up to date with what other nodes append: at once on a hint, and every two seconds without one, so that a lost hint costs
/// time and nothing else. On SQLite there is no other node and no work.
/// </summary>
internal sealed partial class StreamFeedWorker(Database database, StreamFeeds feeds, TimeProvider time, ILogger<StreamFeedWorker> logger) : BackgroundService
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(2);

    // A hint that finds no room is no loss: the next poll looks at every feed.
    private readonly Channel<long> _hinted = Channel.CreateBounded<long>(new BoundedChannelOptions(1024) { FullMode = BoundedChannelFullMode.DropWrite });

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (database.Kind == DatabaseKind.Sqlite)
        {
            return;
        }

        feeds.OnHint(feed => _hinted.Writer.TryWrite(feed.StreamId));
        await Task.WhenAll(FollowHintsAsync(stoppingToken), PollAsync(stoppingToken));
    }

    private async Task FollowHintsAsync(CancellationToken stoppingToken)
    {
        var ids = new HashSet<long>();
        while (await _hinted.Reader.WaitToReadAsync(stoppingToken))
        {
            ids.Clear();
            while (_hinted.Reader.TryRead(out var id))
            {
                ids.Add(id);
            }

            await RefreshAsync([.. ids], stoppingToken);
        }
    }

    private async Task PollAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(PollInterval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            await RefreshAsync([.. feeds.All.Select(static feed => feed.StreamId)], stoppingToken);
        }
    }

    private async Task RefreshAsync(long[] ids, CancellationToken stoppingToken)
    {
        if (ids.Length == 0)
        {
            return;
        }

        try
        {
            var ends = await database.ReadAsync(
                session => session.QueryAsync(
                    "SELECT id, next_seq, closed FROM stream WHERE id = ANY($1)",
                    static row => (Id: row.GetInt64(0), NextSeq: row.GetInt64(1), Closed: row.GetBoolean(2)),
                    ids),
                stoppingToken);
            foreach (var end in ends)
            {
                feeds.Find(end.Id)?.Observe(end.NextSeq - 1, end.Closed);
            }
        }
        catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
        {
            // Whatever it was, followers on this node must not wait for ever: the next poll tries again.
            Log.Unavailable(logger, failure.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "The ends of the followed streams could not be read: {Reason}")]
        public static partial void Unavailable(ILogger logger, string reason);
    }
}
