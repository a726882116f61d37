using Lintel.Platform.Configuration;

namespace Lintel.Features.Accounts.Credentials;

/// <summary>How access tokens are signed. Refresh tokens, which nobody but this server reads, are HS256 in any case.</summary>
internal enum SigningAlgorithm
{
    /// <summary>With <c>SECRET_KEY</c>.</summary>
    HS256,

    /// <summary>With a key of the database, whose public half is at <c>/.well-known/jwks.json</c>.</summary>
    ES256,
}

/// <summary>How access and refresh tokens are signed and how long they live. A class, not a record: nothing may print the key.</summary>
internal sealed class TokenOptions
{
    /// <summary>The key that signs, at least 32 bytes.</summary>
    public required byte[] SecretKey { get; init; }

    /// <summary>The key of before, whose tokens are still taken.</summary>
    public byte[]? PreviousSecretKey { get; init; }

    public required SigningAlgorithm Algorithm { get; init; }

    /// <summary>How long a key of ES256 signs.</summary>
    public required TimeSpan SigningKeyPeriod { get; init; }

    public required TimeSpan AccessTokenLifetime { get; init; }

    public required TimeSpan RefreshTokenLifetime { get; init; }

    public static TokenOptions Read(SettingsReader settings)
    {
        var secret = Platform.Configuration.SecretKey.Read(settings);
        return new()
        {
            SecretKey = secret.Bytes,
            PreviousSecretKey = secret.Previous?.Bytes,
            Algorithm = settings.Choice("ALGORITHM", SigningAlgorithm.HS256, ("HS256", SigningAlgorithm.HS256), ("ES256", SigningAlgorithm.ES256)),
            SigningKeyPeriod = TimeSpan.FromDays(settings.Number("SIGNING_KEY_DAYS", 30, 1, 365)),
            AccessTokenLifetime = TimeSpan.FromMinutes(settings.Number("ACCESS_TOKEN_EXPIRE_MINUTES", 15, 1, 1440)),
            RefreshTokenLifetime = TimeSpan.FromDays(settings.Number("REFRESH_TOKEN_EXPIRE_DAYS", 7, 1, 365)),
        };
    }
}
