using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Lintel.Platform.Http;

namespace Lintel.Features.Accounts.Keys;

/// <summary>The public keys that access tokens may be signed with, as RFC 7517 has them.</summary>
/// <param name="Keys">Empty where tokens are signed with a secret (HS256).</param>
public sealed record JsonWebKeySet([property: Required] IReadOnlyList<PublicKey> Keys);

/// <summary>A public key.</summary>
/// <param name="Kty">Always <c>EC</c>.</param>
/// <param name="Crv">Always <c>P-256</c>.</param>
/// <param name="X">The point's first number, in base64url.</param>
/// <param name="Y">The second.</param>
/// <param name="Kid">What the header of a token names it by: its thumbprint (RFC 7638).</param>
/// <param name="Use">Always <c>sig</c>.</param>
/// <param name="Alg">Always <c>ES256</c>.</param>
public sealed record PublicKey(
    [property: Required, AllowedValues("EC")] string Kty,
    [property: Required, AllowedValues("P-256")] string Crv,
    [property: Required] string X,
    [property: Required] string Y,
    [property: Required] string Kid,
    [property: Required, AllowedValues("sig")] string Use,
    [property: Required, AllowedValues("ES256")] string Alg)
{
    internal static PublicKey From(SigningKey key) => new("EC", "P-256", key.X, key.Y, key.Id, "sig", SigningKey.Algorithm);
}

/// <summary>The signing keys, as administrators see them.</summary>
/// <param name="Algorithm">What access tokens are signed with.</param>
/// <param name="Keys">Oldest first; none where tokens are signed with a secret.</param>
public sealed record SigningKeyList([property: Required, AllowedValues("HS256", "ES256")] string Algorithm, [property: Required] IReadOnlyList<SigningKeyView> Keys);

/// <summary>A signing key; its private half is nowhere but in the database, encrypted.</summary>
/// <param name="Kid">What the header of a token names it by.</param>
/// <param name="State"><c>next</c>: published, and signs later; <c>active</c>: signs; <c>retired</c>: what it signed is still taken.</param>
/// <param name="CreatedAt">When it was published.</param>
/// <param name="ActivatedAt">Since when it signs, or signed.</param>
/// <param name="RetiredAt">When it stopped signing.</param>
public sealed record SigningKeyView(
    [property: Required] string Kid,
    [property: Required, AllowedValues("next", "active", "retired")] string State,
    DateTimeOffset CreatedAt,
    DateTimeOffset? ActivatedAt,
    DateTimeOffset? RetiredAt)
{
    internal static SigningKeyView From(SigningKey key) => new(key.Id, key.State, key.CreatedAt, key.ActivatedAt, key.RetiredAt);
}

/// <summary>A rotation of the signing keys.</summary>
/// <param name="Compromised">Somebody else may know a key: all of before are removed at once, and every access token is refused until it is refreshed.</param>
/// <example>{"compromised":false}</example>
public sealed record RotateKeysRequest(bool Compromised = false);

/// <summary>A token that somebody sent to another service.</summary>
/// <param name="Token">An access or a refresh token.</param>
/// <param name="TokenTypeHint"><c>access_token</c> or <c>refresh_token</c>; what it is shows without it too.</param>
/// <example>{"token":"eyJhbGciOiJIUzI1NiJ9…","token_type_hint":"access_token"}</example>
public sealed record TokenForm([property: Required] string Token, string? TokenTypeHint = null);

/// <summary>What RFC 7662 tells of a token. Of one that is not good, for whatever reason, only that.</summary>
/// <param name="Active">Whether it is ours and good now: not expired, its session not ended, its account not locked.</param>
/// <param name="TokenType"><c>access_token</c> or <c>refresh_token</c>.</param>
/// <param name="Scope">What it may do, as words between spaces.</param>
/// <param name="Sub">The account's number.</param>
/// <param name="Username">The account's e-mail address.</param>
/// <param name="Sid">The session.</param>
/// <param name="Jti">The token's own id.</param>
/// <param name="Iss">Who made it.</param>
/// <param name="Aud">Whom it is for.</param>
/// <param name="Iat">When it was made, in unix seconds.</param>
/// <param name="Exp">When it ends, in unix seconds.</param>
/// <example>{"active":true,"token_type":"access_token","scope":"design execute tasks files chat","sub":"42","username":"mason@example.com","sid":"01a20217-0000-7000-8000-000000000000","jti":"01a20217-0000-7000-8000-000000000001","iss":"lintel","aud":"lintel","iat":1795331425,"exp":1795332325}</example>
public sealed record TokenStatusView(
    bool Active,
    [property: AllowedValues("access_token", "refresh_token"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? TokenType = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Scope = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Sub = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Username = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Guid? Sid = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Guid? Jti = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Iss = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Aud = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? Iat = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? Exp = null);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(JsonWebKeySet))]
[JsonSerializable(typeof(SigningKeyList))]
[JsonSerializable(typeof(RotateKeysRequest))]
[JsonSerializable(typeof(TokenForm))]
[JsonSerializable(typeof(TokenStatusView))]
internal sealed partial class KeysJson : JsonSerializerContext;
