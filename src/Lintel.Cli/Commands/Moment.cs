using System.Globalization;

namespace Lintel.Cli.Commands;

/// <summary>Instants, as people write and read them.</summary>
internal static class Moment
{
    public static string Of(DateTimeOffset instant) => instant.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    public static DateTimeOffset? Parse(string? text) => text switch
    {
        null => null,
        _ when DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var instant) => instant.ToUniversalTime(),
        _ => throw new CommandException(ExitCode.Usage, $"'{text}' is no date; write it as 2027-01-31 or 2027-01-31T12:00:00Z."),
    };
}
