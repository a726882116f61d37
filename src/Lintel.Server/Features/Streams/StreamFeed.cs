using Lintel.Platform.Threading;

namespace Lintel.Features.Streams;

/// <summary>
/// What this node knows of a stream that someone here follows: how far it goes, and its newest events. It exists only while it is followed.
/// Followers hold a position, never a queue: one that is behind the events kept here reads them from the database.
/// </summary>
internal sealed class StreamFeed(long streamId)
{
    private const int MaxBatches = 512;
    private const int MaxBytes = 1024 * 1024;

    private readonly Lock _gate = new();
    private readonly List<AsyncSignal> _followers = [];
    private readonly List<EventBatch> _recent = [];
    private int _recentBytes;
    private long _tail;
    private bool _closed;
    private long _readingAfter = -1;
    private Task<EventBatch?>? _reading;

    public long StreamId => streamId;

    /// <summary>How many hold the feed; guarded by <see cref="StreamFeeds"/>.</summary>
    public int Users { get; set; }

    /// <summary>The last event known to be durable, and whether it is the stream's last for good.</summary>
    public (long Tail, bool Closed) End
    {
        get
        {
            lock (_gate)
            {
                return (_tail, _closed);
            }
        }
    }

    public void Join(AsyncSignal follower)
    {
        lock (_gate)
        {
            _followers.Add(follower);
        }
    }

    public void Leave(AsyncSignal follower)
    {
        lock (_gate)
        {
            var index = _followers.IndexOf(follower);
            _followers[index] = _followers[^1];
            _followers.RemoveAt(_followers.Count - 1);
        }
    }

    /// <summary>Takes durable events that this node appended.</summary>
    public void Publish(EventBatch batch, bool closed)
    {
        lock (_gate)
        {
            // On PostgreSQL appends may be told of in another order than they were committed in; one that is late is read from the database.
            if (batch.LastSeq > _tail)
            {
                KeepLocked(batch);
                _tail = batch.LastSeq;
            }

            // A stream may be closed without a last event.
            _closed |= closed;
            WakeLocked();
        }
    }

    /// <summary>Takes the stream's end as it was read from the database: another node may have appended.</summary>
    public void Observe(long tail, bool closed)
    {
        lock (_gate)
        {
            if (tail > _tail || (closed && !_closed))
            {
                _tail = Math.Max(tail, _tail);
                _closed |= closed;
                WakeLocked();
            }
        }
    }

    /// <summary>Finds event <paramref name="seq"/> among those kept here.</summary>
    /// <returns>The batch that holds it and its place there; null when it must be read from the database.</returns>
    public (EventBatch Batch, int Index)? Find(long seq)
    {
        lock (_gate)
        {
            int low = 0, high = _recent.Count - 1;
            while (low <= high)
            {
                var middle = (low + high) / 2;
                var batch = _recent[middle];
                if (seq < batch.FirstSeq)
                {
                    high = middle - 1;
                }
                else if (seq > batch.LastSeq)
                {
                    low = middle + 1;
                }
                else
                {
                    return (batch, (int)(seq - batch.FirstSeq));
                }
            }

            return null;
        }
    }

    /// <summary>Reads the page after <paramref name="after"/>; followers at the same place share one read.</summary>
    public Task<EventBatch?> ReadAsync(StreamLog log, long after)
    {
        lock (_gate)
        {
            if (_readingAfter == after && _reading is { IsCompleted: false })
            {
                return _reading;
            }

            _readingAfter = after;

            // Shared, so no one follower's leaving may cancel it.
            return _reading = log.ReadAsync(streamId, after, CancellationToken.None);
        }
    }

    private void KeepLocked(EventBatch batch)
    {
        // On PostgreSQL another node's events may lie between: those before them are of no more use.
        if (_recent.Count > 0 && _recent[^1].LastSeq + 1 != batch.FirstSeq)
        {
            _recent.Clear();
            _recentBytes = 0;
        }

        _recent.Add(batch);
        _recentBytes += batch.Bytes;
        var excess = 0;
        while (excess < _recent.Count - 1 && (_recent.Count - excess > MaxBatches || _recentBytes > MaxBytes))
        {
            _recentBytes -= _recent[excess++].Bytes;
        }

        _recent.RemoveRange(0, excess);
    }

    private void WakeLocked()
    {
        foreach (var follower in _followers)
        {
            follower.Set();
        }
    }
}
