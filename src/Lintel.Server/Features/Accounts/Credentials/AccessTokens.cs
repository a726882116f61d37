using System.Globalization;
using Lintel.Platform.Security;

namespace Lintel.Features.Accounts.Credentials;

/// <summary>Checks access tokens: the signature when a token is first seen, its end and its session's on every use, the database never.</summary>
internal sealed class AccessTokens(TokenReader reader, RevokedCredentials revoked, TokenOptions options, TimeProvider time) : IAccessTokenVerifier
{
    private const int MaxVerified = 16 * 1024;

    private readonly RecentlyUsed<Caller> _verified = new(MaxVerified);

    public CallerResult Verify(ReadOnlySpan<char> token)
    {
        if (!_verified.TryGet(token, out var caller) && !TryRead(token, out caller))
        {
            return CallerResult.Invalid;
        }

        if (caller.ExpiresAt <= time.GetUtcNow())
        {
            return CallerResult.Expired;
        }

        return revoked.Contains(caller.SessionId.GetValueOrDefault()) ? CallerResult.Revoked : CallerResult.Valid(caller);
    }

    private bool TryRead(ReadOnlySpan<char> token, out Caller caller)
    {
        caller = null!;
        if (token.Length > TokenReader.MaxLength)
        {
            return false;
        }

        var text = token.ToString();
        if (reader.Read(text, TokenType.Access) is not { } claims)
        {
            return false;
        }

        // A lifetime that was shortened holds for tokens of before too: revocations are remembered only that long.
        var lifetime = Math.Min(claims.ExpiresAt - claims.IssuedAt, (long)options.AccessTokenLifetime.TotalSeconds);
        caller = new Caller
        {
            OwnerId = claims.AccountId,
            SessionId = claims.SessionId,
            Email = claims.Email,
            Scopes = claims.Scopes,
            ExpiresAt = DateTimeOffset.FromUnixTimeSeconds(claims.IssuedAt + lifetime),
            RateLimitKey = string.Create(CultureInfo.InvariantCulture, $"user:{claims.AccountId}"),
        };
        if (caller.ExpiresAt > time.GetUtcNow())
        {
            _verified.Set(text, caller);
        }

        return true;
    }
}
