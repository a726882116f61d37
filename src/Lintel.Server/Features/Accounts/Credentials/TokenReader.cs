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
    public TokenClaims? Read(string token, TokenType type) => JsonWebSignature.Parse(token) is { } jws ? Read(jws, type) : null;

    /// <summary>As <see cref="Read(string, TokenType)"/>; a key that this node does not know is looked for in the database first.</summary>
    public async ValueTask<TokenClaims?> ReadAsync(string token, TokenType type)
    {
        if (JsonWebSignature.Parse(token) is not { } jws)
        {
            return null;
        }

        if (NeedsKey(jws, type))
        {
            await keys.RefetchAsync();
        }

        return Read(jws, type);
    }

    /// <summary>Whether the token may be signed with a key that another node made a moment ago.</summary>
    public bool NeedsKey(string token, TokenType type) => JsonWebSignature.Parse(token) is { } jws && NeedsKey(jws, type);

    private TokenClaims? Read(JsonWebSignature jws, TokenType type) =>
        jws.Type == JwtType && IsOurs(jws, type) && TryReadPayload(jws.Payload, out var claims) && claims.Type == type ? claims : null;

    private bool NeedsKey(JsonWebSignature jws, TokenType type) =>
        IsAsymmetric(type) && jws is { Algorithm: SigningKey.Algorithm, Type: JwtType, Signature.Length: SigningKey.SignatureLength } && keys.MayExist(jws.KeyId);

    private bool IsOurs(JsonWebSignature jws, TokenType type) =>
        IsAsymmetric(type) ? keys.Find(jws.KeyId)?.Verification.Verify(jws) == true : _secret.Verify(jws) || _previousSecret?.Verify(jws) == true;

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
