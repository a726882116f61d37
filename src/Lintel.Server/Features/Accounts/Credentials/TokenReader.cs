using System.Buffers.Text;
using System.Globalization;
using System.Text.Json;
using Lintel.Platform.Security;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Lintel.Features.Accounts.Credentials;

/// <summary>
/// Tells whether a token is ours and what it says; whether it has expired or was revoked is for its user to find out.
/// The library checks the signature (in constant time), the algorithm, the issuer and the audience.
/// </summary>
internal sealed class TokenReader(TokenOptions options)
{
    public const int MaxLength = 8 * 1024;

    // 32 bytes in base64url leave two bits of the last character unused. They must be zero, or one token could be written in four ways.
    private const int SignatureLength = 43;
    private const string LastCharacters = "AEIMQUYcgkosw048";

    private readonly JsonWebTokenHandler _handler = new() { MaximumTokenSizeInBytes = MaxLength };

    private readonly TokenValidationParameters _parameters = new()
    {
        ValidAlgorithms = [SecurityAlgorithms.HmacSha256],
        IssuerSigningKey = new SymmetricSecurityKey(options.SecretKey),
        ValidIssuer = TokenSigner.Issuer,
        ValidAudience = TokenSigner.Audience,
        RequireSignedTokens = true,
        RequireAudience = true,

        // Our own clock decides, without the tolerance that the library would grant.
        ValidateLifetime = false,
    };

    /// <returns>Null for whatever is not a token of that type which we signed.</returns>
    public TokenClaims? Read(string token, TokenType type)
    {
        if (token.Length > MaxLength || !HasPlainSignature(token))
        {
            return null;
        }

        // Complete when it returns: the key is at hand.
        var validation = _handler.ValidateTokenAsync(token, _parameters).GetAwaiter().GetResult();
        return validation is { IsValid: true, SecurityToken: JsonWebToken valid }
            && TryReadPayload(Base64Url.DecodeFromChars(valid.EncodedPayload), out var claims)
            && claims.Type == type
            ? claims
            : null;
    }

    private static bool HasPlainSignature(string token)
    {
        var signature = token.AsSpan(token.LastIndexOf('.') + 1);
        return signature.Length == SignatureLength && LastCharacters.Contains(signature[^1], StringComparison.Ordinal);
    }

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

        return claims is { AccountId: > 0, IssuedAt: > 0, ExpiresAt: > 0 }
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
