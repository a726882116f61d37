using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Lintel.Features.Accounts.Keys;
using Lintel.Platform.Security;

namespace Lintel.Features.Accounts.Credentials;

/// <summary>
/// Signs tokens. The same claims always give the same refresh token, which is how everyone who refreshes at the same time gets the same successor without its being kept anywhere; so they
/// give the same access token with HS256. With ES256 each signature is another one of the same claims.
/// </summary>
internal sealed class TokenSigner(TokenOptions options, SigningKeys keys)
{
    public const string Issuer = "lintel";
    public const string Audience = "lintel";

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? _payload;

    [ThreadStatic]
    private static Utf8JsonWriter? _json;

    // {"alg":"HS256","typ":"JWT"}
    private static ReadOnlySpan<byte> SecretHeader => "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"u8;

    public string Sign(in TokenClaims claims)
    {
        var payload = _payload ??= new(512);
        payload.ResetWrittenCount();
        var json = _json ??= new(payload);
        json.Reset(payload);
        Write(json, claims);
        json.Flush();
        return claims.Type == TokenType.Access && options.Algorithm == SigningAlgorithm.ES256 ? Sign(payload.WrittenSpan, keys.Active) : Sign(payload.WrittenSpan, null);
    }

    private static void Write(Utf8JsonWriter json, in TokenClaims claims)
    {
        Span<byte> subject = stackalloc byte[20];
        claims.AccountId.TryFormat(subject, out var length, default, CultureInfo.InvariantCulture);

        json.WriteStartObject();
        json.WriteString("iss"u8, Issuer);
        json.WriteString("aud"u8, Audience);
        json.WriteString("sub"u8, subject[..length]);
        json.WriteString("jti"u8, claims.TokenId);
        json.WriteString("type"u8, claims.Type == TokenType.Access ? "access"u8 : "refresh"u8);
        json.WriteNumber("iat"u8, claims.IssuedAt);
        json.WriteNumber("exp"u8, claims.ExpiresAt);
        json.WriteString("sid"u8, claims.SessionId);
        if (claims.Type == TokenType.Access)
        {
            json.WriteStartArray("scopes"u8);
            foreach (var name in claims.Scopes.ToNames())
            {
                json.WriteStringValue(name);
            }

            json.WriteEndArray();
            json.WriteString("email"u8, claims.Email);
        }
        else
        {
            json.WriteNumber("gen"u8, claims.Generation);
        }

        json.WriteEndObject();
    }

    /// <param name="key">Null for the server's secret.</param>
    private string Sign(ReadOnlySpan<byte> payload, SigningKey? key)
    {
        var header = key is null ? SecretHeader : key.Header;
        Span<byte> signature = stackalloc byte[key is null ? HMACSHA256.HashSizeInBytes : SigningKey.SignatureLength];
        var signed = header.Length + 1 + Base64Url.GetEncodedLength(payload.Length);
        var length = signed + 1 + Base64Url.GetEncodedLength(signature.Length);
        var token = ArrayPool<byte>.Shared.Rent(length);
        header.CopyTo(token);
        token[header.Length] = (byte)'.';
        Base64Url.EncodeToUtf8(payload, token.AsSpan(header.Length + 1));
        if (key is null)
        {
            HMACSHA256.HashData(options.SecretKey, token.AsSpan(0, signed), signature);
        }
        else
        {
            key.Sign(token.AsSpan(0, signed), signature);
        }

        token[signed] = (byte)'.';
        Base64Url.EncodeToUtf8(signature, token.AsSpan(signed + 1));

        var text = Encoding.ASCII.GetString(token, 0, length);
        ArrayPool<byte>.Shared.Return(token);
        return text;
    }
}
