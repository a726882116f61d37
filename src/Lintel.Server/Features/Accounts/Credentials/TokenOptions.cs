using Lintel.Platform.Configuration;

namespace Lintel.Features.Accounts.Credentials;

/// <summary>How access and refresh tokens are signed and how long they live. A class, not a record: nothing may print the key.</summary>
internal sealed class TokenOptions
{
    /// <summary>The key that signs, at least 32 bytes.</summary>
    public required byte[] SecretKey { get; init; }

    public required TimeSpan AccessTokenLifetime { get; init; }

    public required TimeSpan RefreshTokenLifetime { get; init; }

    public static TokenOptions Read(SettingsReader settings)
    {
        if (settings.Text("ALGORITHM") is { } algorithm && !algorithm.Equals("HS256", StringComparison.OrdinalIgnoreCase))
        {
            settings.Refuse("ALGORITHM", "must be HS256, the only one that this version signs with; remove the setting to use it");
        }

        return new()
        {
            SecretKey = Platform.Configuration.SecretKey.Read(settings).Bytes,
            AccessTokenLifetime = TimeSpan.FromMinutes(settings.Number("ACCESS_TOKEN_EXPIRE_MINUTES", 15, 1, 1440)),
            RefreshTokenLifetime = TimeSpan.FromDays(settings.Number("REFRESH_TOKEN_EXPIRE_DAYS", 7, 1, 365)),
        };
    }
}
