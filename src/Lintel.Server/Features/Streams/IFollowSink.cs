using Lintel.Platform.Threading;

namespace Lintel.Features.Streams;

/// <summary>Where a follow loop writes to: Server-Sent Events or a WebSocket.</summary>
internal interface IFollowSink
{
    /// <summary>What the loop sleeps on. It is set for new events, for a heartbeat that is due, and when the connection ends.</summary>
    AsyncSignal Signal { get; }

    /// <summary>True once the connection is over or about to be.</summary>
    bool IsEnding { get; }

    /// <summary>Writes the batch's events from <paramref name="index"/> on, and waits until the transport takes more.</summary>
    ValueTask WriteAsync(StreamInfo stream, EventBatch batch, int index);

    /// <summary>Called when the stream is closed and every event of it was written.</summary>
    ValueTask CompleteAsync();

    /// <summary>Tells the reader that it must start again, which is the last that it hears.</summary>
    ValueTask ResetAsync(StreamInfo stream, ResetReason reason);

    /// <summary>Called when following failed: the reader must not go on waiting for what will not come. Must not throw.</summary>
    void Break();

    /// <summary>Called when the loop wakes with nothing to write.</summary>
    ValueTask IdleAsync();
}
