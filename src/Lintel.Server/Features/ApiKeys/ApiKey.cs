using System.Data.Common;
using Lintel.Features.Accounts;
using Lintel.Features.Accounts.Revocation;
using Lintel.Platform.Security;
using Lintel.Platform.Storage;

namespace Lintel.Features.ApiKeys;

/// <summary>A key that a person made for a program. It acts for its owner, within its scopes.</summary>
/// <param name="Prefix">How it begins, for people to tell keys apart.</param>
/// <param name="RateLimit">Requests in a window, where it has a limit of its own.</param>
internal sealed record ApiKey(
    Guid Id,
    string Name,
    string Prefix,
    Scopes Scopes,
    int? RateLimit,
    DateTimeOffset CreatedAt,
    DateTimeOffset? ExpiresAt,
    DateTimeOffset? LastUsedAt = null);

/// <param name="Email">The owner's.</param>
/// <param name="IsRevoked">The key was revoked, or its owner's account is locked.</param>
internal sealed record StoredApiKey(Guid Id, long OwnerId, string Email, Scopes Scopes, int? RateLimit, DateTimeOffset? ExpiresAt, bool IsRevoked);

internal enum AddApiKeyStatus
{
    Added,

    /// <summary>The account has as many keys as it may have.</summary>
    Full,

    /// <summary>The session that asks has ended meanwhile, or the account was locked.</summary>
    SignedOut,
}

/// <summary>The keys in the database.</summary>
internal sealed class ApiKeyTable(Database database, Revocations revocations, ApiKeyOptions options) : IAccountKeys
{
    /// <summary>Keeps a new key, unless the account has its fill of them.</summary>
    public Task<AddApiKeyStatus> AddAsync(ApiKey key, byte[] hash, Caller person, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async session =>
            {
                // Locks the account's row, so that of many at once each counts what those before it added. And of a session that ends just now no key is left over.
                var isSignedIn = await session.ExecuteAsync(
                    """
                    UPDATE account SET is_active = is_active
                    WHERE id = $1 AND is_active AND EXISTS (SELECT 1 FROM session s WHERE s.id = $2 AND s.account_id = $1 AND s.revoked_at IS NULL)
                    """,
                    person.OwnerId,
                    person.SessionId) == 1;
                if (!isSignedIn)
                {
                    return AddApiKeyStatus.SignedOut;
                }

                var count = await session.QueryFirstAsync(
                    "SELECT count(*) FROM api_key WHERE account_id = $1 AND revoked_at IS NULL", static row => row.GetInt64(0), person.OwnerId);
                if (count >= options.MaxPerAccount)
                {
                    return AddApiKeyStatus.Full;
                }

                await session.ExecuteAsync(
                    """
                    INSERT INTO api_key (id, account_id, name, prefix, hash, scopes, rate_limit, created_at, expires_at)
                    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
                    """,
                    key.Id,
                    person.OwnerId,
                    key.Name,
                    key.Prefix,
                    hash,
                    (int)key.Scopes,
                    key.RateLimit,
                    key.CreatedAt.ToMicroseconds(),
                    key.ExpiresAt?.ToMicroseconds());
                return AddApiKeyStatus.Added;
            },
            cancellationToken);

    /// <summary>The keys of an account that are not revoked, newest first; expired ones are among them, for their owner to see.</summary>
    public Task<List<ApiKey>> ListAsync(long ownerId, Guid? before, int limit, CancellationToken cancellationToken) =>
        database.ReadAsync(
            session => session.QueryAsync(
                """
                SELECT id, name, prefix, scopes, rate_limit, created_at, expires_at, last_used_at FROM api_key
                WHERE account_id = $1 AND id < $2 AND revoked_at IS NULL
                ORDER BY id DESC LIMIT $3
                """,
                Map,
                ownerId,
                before ?? Guid.AllBitsSet,
                limit),
            cancellationToken);

    /// <summary>Revokes a key; false when the account has none of that id, or not any more.</summary>
    public Task<bool> RevokeAsync(Guid id, long ownerId, DateTimeOffset now, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async session =>
            {
                var revoked = await session.ExecuteAsync(
                    "UPDATE api_key SET revoked_at = $3 WHERE id = $1 AND account_id = $2 AND revoked_at IS NULL", id, ownerId, now.ToMicroseconds());
                if (revoked == 1)
                {
                    revocations.Add(session, id);
                }

                return revoked == 1;
            },
            cancellationToken);

    /// <summary>Keeps an account's keys from being revoked by somebody else until the end of the unit: for whoever revokes them after something else that others revoke after them.</summary>
    public async ValueTask LockAllAsync(DbSession unit, long ownerId)
    {
        if (unit.Kind == DatabaseKind.Postgres)
        {
            await unit.QueryAsync("SELECT id FROM api_key WHERE account_id = $1 AND revoked_at IS NULL ORDER BY id FOR UPDATE", static row => row.GetGuid(0), ownerId);
        }
    }

    /// <summary>Revokes all keys of an account that have these scopes, as part of <paramref name="unit"/>, and tells how many they were.</summary>
    public async ValueTask<int> RevokeAllAsync(DbSession unit, long ownerId, Scopes having, DateTimeOffset now)
    {
        // In one order for all who do this, so that two of them cannot wait for each other.
        var ids = await unit.QueryAsync(
            "SELECT id FROM api_key WHERE account_id = $1 AND revoked_at IS NULL AND (scopes & $2) = $2 ORDER BY id" + unit.Lock("FOR UPDATE"),
            static row => row.GetGuid(0),
            ownerId,
            (int)having);
        foreach (var id in ids)
        {
            await unit.ExecuteAsync("UPDATE api_key SET revoked_at = $2 WHERE id = $1", id, now.ToMicroseconds());
            revocations.Add(unit, id);
        }

        return ids.Count;
    }

    /// <summary>The key that has this SHA-256, whatever became of it.</summary>
    public Task<StoredApiKey?> FindAsync(byte[] hash, CancellationToken cancellationToken) =>
        database.ReadAsync(
            session => session.QueryFirstAsync(
                """
                SELECT k.id, k.account_id, a.email, k.scopes, k.rate_limit, k.expires_at, k.revoked_at, a.is_active, a.role
                FROM api_key k JOIN account a ON a.id = k.account_id WHERE k.hash = $1
                """,
                static row => new StoredApiKey(
                    row.GetGuid(0),
                    row.GetInt64(1),
                    row.GetString(2),

                    // No key can do more than its owner, whatever it was made for.
                    (Scopes)row.GetInt32(3) & AccountRoles.ScopesOf(row.GetString(8)),
                    row.IsDBNull(4) ? null : row.GetInt32(4),
                    row.GetNullableInstant(5),
                    !row.IsDBNull(6) || !row.GetBoolean(7)),
                hash),
            cancellationToken);

    private static ApiKey Map(DbDataReader row) => new(
        row.GetGuid(0),
        row.GetString(1),
        row.GetString(2),
        (Scopes)row.GetInt32(3),
        row.IsDBNull(4) ? null : row.GetInt32(4),
        row.GetInstant(5),
        row.GetNullableInstant(6),
        row.GetNullableInstant(7));
}
