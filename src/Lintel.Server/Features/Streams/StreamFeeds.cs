using System.Collections.Concurrent;
using System.Globalization;
using Lintel.Platform.Storage;

namespace Lintel.Features.Streams;

/// <summary>The feeds of the streams that are followed on this node.</summary>
internal sealed class StreamFeeds(Hints hints)
{
    private const string Topic = "stream";

    private readonly ConcurrentDictionary<long, StreamFeed> _feeds = new();
    private readonly Lock _gate = new();

    public IEnumerable<StreamFeed> All => _feeds.Values;

    /// <summary>Starts to watch a stream. Whoever watches must do so before reading, so that nothing falls between, and must release it.</summary>
    public StreamFeed Watch(long streamId)
    {
        lock (_gate)
        {
            var feed = _feeds.GetOrAdd(streamId, static id => new StreamFeed(id));
            feed.Users++;
            return feed;
        }
    }

    public void Release(StreamFeed feed)
    {
        lock (_gate)
        {
            if (--feed.Users == 0)
            {
                _feeds.TryRemove(feed.StreamId, out _);
            }
        }
    }

    public StreamFeed? Find(long streamId) => _feeds.GetValueOrDefault(streamId);

    /// <summary>Tells followers here, and hints to other nodes, that events are durable.</summary>
    public void Publish(long streamId, EventBatch batch, bool closed)
    {
        if (_feeds.TryGetValue(streamId, out var feed))
        {
            feed.Publish(batch, closed);
        }

        hints.Send(Topic, streamId.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>Calls <paramref name="changed"/> for a stream that is followed here when another node may have appended to it.</summary>
    public void OnHint(Action<StreamFeed> changed) =>
        hints.Subscribe(Topic, value =>
        {
            if (long.TryParse(value, CultureInfo.InvariantCulture, out var id) && Find(id) is { } feed)
            {
                changed(feed);
            }
        });
}
