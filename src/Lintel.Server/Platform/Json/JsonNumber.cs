using System.Buffers.Text;

namespace Lintel.Platform.Json;

/// <summary>
/// Numbers for people and for comparison: at least seven significant digits, no tail of binary rounding, no trailing zeros.
/// Several times faster than shortest round-trip formatting, which is most of what encoding a result costs.
/// </summary>
internal static class JsonNumber
{
    /// <summary>Room that any number needs.</summary>
    public const int MaxLength = 32;

    // Below, the digits after the point no longer fit the scale; above, those before it.
    private const double Smallest = 1e-6;
    private const double Largest = 1e12;

    private static ReadOnlySpan<long> PowersOfTen =>
        [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000, 100_000_000_000, 1_000_000_000_000];

    /// <summary>Writes <paramref name="value"/>, or <c>null</c> when it is no finite number, for JSON has no other word for it.</summary>
    /// <returns>The number of bytes written.</returns>
    public static int Write(double value, Span<byte> destination)
    {
        if (!double.IsFinite(value))
        {
            "null"u8.CopyTo(destination);
            return 4;
        }

        var magnitude = Math.Abs(value);

        if (magnitude is > 0 and < Smallest or >= Largest)
        {
            Utf8Formatter.TryFormat(value, destination, out var length);
            return length;
        }

        var written = 0;

        if (value < 0)
        {
            destination[written++] = (byte)'-';
        }

        return written + WriteFixed(magnitude, Decimals(magnitude), destination[written..]);
    }

    private static int Decimals(double magnitude) => magnitude switch
    {
        >= 1_000 => 3,
        >= 100 => 4,
        >= 10 => 5,
        >= 1 => 6,
        >= 0.1 => 7,
        >= 0.01 => 8,
        >= 0.001 => 9,
        _ => 12,
    };

    private static int WriteFixed(double magnitude, int decimals, Span<byte> destination)
    {
        var scale = PowersOfTen[decimals];
        var scaled = (long)(magnitude * scale + 0.5);
        var whole = scaled / scale;
        var fraction = scaled - whole * scale;

        Utf8Formatter.TryFormat(whole, destination, out var written);

        if (fraction == 0)
        {
            return written;
        }

        destination[written] = (byte)'.';
        var digits = destination.Slice(written + 1, decimals);

        for (var i = decimals - 1; i >= 0; i--)
        {
            var rest = fraction / 10;
            digits[i] = (byte)('0' + (fraction - rest * 10));
            fraction = rest;
        }

        return written + 1 + digits.TrimEnd((byte)'0').Length;
    }
}
