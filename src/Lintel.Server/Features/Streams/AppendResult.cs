namespace Lintel.Features.Streams;

/// <summary>What became of an append.</summary>
/// <param name="LastSeq">The number of the last event that was appended.</param>
/// <param name="Refused">Nothing was appended: the stream is closed, gone, or its lease has passed to another worker.</param>
internal readonly record struct AppendResult(long LastSeq, bool Refused)
{
    public static readonly AppendResult Refusal = new(0, true);
}
