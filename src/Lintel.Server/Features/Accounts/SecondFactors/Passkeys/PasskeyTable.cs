using System.Data.Common;
using Lintel.Platform.Storage;
using Microsoft.AspNetCore.Identity;

namespace Lintel.Features.Accounts.SecondFactors.Passkeys;

/// <summary>The passkeys in the database.</summary>
internal sealed class PasskeyTable(Database database, TimeOrderedIds ids, TimeProvider time)
{
    /// <summary>As many as one account may have.</summary>
    public const int MaxOfAccount = 20;

    private const int MaxTransports = 8;
    private const int MaxTransport = 20;
    private const string Columns = "id, name, created_at, last_used_at, is_backed_up, transports";
    private const string InfoColumns = "credential_id, public_key, created_at, sign_count, transports, is_user_verified, is_backup_eligible, is_backed_up, name";

    public Task<List<PasskeyView>> ListAsync(long accountId, CancellationToken cancellationToken) =>
        database.ReadAsync(session => session.QueryAsync($"SELECT {Columns} FROM passkey WHERE account_id = $1 ORDER BY id", MapView, accountId), cancellationToken);

    /// <summary>What the framework is to know of an account's passkeys.</summary>
    public Task<List<UserPasskeyInfo>> ListInfosAsync(long accountId, CancellationToken cancellationToken) =>
        database.ReadAsync(session => session.QueryAsync($"SELECT {InfoColumns} FROM passkey WHERE account_id = $1 ORDER BY id", MapInfo, accountId), cancellationToken);

    public Task<UserPasskeyInfo?> FindInfoAsync(long accountId, byte[] credentialId, CancellationToken cancellationToken) =>
        database.ReadAsync(
            session => session.QueryFirstAsync($"SELECT {InfoColumns} FROM passkey WHERE credential_id = $1 AND account_id = $2", MapInfo, credentialId, accountId), cancellationToken);

    public Task<long?> FindOwnerAsync(byte[] credentialId, CancellationToken cancellationToken) =>
        database.ReadAsync(
            session => session.QueryFirstAsync("SELECT account_id FROM passkey WHERE credential_id = $1", static row => (long?)row.GetInt64(0), credentialId), cancellationToken);

    /// <summary>Adds a passkey. Null where it is somebody's already: the index decides.</summary>
    public ValueTask<PasskeyView?> AddAsync(DbSession unit, long accountId, string name, UserPasskeyInfo passkey) =>
        unit.QueryFirstAsync(
            $"""
            INSERT INTO passkey (id, account_id, credential_id, public_key, name, sign_count, transports, is_user_verified, is_backup_eligible, is_backed_up, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
            ON CONFLICT (credential_id) DO NOTHING
            RETURNING {Columns}
            """,
            MapView,
            ids.Next(),
            accountId,
            passkey.CredentialId,
            passkey.PublicKey,
            name,
            (long)passkey.SignCount,
            string.Join(' ', (passkey.Transports ?? []).Where(IsTransport).Take(MaxTransports)),
            passkey.IsUserVerified,
            passkey.IsBackupEligible,
            passkey.IsBackedUp,
            time.GetUtcNow().ToMicroseconds());

    /// <summary>Notes a use. False where the passkey is gone, or its counter is not ahead any more: then it was used elsewhere meanwhile, or there are two of it.</summary>
    public async ValueTask<bool> UseAsync(DbSession unit, long accountId, UserPasskeyInfo passkey) =>
        await unit.ExecuteAsync(
            """
            UPDATE passkey SET sign_count = $3, is_backed_up = $4, last_used_at = $5
            WHERE credential_id = $1 AND account_id = $2 AND (sign_count < $3 OR (sign_count = 0 AND $3 = 0))
            """,
            passkey.CredentialId,
            accountId,
            (long)passkey.SignCount,
            passkey.IsBackedUp,
            time.GetUtcNow().ToMicroseconds()) == 1;

    public Task<PasskeyView?> RenameAsync(long accountId, Guid id, string name, CancellationToken cancellationToken) =>
        database.WriteAsync(
            unit => unit.QueryFirstAsync($"UPDATE passkey SET name = $3 WHERE id = $1 AND account_id = $2 RETURNING {Columns}", MapView, id, accountId, name), cancellationToken);

    /// <returns>The name that it had; null where the account has none of this id.</returns>
    public static ValueTask<string?> RemoveAsync(DbSession unit, long accountId, Guid id) =>
        unit.QueryFirstAsync("DELETE FROM passkey WHERE id = $1 AND account_id = $2 RETURNING name", static row => row.GetString(0), id, accountId);

    private static PasskeyView MapView(DbDataReader row) =>
        new(row.GetGuid(0), row.GetString(1), row.GetInstant(2), row.GetNullableInstant(3), row.GetBoolean(4), Words(row.GetString(5)));

    // Neither what the authenticator said of itself nor the browser's words at the time are looked at again, so they are not kept.
    private static UserPasskeyInfo MapInfo(DbDataReader row) =>
        new(
            row.GetBytes(0),
            row.GetBytes(1),
            row.GetInstant(2),
            (uint)row.GetInt64(3),
            Words(row.GetString(4)),
            row.GetBoolean(5),
            row.GetBoolean(6),
            row.GetBoolean(7),
            [],
            [])
        { Name = row.GetString(8) };

    /// <summary>They are the browser's word, or whoever's who says to be one.</summary>
    private static bool IsTransport(string? text) => text is { Length: > 0 and <= MaxTransport } && text.All(static letter => char.IsAsciiLetterLower(letter) || letter == '-');

    private static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
