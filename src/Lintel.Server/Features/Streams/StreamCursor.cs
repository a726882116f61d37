using System.Globalization;

namespace Lintel.Features.Streams;

/// <summary>
/// A place in a stream: just after event <paramref name="Seq"/>. Written <c>name.epoch.seq</c>, which is every event's id;
/// to clients it is opaque. The epoch tells a stream from an earlier one of the same name.
/// </summary>
internal readonly record struct StreamCursor(string Stream, long Epoch, long Seq)
{
    // No stream has so long a name; anything longer is not a cursor of ours.
    private const int MaxLength = 256;

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
