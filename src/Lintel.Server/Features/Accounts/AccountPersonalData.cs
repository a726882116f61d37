using System.Text.Json;
using System.Text.Json.Nodes;
using Lintel.Features.Accounts.Audit;
using Lintel.Features.Accounts.Revocation;
using Lintel.Features.Streams;
using Lintel.Platform.Privacy;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts;

/// <summary>The account itself, its sessions, and what happened to it.</summary>
internal sealed class AccountPersonalData(Database database, AccountTable accounts, AuditReader reader, AuditErasure audit, StreamLog log) : IPersonalData
{
    private const int PageSize = 200;

    // What else they prove who they are with: that there is one, and no secret of it.
    private static readonly (string Type, string Query)[] Proofs =
    [
        ("authenticator", "SELECT NULL, created_at, NULL FROM totp WHERE account_id = $1 AND confirmed_at IS NOT NULL"),
        ("passkey", "SELECT name, created_at, last_used_at FROM passkey WHERE account_id = $1 ORDER BY id"),
        ("remembered_device", "SELECT user_agent, created_at, last_used_at FROM remembered_device WHERE account_id = $1 ORDER BY id"),
        ("provider", "SELECT provider || ' ' || COALESCE(email, subject), linked_at, last_used_at FROM external_identity WHERE account_id = $1 ORDER BY provider"),
    ];

    public async IAsyncEnumerable<PersonalItem> ReadAsync(long accountId, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (await accounts.FindAsync(accountId, cancellationToken) is { } account)
        {
            yield return new("account", JsonSerializer.SerializeToUtf8Bytes(AccountView.From(account), AccountsJson.Default.AccountView));
        }

        var sessions = await database.ReadAsync(
            session => session.QueryAsync(
                "SELECT id, created_at, last_used_at, revoked_at, revoke_reason, user_agent, address FROM session WHERE account_id = $1 ORDER BY id DESC",
                static row => new JsonObject
                {
                    ["id"] = row.GetGuid(0),
                    ["created_at"] = row.GetInstant(1).UtcDateTime,
                    ["last_used_at"] = row.GetInstant(2).UtcDateTime,
                    ["ended_at"] = row.GetNullableInstant(3)?.UtcDateTime,
                    ["end_reason"] = row.GetNullableString(4),
                    ["user_agent"] = row.GetNullableString(5),
                    ["address"] = row.GetNullableString(6),
                },
                accountId),
            cancellationToken);
        foreach (var session in sessions)
        {
            yield return new("session", JsonSerializer.SerializeToUtf8Bytes(session, AuditJson.Default.JsonObject));
        }

        foreach (var (type, query) in Proofs)
        {
            var kept = await database.ReadAsync(
                session => session.QueryAsync(
                    query,
                    static row => new JsonObject { ["name"] = row.GetNullableString(0), ["added_at"] = row.GetInstant(1).UtcDateTime, ["last_used_at"] = row.GetNullableInstant(2)?.UtcDateTime },
                    accountId),
                cancellationToken);
            foreach (var proof in kept)
            {
                yield return new(type, JsonSerializer.SerializeToUtf8Bytes(proof, AuditJson.Default.JsonObject));
            }
        }

        if (await reader.FindAsync(accountId, cancellationToken) is { } stream)
        {
            var events = PersonalRows.PagesAsync<ActivityView>(
                async last => (await reader.ListAsync(stream, last is null ? stream.NextSeq : AuditReader.SeqOf(stream, last.Id)!.Value, new(), PageSize, cancellationToken)).Events, cancellationToken);
            await foreach (var item in events)
            {
                yield return new("activity", JsonSerializer.SerializeToUtf8Bytes(item, ActivityJson.Default.ActivityView));
            }
        }
    }

    public async Task<bool> EraseAsync(long accountId, CancellationToken cancellationToken)
    {
        await database.DeleteAsync("DELETE FROM ws_ticket WHERE hash IN (SELECT hash FROM ws_ticket WHERE owner_id = $1 LIMIT $2)", accountId, cancellationToken);
        await database.WriteAsync(async session => { await EndedCredentials.KeepAsync(session, "session", accountId); }, cancellationToken);
        await database.DeleteAsync("DELETE FROM session WHERE id IN (SELECT id FROM session WHERE account_id = $1 AND revoked_at IS NOT NULL LIMIT $2)", accountId, cancellationToken);
        await audit.EraseAsync(accountId, cancellationToken);
        if (await reader.FindAsync(accountId, cancellationToken) is { } stream)
        {
            await log.EmptyAsync(stream.Id, cancellationToken);
            await database.WriteAsync(session => StreamLog.RemoveAsync(session, stream.Id), cancellationToken);
        }

        return true;
    }
}
