namespace Lintel.Platform.Configuration;

/// <summary>The default rate limit, so many requests in a window for one key, user or address, and the stricter ones of an address.</summary>
internal sealed class RateLimitOptions
{
    public required int Requests { get; init; }

    public required TimeSpan Window { get; init; }

    /// <summary>Failed sign-ins in a window.</summary>
    public required int SignIn { get; init; }

    /// <summary>New accounts in an hour.</summary>
    public required int Register { get; init; }

    /// <summary>Requests for account mail in an hour.</summary>
    public required int Email { get; init; }

    public static RateLimitOptions Read(SettingsReader settings) => new()
    {
        Requests = settings.Number("RATE_LIMIT_REQUESTS", 100, 1, 1_000_000_000),
        Window = TimeSpan.FromSeconds(settings.Number("RATE_LIMIT_WINDOW", 60, 1, 86_400)),
        SignIn = settings.Number("RATE_LIMIT_SIGN_IN", 20, 1, 1_000_000_000),
        Register = settings.Number("RATE_LIMIT_REGISTER", 20, 1, 1_000_000_000),
        Email = settings.Number("RATE_LIMIT_EMAIL", 20, 1, 1_000_000_000),
    };
}
