using System.Text.Json.Nodes;
using Lintel.Features.Accounts.Audit;
using Lintel.Platform.Configuration;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.Keys;

/// <summary>The signing keys in the database, which all nodes share. Of nodes that act at once one does: indexes and conditional updates decide.</summary>
internal sealed class SigningKeyTable(Database database, SecretKey secret, AccountAudit audit, TimeProvider time)
{
    /// <summary>All keys that can be opened, and how many cannot.</summary>
    /// <param name="renewsSeals">Whether those that only <c>SECRET_KEY_PREVIOUS</c> opens are sealed anew.</param>
    public async Task<(List<SigningKey> Keys, int Closed)> LoadAsync(bool renewsSeals, CancellationToken cancellationToken)
    {
        var rows = await database.ReadAsync(
            session => session.QueryAsync(
                "SELECT kid, state, sealed_key, created_at, activated_at, retired_at FROM signing_key ORDER BY created_at, kid",
                static row => new SealedKey(
                    row.GetString(0), row.GetString(1), row.GetBytes(2), row.GetInstant(3), row.GetNullableInstant(4), row.GetNullableInstant(5))),
            cancellationToken);
        List<SigningKey> keys = [];
        foreach (var row in rows)
        {
            if (SigningKey.Open(row, secret) is not { } key)
            {
                continue;
            }

            keys.Add(key);
            if (renewsSeals && SigningKey.IsSealedUnderFormer(row, secret))
            {
                await RenewSealAsync(row, key, cancellationToken);
            }
        }

        return (keys, rows.Count - keys.Count);
    }

    /// <summary>Makes the key that signs and the one that will, where they are not there yet.</summary>
    public Task EnsureAsync(CancellationToken cancellationToken)
    {
        var (active, next) = (SigningKey.Create(), SigningKey.Create());
        return database.WriteAsync(
            async unit =>
            {
                await AddAsync(unit, active, SigningKeyStates.Active);
                await AddAsync(unit, next, SigningKeyStates.Next);
            },
            cancellationToken);
    }

    /// <summary>Retires the key that signs; the one that was published beforehand takes its place, and another is published.</summary>
    /// <param name="activeId">The key to retire: nothing happens where another signs by now.</param>
    /// <param name="isCompromised">No key of before is kept: what was signed with one is refused.</param>
    public Task<bool> RotateAsync(string activeId, bool isCompromised, Actor by, CancellationToken cancellationToken)
    {
        var (first, second) = (SigningKey.Create(), SigningKey.Create());
        return database.WriteAsync(
            async unit =>
            {
                var now = time.GetMicroseconds();
                if (await unit.ExecuteAsync(
                    "UPDATE signing_key SET state = $2, retired_at = $3 WHERE kid = $1 AND state = $4", activeId, SigningKeyStates.Retired, now, SigningKeyStates.Active) == 0)
                {
                    return false;
                }

                if (isCompromised)
                {
                    await unit.ExecuteAsync("DELETE FROM signing_key");
                    await AddAsync(unit, second, SigningKeyStates.Active);
                }
                else if (await unit.ExecuteAsync(
                    "UPDATE signing_key SET state = $1, activated_at = $2 WHERE state = $3", SigningKeyStates.Active, now, SigningKeyStates.Next) == 0)
                {
                    // Somebody removed it by hand.
                    await AddAsync(unit, second, SigningKeyStates.Active);
                }

                await AddAsync(unit, first, SigningKeyStates.Next);
                if (by.AccountId is { } administrator)
                {
                    await audit.AddAsync(unit, administrator, AccountEvents.SigningKeysRotated, by, new JsonObject { ["retired"] = activeId, ["compromised"] = isCompromised });
                }

                return true;
            },
            cancellationToken);
    }

    /// <summary>Forgets keys that were retired before <paramref name="moment"/>.</summary>
    public Task<int> ForgetAsync(DateTimeOffset moment, CancellationToken cancellationToken) =>
        database.WriteAsync(
            unit => unit.ExecuteAsync("DELETE FROM signing_key WHERE state = $1 AND retired_at < $2", SigningKeyStates.Retired, moment.ToMicroseconds()), cancellationToken);

    private async Task RenewSealAsync(SealedKey row, SigningKey key, CancellationToken cancellationToken)
    {
        var sealedKey = key.Seal(secret);
        await database.WriteAsync(
            unit => unit.ExecuteAsync("UPDATE signing_key SET sealed_key = $2 WHERE kid = $1 AND sealed_key = $3", key.Id, sealedKey, row.Sealed), cancellationToken);
    }

    private async ValueTask AddAsync(DbSession unit, SigningKey key, string state)
    {
        var sealedKey = key.Seal(secret);
        var now = time.GetMicroseconds();
        await unit.ExecuteAsync(
            "INSERT INTO signing_key (kid, state, sealed_key, created_at, activated_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
            key.Id,
            state,
            sealedKey,
            now,
            state == SigningKeyStates.Active ? now : null);
    }
}
