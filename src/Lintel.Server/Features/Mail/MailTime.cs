using System.Globalization;

namespace Lintel.Features.Mail;

/// <summary>Moments as mail tells them.</summary>
internal static class MailTime
{
    /// <summary>Such as <c>31 January 2026, 12:00 UTC</c>: nobody knows where its reader is.</summary>
    public static string ToText(DateTimeOffset moment) => moment.UtcDateTime.ToString("d MMMM yyyy, HH:mm 'UTC'", CultureInfo.InvariantCulture);
}
