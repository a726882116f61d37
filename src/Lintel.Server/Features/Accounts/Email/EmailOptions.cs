using Lintel.Platform.Configuration;

namespace Lintel.Features.Accounts.Email;

/// <summary>What a new account's address is asked for.</summary>
internal enum EmailVerification
{
    /// <summary>Nothing is mailed when an account is made.</summary>
    Off,

    /// <summary>A link is mailed, and whoever does not follow it may sign in all the same.</summary>
    Optional,

    /// <summary>A password signs nobody in whose address is not confirmed.</summary>
    Required,
}

internal sealed class EmailOptions
{
    /// <summary>How long a mailed sign-in code is good for.</summary>
    public static readonly TimeSpan CodeLifetime = TimeSpan.FromMinutes(10);

    public required EmailVerification Verification { get; init; }

    /// <summary>How long the links that confirm an address are good for.</summary>
    public required TimeSpan ConfirmationLifetime { get; init; }

    public required TimeSpan ResetLifetime { get; init; }

    /// <summary>Messages of one purpose that are mailed to one address in an hour because somebody asked, whoever that was.</summary>
    public required int RequestsPerHour { get; init; }

    public static EmailOptions Read(SettingsReader settings) => new()
    {
        Verification = settings.Choice(
            "EMAIL_VERIFICATION", EmailVerification.Optional, ("off", EmailVerification.Off), ("optional", EmailVerification.Optional), ("required", EmailVerification.Required)),
        ConfirmationLifetime = TimeSpan.FromHours(settings.Number("EMAIL_VERIFICATION_HOURS", 24, 1, 168)),
        ResetLifetime = TimeSpan.FromMinutes(settings.Number("PASSWORD_RESET_MINUTES", 30, 5, 1440)),
        RequestsPerHour = settings.Number("EMAIL_REQUESTS_PER_HOUR", 5, 1, 1_000_000),
    };
}
