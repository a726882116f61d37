using System.Globalization;
using System.Text.Json;
using Lintel.Features.Accounts.Keys;
using Lintel.Platform.Security;

namespace Lintel.Features.Accounts.Credentials;

/// <summary>
/// Tells whether a token is ours and what it says; whether it has expired or was revoked is for its user to find out. What kind of token is asked for decides which algorithm and which
/// keys are taken, and never the token itself.
/// </summary>
internal sealed class TokenReader(TokenOptions options, SigningKeys keys)
{
    public const int MaxLength = JsonWebSignature.MaxLength;

    private const string JwtType = "JWT";

    private readonly VerificationKey _secret = VerificationKey.OfSecret(options.SecretKey);
    private readonly VerificationKey? _previousSecret = options.PreviousSecretKey is { } previous ? VerificationKey.OfSecret(previous) : null;

    /// <returns>Null for whatever is not a token of that type which we signed.</returns>
    public TokenClaims? Read(string token, TokenType type) => Read(token, type, out _);

    /// <param name="lacksKey">True where the token names a key that this node does not know, and that another may have made a moment ago.</param>
    public TokenClaims? Read(string token, TokenType type, out bool lacksKey)
    {
        lacksKey = false;
        return JsonWebSignature.Parse(token) is { Type: JwtType } jws && IsOurs(jws, type, out lacksKey) && TryReadPayload(jws.Payload, out var claims) && claims.Type == type ? claims : null;
    }

    /// <summary>As <see cref="Read(string, TokenType)"/>; a key that this node does not know is looked for in the database first.</summary>
    public async ValueTask<TokenClaims?> ReadAsync(string token, TokenType type)
    {
        var claims = Read(token, type, out var lacksKey);
        if (!lacksKey)
        {
            return claims;
        }

        await keys.RefetchAsync();
        return Read(token, type);
    }

    /// <summary>The key is looked up once: one that comes to be known right after is looked for by whoever is told that it lacks.</summary>
    private bool IsOurs(JsonWebSignature jws, TokenType type, out bool lacksKey)
    {
        lacksKey = false;
        if (!IsAsymmetric(type))
        {
            return _secret.Verify(jws) || _previousSecret?.Verify(jws) == true;
        }

        var key = keys.Find(jws.KeyId);
        lacksKey = key is null && jws is { Algorithm: SigningKey.Algorithm, KeyId.Length: SigningKeys.IdLength, Signature.Length: SigningKey.SignatureLength };
        return key?.Verification.Verify(jws) == true;
    }

    private bool IsAsymmetric(TokenType type) => type == TokenType.Access && options.Algorithm == SigningAlgorithm.ES256;

    /// <summary>Strict, although the payload is signed: a key that is also used elsewhere must not make foreign tokens ours.</summary>
    private static bool TryReadPayload(ReadOnlySpan<byte> payload, out TokenClaims claims)
    {
        try
        {
            claims = ReadPayload(payload);
        }
        catch (Exception failure) when (failure is JsonException or FormatException or InvalidOperationException or OverflowException or ArgumentException)
        {
            claims = default;
            return false;
        }

        return claims is { AccountId: > 0, IssuedAt: > 0, ExpiresAt: > 0, Issuer: TokenSigner.Issuer, Audience: TokenSigner.Audience }
            && claims.ExpiresAt <= DateTimeOffset.MaxValue.ToUnixTimeSeconds()
            && claims.IssuedAt <= claims.ExpiresAt
            && claims.TokenId != default
            && claims.SessionId != default
            && (claims.Type == TokenType.Refresh ? claims.Generation > 0 : claims.Email is not null);
    }

    private static TokenClaims ReadPayload(ReadOnlySpan<byte> payload)
    {
        var json = new Utf8JsonReader(payload);
        var claims = default(TokenClaims);
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var name = json.GetString();
            json.Read();
            claims = name switch
            {
                "iss" => claims with { Issuer = json.GetString() },
                "aud" => claims with { Audience = json.GetString() },
                "sub" => claims with { AccountId = long.Parse(json.GetString()!, NumberStyles.None, CultureInfo.InvariantCulture) },
                "jti" => claims with { TokenId = json.GetGuid() },
                "type" => claims with { Type = json.GetString() switch { "access" => TokenType.Access, "refresh" => TokenType.Refresh, _ => TokenType.None } },
                "iat" => claims with { IssuedAt = json.GetInt64() },
                "exp" => claims with { ExpiresAt = json.GetInt64() },
                "sid" => claims with { SessionId = json.GetGuid() },
                "gen" => claims with { Generation = json.GetInt64() },
                "email" => claims with { Email = json.GetString() },
                "scopes" => claims with { Scopes = ReadScopes(ref json) },
                _ => claims,
            };
            json.Skip();
        }

        return claims;
    }

    private static Scopes ReadScopes(ref Utf8JsonReader json)
    {
        if (json.TokenType != JsonTokenType.StartArray)
        {
            throw new JsonException();
        }

        List<string> names = [];
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            names.Add(json.GetString() ?? "");
        }

        return ScopesExtensions.Parse(names);
    }
}
