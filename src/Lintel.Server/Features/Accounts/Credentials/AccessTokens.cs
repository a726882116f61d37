using System.Globalization;
using Lintel.Features.Accounts.Keys;
using Lintel.Platform.Security;

namespace Lintel.Features.Accounts.Credentials;

/// <summary>Checks access tokens: the signature when a token is first seen, its end and its session's on every use. The database is asked only for a key that nobody here has heard of.</summary>
internal sealed class AccessTokens : IAccessTokenVerifier
{
    private const int MaxVerified = 16 * 1024;

    private readonly TokenReader _reader;
    private readonly SigningKeys _keys;
    private readonly RevokedCredentials _revoked;
    private readonly TokenOptions _options;
    private readonly TimeProvider _time;
    private volatile RecentlyUsed<Caller> _verified = new(MaxVerified);

    public AccessTokens(TokenReader reader, SigningKeys keys, RevokedCredentials revoked, TokenOptions options, TimeProvider time)
    {
        (_reader, _keys, _revoked, _options, _time) = (reader, keys, revoked, options, time);

        // Whoever reads a key from then on finds it gone, and whoever read it before remembers its token where nobody looks any more.
        keys.Removed = () => _verified = new(MaxVerified);
    }

    public ValueTask<CallerResult> VerifyAsync(ReadOnlySpan<char> token)
    {
        var verified = _verified;
        if (verified.TryGet(token, out var known))
        {
            return new(Judge(known));
        }

        if (token.Length > TokenReader.MaxLength)
        {
            return new(CallerResult.Invalid);
        }

        var text = token.ToString();
        if (_reader.Read(text, TokenType.Access, out var lacksKey) is { } claims)
        {
            return new(Judge(Remember(verified, text, claims)));
        }

        return lacksKey ? VerifyLaterAsync(text) : new(CallerResult.Invalid);
    }

    private async ValueTask<CallerResult> VerifyLaterAsync(string token)
    {
        await _keys.RefetchAsync();
        var verified = _verified;
        return _reader.Read(token, TokenType.Access) is { } claims ? Judge(Remember(verified, token, claims)) : CallerResult.Invalid;
    }

    private CallerResult Judge(Caller caller) =>
        caller.ExpiresAt <= _time.GetUtcNow() ? CallerResult.Expired
        : _revoked.Contains(caller.SessionId.GetValueOrDefault()) ? CallerResult.Revoked
        : CallerResult.Valid(caller);

    private Caller Remember(RecentlyUsed<Caller> verified, string token, in TokenClaims claims)
    {
        // A lifetime that was shortened holds for tokens of before too: revocations are remembered only that long.
        var lifetime = Math.Min(claims.ExpiresAt - claims.IssuedAt, (long)_options.AccessTokenLifetime.TotalSeconds);
        var caller = new Caller
        {
            OwnerId = claims.AccountId,
            SessionId = claims.SessionId,
            Email = claims.Email,
            Scopes = claims.Scopes,
            ExpiresAt = DateTimeOffset.FromUnixTimeSeconds(claims.IssuedAt + lifetime),
            RateLimitKey = string.Create(CultureInfo.InvariantCulture, $"user:{claims.AccountId}"),
        };
        if (caller.ExpiresAt > _time.GetUtcNow())
        {
            verified.Set(token, caller);
        }

        return caller;
    }
}
