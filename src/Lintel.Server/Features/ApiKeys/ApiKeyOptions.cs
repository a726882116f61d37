using Lintel.Platform.Configuration;

namespace Lintel.Features.ApiKeys;

/// <summary>The one static key for machine clients, and the bounds of those that people make. A class, not a record: nothing may print it.</summary>
internal sealed class ApiKeyOptions
{
    /// <summary>Null when there is none.</summary>
    public required string? StaticKey { get; init; }

    /// <summary>Keys that one account may have.</summary>
    public required int MaxPerAccount { get; init; }

    /// <summary>The most that a key's own rate limit may be.</summary>
    public required int MaxRateLimit { get; init; }

    public static ApiKeyOptions Read(SettingsReader settings)
    {
        var key = settings.Text("API_KEY");
        if (key is not null && !key.All(static c => c is > ' ' and < (char)127))
        {
            settings.Refuse("API_KEY", "must be printable ASCII without blanks, since clients send it in a header");
        }

        return new()
        {
            StaticKey = key,
            MaxPerAccount = settings.Number("API_KEYS_PER_ACCOUNT", 50, 1, 1000),

            // By default a key may ask for less than everybody has, and not for more.
            MaxRateLimit = settings.Number("API_KEY_RATE_LIMIT_MAX", RateLimitOptions.Read(settings).Requests, 1, 1_000_000_000),
        };
    }
}
