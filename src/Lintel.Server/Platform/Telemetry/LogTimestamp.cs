namespace Lintel.Platform.Telemetry;

/// <summary>Formats instants as <c>2026-01-31T12:00:00.123456Z</c>; lines of the same second share its text.</summary>
internal sealed class LogTimestamp
{
    private const int SecondLength = 19;
    private const int Digits = 6;

    private readonly byte[] _text = "0000-00-00T00:00:00.000000Z"u8.ToArray();
    private long _second = -1;

    /// <summary>The text is good until the next call.</summary>
    public ReadOnlySpan<byte> Format(DateTimeOffset instant)
    {
        var ticks = instant.UtcTicks;
        var second = ticks / TimeSpan.TicksPerSecond;
        if (second != _second)
        {
            new DateTime(second * TimeSpan.TicksPerSecond, DateTimeKind.Utc).TryFormat(_text.AsSpan(0, SecondLength), out _, "s", null);
            _second = second;
        }

        var micros = (int)(ticks % TimeSpan.TicksPerSecond / TimeSpan.TicksPerMicrosecond);
        for (var i = SecondLength + Digits; i > SecondLength; i--)
        {
            (micros, var digit) = Math.DivRem(micros, 10);
            _text[i] = (byte)('0' + digit);
        }

        return _text;
    }
}
