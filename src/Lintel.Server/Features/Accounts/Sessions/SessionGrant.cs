using System.Security.Cryptography;
using Lintel.Features.Accounts.Credentials;

namespace Lintel.Features.Accounts.Sessions;

/// <summary>
/// The facts of which a pair of tokens is made: a session's row and its newest refresh token's. Whoever has the same facts makes the same pair.
/// </summary>
/// <param name="TokenId">The refresh token's <c>jti</c>.</param>
/// <param name="IssuedAt">In unix seconds.</param>
/// <param name="ExpiresAt">Of the refresh token, in unix seconds.</param>
internal sealed record SessionGrant(long AccountId, string Email, string Role, Guid SessionId, long Generation, Guid TokenId, long IssuedAt, long ExpiresAt)
{
    public TokenPair ToPair(TokenSigner signer, TokenOptions options)
    {
        var lifetime = (long)options.AccessTokenLifetime.TotalSeconds;
        var refresh = new TokenClaims
        {
            Type = TokenType.Refresh,
            AccountId = AccountId,
            TokenId = TokenId,
            SessionId = SessionId,
            Generation = Generation,
            IssuedAt = IssuedAt,
            ExpiresAt = ExpiresAt,
        };
        var access = refresh with
        {
            Type = TokenType.Access,
            TokenId = AccessTokenId(TokenId),
            ExpiresAt = IssuedAt + lifetime,
            Scopes = AccountRoles.ScopesOf(Role),
            Email = Email,
        };
        return new(signer.Sign(access), signer.Sign(refresh), "bearer", lifetime);
    }

    /// <summary>An id of its own, that follows from the refresh token's. Neither is a secret.</summary>
    private static Guid AccessTokenId(Guid refreshTokenId)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        Span<byte> id = stackalloc byte[16];
        refreshTokenId.TryWriteBytes(id);
        SHA256.HashData(id, hash);
        return new Guid(hash[..16]);
    }
}
