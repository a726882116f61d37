using System.Globalization;
using Lintel.Features.Accounts.Credentials;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.Keys;

/// <summary>Tells of a token, for other services, whether it is good now: by its signature first, then by the rows of its session and account.</summary>
internal sealed class TokenStatus(TokenReader reader, Database database, TokenOptions options, TimeProvider time)
{
    private const string Account =
        """
        SELECT a.email FROM session s JOIN account a ON a.id = s.account_id
        WHERE s.id = $1 AND s.account_id = $2 AND s.revoked_at IS NULL AND s.expires_at > $3 AND a.is_active AND ($4 = 0 OR s.generation = $4)
        """;

    private static readonly TokenStatusView Inactive = new(false);

    public async Task<TokenStatusView> DescribeAsync(string token, CancellationToken cancellationToken)
    {
        if (await FindAsync(token) is not { } claims)
        {
            return Inactive;
        }

        var email = await database.ReadAsync(
            session => session.QueryFirstAsync(
                Account, static row => row.GetString(0), claims.SessionId, claims.AccountId, time.GetMicroseconds(), claims.Generation),
            cancellationToken);
        return email is null ? Inactive : Describe(claims, email);
    }

    /// <summary>What a token says that we signed and that has not run out; null for any other.</summary>
    public async ValueTask<TokenClaims?> FindAsync(string token)
    {
        var claims = await reader.ReadAsync(token, TokenType.Access) ?? reader.Read(token, TokenType.Refresh);
        return claims is { } found && EndOf(found) > time.GetUtcNow().ToUnixTimeSeconds() ? found : null;
    }

    private TokenStatusView Describe(in TokenClaims claims, string email)
    {
        var isAccess = claims.Type == TokenType.Access;
        return new(
            true,
            isAccess ? "access_token" : "refresh_token",
            isAccess ? string.Join(' ', Platform.Security.ScopesExtensions.ToNames(claims.Scopes)) : null,
            claims.AccountId.ToString(CultureInfo.InvariantCulture),
            email,
            claims.SessionId,
            claims.TokenId,
            claims.Issuer,
            claims.Audience,
            claims.IssuedAt,
            EndOf(claims));
    }

    /// <summary>A lifetime that was shortened holds for tokens of before too.</summary>
    private long EndOf(in TokenClaims claims) => claims.Type == TokenType.Access
        ? Math.Min(claims.ExpiresAt, claims.IssuedAt + (long)options.AccessTokenLifetime.TotalSeconds)
        : claims.ExpiresAt;
}
