using System.Globalization;

namespace Lintel.Bench.Reporting;

/// <summary>Numbers as the report writes them.</summary>
internal static class Show
{
    public static string Rate(double perSecond) => string.Create(CultureInfo.InvariantCulture, $"{perSecond:N0}/s");

    public static string Milliseconds(double milliseconds) =>
        milliseconds < 10
            ? string.Create(CultureInfo.InvariantCulture, $"{milliseconds:0.000} ms")
            : string.Create(CultureInfo.InvariantCulture, $"{milliseconds:N0} ms");

    public static string Microseconds(double microseconds) => string.Create(CultureInfo.InvariantCulture, $"{microseconds:0.0} us");

    public static string Seconds(double seconds) => string.Create(CultureInfo.InvariantCulture, $"{seconds:0.000} s");

    public static string Kilobytes(double bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024:0.0} KB");

    public static string Megabytes(double bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024 / 1024:0} MB");

    public static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{share * 100:0} %");

    public static string Times(double factor) => string.Create(CultureInfo.InvariantCulture, $"{factor:0.00} x");

    public static string Count(double count) => string.Create(CultureInfo.InvariantCulture, $"{count:N0}");
}
