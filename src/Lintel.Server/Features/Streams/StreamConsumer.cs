using Lintel.Platform.Storage;
using Lintel.Platform.Threading;

namespace Lintel.Features.Streams;

/// <summary>Lets a part of the server itself follow a stream by name, from its end: what happens from now on, on any node.</summary>
internal sealed class StreamConsumer(Database database, StreamLog log, StreamFollower follower)
{
    /// <summary>Calls <paramref name="handle"/> for each event appended after the call, in order, until it is cancelled.</summary>
    /// <param name="ready">Called once the position is taken: what was appended before it is not going to be handled.</param>
    public async Task RunAsync(string name, Action<StreamEvent> handle, Action ready, CancellationToken cancellationToken)
    {
        var id = await database.WriteAsync(session => log.GetOrCreateAsync(session, name), cancellationToken);
        var sink = new Sink(handle, cancellationToken);
        using var cancelled = cancellationToken.UnsafeRegister(static state => ((AsyncSignal)state!).Set(), sink.Signal);
        var stream = await log.FindAsync(id, cancellationToken) ?? throw new InvalidOperationException($"The stream {name} is gone.");
        ready();
        while (!cancellationToken.IsCancellationRequested)
        {
            // Fell behind what is kept: the events in between are lost to this consumer, which goes on from the end.
            await follower.RunAsync(stream, sink.Last < 0 ? stream.Tail : sink.Last, sink);
            stream = await log.FindAsync(id, CancellationToken.None) ?? stream;
            sink.Last = stream.Tail;
        }
    }

    private sealed class Sink(Action<StreamEvent> handle, CancellationToken cancellationToken) : IFollowSink
    {
        public AsyncSignal Signal { get; } = new();

        public bool IsEnding => cancellationToken.IsCancellationRequested;

        public long Last { get; set; } = -1;

        public ValueTask WriteAsync(StreamInfo stream, EventBatch batch, int index)
        {
            for (var i = index; i < batch.Events.Length; i++)
            {
                handle(batch.Events[i]);
            }

            Last = batch.LastSeq;
            return ValueTask.CompletedTask;
        }

        public ValueTask ResetAsync(StreamInfo stream, ResetReason reason) => ValueTask.CompletedTask;

        public ValueTask CompleteAsync() => ValueTask.CompletedTask;

        // Whoever runs the consumer gets the exception.
        public void Break()
        {
        }

        public ValueTask IdleAsync() => ValueTask.CompletedTask;
    }
}
