using System.Globalization;
using Microsoft.Extensions.Primitives;

namespace Lintel.Features.Streams;

/// <summary>
/// A place in a stream: just after event <paramref name="Seq"/>. Written <c>name.epoch.seq</c>, which is every event's id;
/// to clients it is opaque. The epoch tells a stream from an earlier one of the same name.
/// </summary>
internal readonly record struct StreamCursor(string Stream, long Epoch, long Seq)
{
    // No stream has so long a name; anything longer is not a cursor of ours.
    private const int MaxLength = 256;

    /// <summary>The cursor that a request resumes from, as it was sent; the header wins over <c>?after=</c>.</summary>
    public static string? Of(HttpRequest request)
    {
        var header = request.Headers["Last-Event-ID"];
        if (!StringValues.IsNullOrEmpty(header))
        {
            return header.ToString();
        }

        return request.Query.TryGetValue("after", out var after) && after.ToString() is { Length: > 0 } text ? text : null;
    }

    public static bool TryParse(string? text, out StreamCursor cursor)
    {
        cursor = default;
        if (text is null || text.Length > MaxLength)
        {
            return false;
        }

        var last = text.LastIndexOf('.');
        var middle = last > 0 ? text.LastIndexOf('.', last - 1) : -1;
        if (middle < 1
            || !long.TryParse(text.AsSpan(middle + 1, last - middle - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var epoch)
            || !long.TryParse(text.AsSpan(last + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var seq))
        {
            return false;
        }

        cursor = new StreamCursor(text[..middle], epoch, seq);
        return true;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Stream}.{Epoch}.{Seq}");
}
