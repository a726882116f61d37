using Lintel.Platform.Security;

namespace Lintel.Features.Accounts.Credentials;

internal enum TokenType
{
    None,
    Access,
    Refresh,
}

/// <summary>What one of our tokens says, once its signature is known to be ours. Times are in unix seconds, as in the token.</summary>
internal readonly record struct TokenClaims
{
    public TokenType Type { get; init; }

    public string? Issuer { get; init; }

    public string? Audience { get; init; }

    public long AccountId { get; init; }

    public Guid TokenId { get; init; }

    public Guid SessionId { get; init; }

    /// <summary>How many refreshes the session had seen when it was issued.</summary>
    public long Generation { get; init; }

    public long IssuedAt { get; init; }

    public long ExpiresAt { get; init; }

    public Scopes Scopes { get; init; }

    public string? Email { get; init; }
}
