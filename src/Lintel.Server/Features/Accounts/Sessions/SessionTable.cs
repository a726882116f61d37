using Lintel.Features.Accounts.Audit;
using Lintel.Features.Accounts.Credentials;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.Sessions;

/// <summary>
/// Sign-ins: opened, refreshed and ended. A refresh is a compare-and-swap on the session's generation, so of any number at once one wins; the
/// others, soon enough and exactly one generation behind, get the winner's successor. Anything older is a stolen or a lost token, and ends the session.
/// </summary>
internal sealed class SessionTable(
    Database database, SessionEnd ending, SignInNotice notice, TokenOptions options, SessionOptions limits, TimeOrderedIds ids, TimeProvider time)
{
    /// <summary>How long a client that did not get its answer may ask again with the token that it used.</summary>
    public static readonly TimeSpan ReuseWindow = TimeSpan.FromSeconds(10);

    // Rows of used tokens tell only what the session's own row tells too; so many are left for whoever looks into a theft.
    private const long UsedTokensKept = 16;

    // The account's state is read in the same statement: one that was locked a moment ago gets nothing.
    private const string Advance =
        """
        UPDATE session SET generation = generation + 1, rotated_at = $3, last_used_at = $3, expires_at = $4
        WHERE id = $1 AND generation = $2 AND revoked_at IS NULL AND expires_at > $3
          AND EXISTS (SELECT 1 FROM account a WHERE a.id = account_id AND a.is_active)
        RETURNING account_id, (SELECT a.email FROM account a WHERE a.id = account_id), (SELECT a.role FROM account a WHERE a.id = account_id)
        """;

    private const string Newest =
        """
        SELECT s.generation, s.rotated_at, s.revoked_at, a.is_active, a.id, a.email, r.jti, r.issued_at, r.expires_at, a.role
        FROM session s JOIN account a ON a.id = s.account_id
        JOIN refresh_tokens r ON r.session_id = s.id AND r.generation = s.generation
        WHERE s.id = $1
        """;

    private const string AddSession =
        """
        INSERT INTO session (id, account_id, generation, created_at, last_used_at, authenticated_at, expires_at, user_agent, address, auth_methods)
        SELECT $1, a.id, 1, $2, $2, $2, $3, $4, $5, $9 FROM account a WHERE a.id = $6 AND a.is_active AND a.password_version = $7 AND a.role = $8
          AND a.factor_version = COALESCE($10, a.factor_version)
        """;

    // Those used least, beyond the number that an account may have; in one order for all who end sessions, so that two of them cannot wait for each other.
    private const string Surplus =
        """
        SELECT id FROM (
            SELECT id FROM session WHERE account_id = $1 AND revoked_at IS NULL AND id <> $2 ORDER BY last_used_at DESC, id DESC LIMIT 100 OFFSET $3) AS surplus
        ORDER BY id
        """;

    private const string AddToken =
        "INSERT INTO refresh_tokens (session_id, generation, jti, issued_at, expires_at) VALUES ($1, $2, $3, $4, $5)";

    /// <summary>Opens a session for someone who proved who they are.</summary>
    /// <returns>Null when the account was locked, or its password or role changed, since it was read.</returns>
    public Task<SessionGrant?> OpenAsync(AccountSecrets account, SessionOpening opening, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var grant = NewGrant(now, account.Id, account.Email, account.Role, ids.Next(), 1);
        var client = opening.Client;
        return database.WriteAsync(
            async session =>
            {
                var opened = await session.ExecuteAsync(
                    AddSession + LockOf(session, opening),
                    grant.SessionId,
                    now.ToMicroseconds(),
                    grant.ExpiresAt * Instant.Second,
                    client.UserAgent,
                    client.Address,
                    account.Id,
                    account.PasswordVersion,
                    account.Role,
                    opening.Methods,
                    opening.FactorVersion);
                if (opened == 0)
                {
                    return null;
                }

                await AddTokenAsync(session, grant);
                await RehashAsync(session, account, opening);
                await EndSurplusAsync(session, grant, now);
                await notice.AddAsync(session, account, grant.SessionId, opening, now);
                return grant;
            },
            cancellationToken);
    }

    /// <summary>Keeps the new hash of the password, where there is one, in place of the one that was checked.</summary>
    public static async ValueTask RehashAsync(DbSession unit, AccountSecrets account, SessionOpening opening)
    {
        if (opening.NewHash is { } newHash)
        {
            await unit.ExecuteAsync("UPDATE account SET password_hash = $2 WHERE id = $1 AND password_hash = $3", account.Id, newHash, account.PasswordHash);
        }
    }

    /// <summary>Exchanges a refresh token, whose signature was checked, for the next one.</summary>
    public async Task<RefreshResult> RefreshAsync(TokenClaims token, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        return token.ExpiresAt <= now.ToUnixTimeSeconds()
            ? RefreshResult.Expired
            : await database.WriteAsync(session => RotateAsync(session, token, now), cancellationToken);
    }

    /// <summary>Ends the session of a refresh token, whichever of its generations that is, and tells whose it was; null when it had ended before.</summary>
    public Task<long?> EndAsync(TokenClaims token, Actor by, CancellationToken cancellationToken) =>
        database.WriteAsync(session => ending.EndAsync(session, token.SessionId, SessionEnd.SignedOut, time.GetUtcNow(), by), cancellationToken);

    /// <summary>
    /// On PostgreSQL the account's row must not change until the session is there: else somebody who locks the account at the same moment would find no session of it to end.
    /// Where the row is written later on it is locked for that, or two sign-ins at once would wait for each other.
    /// </summary>
    private static string LockOf(DbSession session, SessionOpening opening) =>
        session.Lock(opening.NewHash is null ? "FOR SHARE" : "FOR NO KEY UPDATE");

    private async ValueTask EndSurplusAsync(DbSession session, SessionGrant opened, DateTimeOffset now)
    {
        foreach (var id in await session.QueryAsync(Surplus, static row => row.GetGuid(0), opened.AccountId, opened.SessionId, (long)limits.PerAccount - 1))
        {
            await ending.EndAsync(session, id, SessionEnd.TooMany, now, Actor.System);
        }
    }

    private async ValueTask<RefreshResult> RotateAsync(DbSession session, TokenClaims token, DateTimeOffset now)
    {
        var next = NewGrant(now, token.AccountId, "", AccountRoles.User, token.SessionId, token.Generation + 1);
        var owner = await session.QueryFirstAsync(
            Advance,
            static row => new Owner(row.GetInt64(0), row.GetString(1), row.GetString(2)),
            token.SessionId,
            token.Generation,
            now.ToMicroseconds(),
            next.ExpiresAt * Instant.Second);
        if (owner is null)
        {
            return await ReplayAsync(session, token, now);
        }

        var used = await session.ExecuteAsync(
            "UPDATE refresh_tokens SET revoked_at = $4 WHERE session_id = $1 AND generation = $2 AND jti = $3 AND revoked_at IS NULL",
            token.SessionId,
            token.Generation,
            token.TokenId,
            now.ToMicroseconds());
        if (used == 0)
        {
            // The generation is right and the token is not its row's: the database was put back to an earlier day, and lived on differently.
            return await EndReusedAsync(session, token, owner.AccountId, now);
        }

        next = next with { AccountId = owner.AccountId, Email = owner.Email, Role = owner.Role };
        await AddTokenAsync(session, next);
        if (next.Generation % UsedTokensKept == 0)
        {
            await session.ExecuteAsync(
                "DELETE FROM refresh_tokens WHERE session_id = $1 AND generation < $2", token.SessionId, next.Generation - UsedTokensKept);
        }

        return RefreshResult.Granted(next);
    }

    /// <summary>The swap did not happen: finds out why, by counters alone but for the length of the window.</summary>
    private async ValueTask<RefreshResult> ReplayAsync(DbSession session, TokenClaims token, DateTimeOffset now)
    {
        var newest = await session.QueryFirstAsync(
            Newest,
            static row => new NewestToken(
                row.GetInt64(0),
                row.GetNullableInstant(1),
                row.IsDBNull(2) && row.GetBoolean(3),
                new SessionGrant(
                    row.GetInt64(4), row.GetString(5), row.GetString(9), default, row.GetInt64(0), row.GetGuid(6), row.GetInt64(7) / Instant.Second, row.GetInt64(8) / Instant.Second)),
            token.SessionId);
        if (newest is not { IsUsable: true })
        {
            return RefreshResult.Revoked;
        }

        if (token.Generation == newest.Generation)
        {
            return RefreshResult.Expired;
        }

        var isInTime = newest.RotatedAt is { } rotated && now - rotated <= ReuseWindow;
        return token.Generation == newest.Generation - 1 && isInTime
            ? RefreshResult.Granted(newest.Grant with { SessionId = token.SessionId })
            : await EndReusedAsync(session, token, newest.Grant.AccountId, now);
    }

    private async ValueTask<RefreshResult> EndReusedAsync(DbSession session, TokenClaims token, long accountId, DateTimeOffset now)
    {
        await ending.EndAsync(session, token.SessionId, SessionEnd.TokenReused, now, Actor.System);
        return RefreshResult.Reused(accountId);
    }

    private static async ValueTask AddTokenAsync(DbSession session, SessionGrant grant) =>
        await session.ExecuteAsync(
            AddToken, grant.SessionId, grant.Generation, grant.TokenId, grant.IssuedAt * Instant.Second, grant.ExpiresAt * Instant.Second);

    private SessionGrant NewGrant(DateTimeOffset now, long accountId, string email, string role, Guid sessionId, long generation)
    {
        var issued = now.ToUnixTimeSeconds();
        return new(accountId, email, role, sessionId, generation, ids.Next(), issued, issued + (long)options.RefreshTokenLifetime.TotalSeconds);
    }

    private sealed record Owner(long AccountId, string Email, string Role);

    private sealed record NewestToken(long Generation, DateTimeOffset? RotatedAt, bool IsUsable, SessionGrant Grant);
}

internal enum RefreshStatus
{
    Granted,
    Expired,
    Revoked,

    /// <summary>A used token came again, too late: its session was ended.</summary>
    Reused,
}

internal readonly record struct RefreshResult(RefreshStatus Status, SessionGrant? Grant = null, long AccountId = 0)
{
    public static readonly RefreshResult Expired = new(RefreshStatus.Expired);
    public static readonly RefreshResult Revoked = new(RefreshStatus.Revoked);

    public static RefreshResult Granted(SessionGrant grant) => new(RefreshStatus.Granted, grant);

    public static RefreshResult Reused(long accountId) => new(RefreshStatus.Reused, AccountId: accountId);
}
