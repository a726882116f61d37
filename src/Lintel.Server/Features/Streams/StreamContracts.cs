using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Lintel.Features.Streams;

/// <summary>The position that was asked for cannot be served, and nothing follows: start again without a position.</summary>
/// <param name="Reason">
/// <c>too_old</c>: the events after it are no longer kept; <c>too_new</c>: it is past the end; <c>epoch</c>: it is from before the data was restored from a backup;
/// <c>unknown</c>: it is none of this stream's.
/// </param>
/// <param name="Floor">The number of the first event that is kept.</param>
/// <param name="Tail">The number of the last event.</param>
/// <example>{"reason":"too_old","floor":501,"tail":2002}</example>
public sealed record StreamReset(
    [property: AllowedValues(StreamReset.TooOld, StreamReset.TooNew, StreamReset.Epoch, StreamReset.Unknown)] string Reason, long Floor, long Tail)
{
    internal const string EventName = "reset";
    internal const string TooOld = "too_old";
    internal const string TooNew = "too_new";
    internal const string Epoch = "epoch";
    internal const string Unknown = "unknown";

    internal static StreamReset From(StreamInfo stream, ResetReason reason) => new(NameOf(reason), stream.FloorSeq, stream.Tail);

    private static string NameOf(ResetReason reason) => reason switch
    {
        ResetReason.TooOld => TooOld,
        ResetReason.TooNew => TooNew,
        ResetReason.Epoch => Epoch,
        _ => Unknown,
    };
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(StreamReset))]
internal sealed partial class StreamsJson : JsonSerializerContext;
