using System.Globalization;

namespace Lintel.Features.Streams;

/// <summary>A stream as the database has it at one moment.</summary>
/// <param name="NextSeq">The number that the next event will get; the last one has one less.</param>
/// <param name="FloorSeq">The first event that is still kept.</param>
internal sealed record StreamInfo(long Id, string Name, long Epoch, long NextSeq, long FloorSeq, bool Closed)
{
    /// <summary>Stands for a stream that does not exist.</summary>
    public static readonly StreamInfo None = new(0, "", 0, 1, 1, Closed: true);

    public long Tail => NextSeq - 1;

    public string IdOf(long seq) => new StreamCursor(Name, Epoch, seq).ToString();

    /// <summary>Where a reader with this cursor begins, or why it must start again.</summary>
    public (long After, ResetReason? Reset) Position(string? cursor)
    {
        if (cursor is null)
        {
            // From the start; of a stream whose beginning is no longer kept, from what is.
            return (FloorSeq - 1, null);
        }

        // A bare number is a position in the stream as it is now.
        var known = long.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out var seq)
            ? new StreamCursor(Name, Epoch, seq)
            : StreamCursor.TryParse(cursor, out var parsed) ? parsed : default;
        return (known.Seq, Validate(known));
    }

    /// <summary>Where a reader that asks for <paramref name="cursor"/> stands, or why it must start again.</summary>
    public ResetReason? Validate(StreamCursor cursor)
    {
        if (cursor.Stream != Name)
        {
            return ResetReason.Unknown;
        }

        if (cursor.Epoch != Epoch)
        {
            return ResetReason.Epoch;
        }

        if (cursor.Seq > Tail)
        {
            return ResetReason.TooNew;
        }

        return cursor.Seq < FloorSeq - 1 ? ResetReason.TooOld : null;
    }
}

/// <summary>Why a reader cannot go on from where it was.</summary>
internal enum ResetReason
{
    /// <summary>The events after the cursor are no longer kept.</summary>
    TooOld,

    /// <summary>The cursor is past the end.</summary>
    TooNew,

    /// <summary>The cursor belongs to an earlier life of the stream.</summary>
    Epoch,

    /// <summary>The cursor is not one of this stream's.</summary>
    Unknown,
}
