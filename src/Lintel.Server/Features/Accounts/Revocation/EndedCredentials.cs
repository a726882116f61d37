using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.Revocation;

/// <summary>
/// Revoked sessions and keys whose rows are removed before all that was issued for them has run out. A node that starts now must know of them, and it is only their ids.
/// </summary>
internal static class EndedCredentials
{
    public static readonly RevokedRows Rows = new("SELECT id FROM ended_credential WHERE revoked_at > $1");

    public const string Prune = "DELETE FROM ended_credential WHERE id IN (SELECT id FROM ended_credential WHERE revoked_at < $1 LIMIT $2)";

    /// <param name="table">Of rows with <c>id</c>, <c>account_id</c> and <c>revoked_at</c>.</param>
    public static async ValueTask KeepAsync(DbSession unit, string table, long accountId) =>
        await unit.ExecuteAsync(
            $"INSERT INTO ended_credential (id, revoked_at) SELECT id, revoked_at FROM {table} WHERE account_id = $1 AND revoked_at IS NOT NULL ON CONFLICT DO NOTHING", accountId);
}
