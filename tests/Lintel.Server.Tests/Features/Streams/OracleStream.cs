namespace Lintel.Features.Streams;

/// <summary>A stream as it ought to be: a list.</summary>
internal sealed class OracleStream(long id, string name)
{
    public long Id => id;

    public string Name => name;

    public List<string> Events { get; } = [];

    public long Tail => Events.Count;

    /// <summary>The first event that is still kept.</summary>
    public long Floor { get; set; } = 1;

    public bool IsClosed { get; set; }

    public long Fence { get; set; }

    /// <summary>What a reader who comes with a cursor must be told; null when it may go on from there.</summary>
    public ResetReason? Expect(StreamCursor cursor, long epoch)
    {
        if (cursor.Stream != Name)
        {
            return ResetReason.Unknown;
        }

        if (cursor.Epoch != epoch)
        {
            return ResetReason.Epoch;
        }

        // Events 1 to Seq were seen, so Seq + 1 must still be kept or be the next to come.
        if (cursor.Seq > Tail)
        {
            return ResetReason.TooNew;
        }

        return cursor.Seq + 1 < Floor ? ResetReason.TooOld : null;
    }
}
