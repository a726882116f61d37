namespace Lintel.Platform.Storage;

/// <summary>Instants as both databases store them: unix microseconds in a 64-bit integer.</summary>
internal static class Instant
{
    public const long Second = 1_000_000;

    public static long ToMicroseconds(this DateTimeOffset instant) =>
        (instant.UtcTicks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;

    public static DateTimeOffset FromMicroseconds(long microseconds) =>
        DateTimeOffset.UnixEpoch.AddTicks(microseconds * TimeSpan.TicksPerMicrosecond);

    public static long GetMicroseconds(this TimeProvider time) => time.GetUtcNow().ToMicroseconds();
}
