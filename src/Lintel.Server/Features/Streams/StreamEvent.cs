using System.Buffers;
using Lintel.Platform.Sockets;

namespace Lintel.Features.Streams;

/// <summary>One event of a stream: what kind it is, and its facts as one JSON object in UTF-8 without line breaks.</summary>
internal readonly record struct StreamEvent(string Kind, ReadOnlyMemory<byte> Data)
{
    private const int MaxKindLength = 64;

    private static readonly SearchValues<char> KindCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789_-.");

    public static long CountBytes(StreamEvent[] events)
    {
        var bytes = 0L;
        foreach (var item in events)
        {
            bytes += item.Data.Length;
        }

        return bytes;
    }

    /// <summary>True for what may be a kind: it is written into messages as it is.</summary>
    public static bool IsKind(string kind) => kind.Length is > 0 and <= MaxKindLength && !kind.AsSpan().ContainsAnyExcept(KindCharacters);
}

/// <summary>An event as it is kept.</summary>
internal sealed record StoredEvent(long Seq, DateTimeOffset At, StreamEvent Event);

/// <summary>Events that follow each other without a hole. Immutable, and shared by everyone who follows the stream.</summary>
/// <param name="FirstSeq">The number of the first event.</param>
internal sealed record EventBatch(long FirstSeq, StreamEvent[] Events)
{
    public long LastSeq => FirstSeq + Events.Length - 1;

    public int Bytes { get; } = (int)StreamEvent.CountBytes(Events);

    private SocketFrames? _frames;

    /// <summary>The events as messages of sockets, encoded by the first follower that needs them.</summary>
    public SocketFrames ToFrames(StreamInfo stream) =>
        _frames ??= SocketFrames.Encode(
            Events.Length, (Batch: this, Stream: stream), static (buffer, it, i) => StreamText.WriteMessage(buffer, it.Stream, it.Batch.FirstSeq + i, it.Batch.Events[i]));
}
