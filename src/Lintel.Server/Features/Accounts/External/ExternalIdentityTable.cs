using System.Data.Common;
using System.Text.Json.Nodes;
using Lintel.Features.Accounts.Audit;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.External;

internal enum ExternalMatch
{
    /// <summary>The identity is an account's: from before, or by addresses that both sides have verified.</summary>
    Found,

    /// <summary>It is a new account's.</summary>
    Registered,

    /// <summary>The provider does not vouch for the address.</summary>
    Unverified,

    /// <summary>There is an account with the address, which it has not shown to be its own; or it is linked to somebody else of this provider.</summary>
    Taken,

    /// <summary>There is no account, and nobody may make one.</summary>
    Closed,
}

/// <summary>A provider that an account is linked to.</summary>
internal sealed record ExternalLink(string Provider, string? Email, DateTimeOffset LinkedAt, DateTimeOffset? LastUsedAt);

internal enum UnlinkStatus
{
    Unlinked,
    NotLinked,

    /// <summary>Nobody could sign in to the account any more.</summary>
    LastWay,
}

/// <summary>Whose identities at providers are whose accounts. Unique indexes and conditions decide, not what was read before.</summary>
internal sealed class ExternalIdentityTable(Database database, AccountAudit audit, AccountMail mail, TimeProvider time)
{
    public const string LinkedMail = "provider_linked";
    public const string UnlinkedMail = "provider_unlinked";

    /// <summary>In the place of a password's hash, for an account that never had a password: nothing is checked against it.</summary>
    private const string NoPassword = "";

    private const string Secrets = "SELECT id, email, is_active, password_hash, password_version, role FROM account WHERE ";

    /// <summary>The account of an identity; it is linked or made where that is right.</summary>
    /// <param name="canRegister">Whether an account may be made.</param>
    public Task<(ExternalMatch Match, AccountSecrets? Account)> ResolveAsync(ExternalIdentity identity, bool canRegister, Actor client, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async unit =>
            {
                var now = time.GetMicroseconds();
                if (await FindAsync(unit, identity, now) is { } known)
                {
                    return (ExternalMatch.Found, known);
                }

                if (!identity.IsEmailVerified)
                {
                    return (ExternalMatch.Unverified, null);
                }

                var normalized = EmailAddress.Normalize(identity.Email!);
                if (await unit.QueryFirstAsync(Secrets + "email_normalized = $1", Map, normalized) is { } same)
                {
                    // Whoever made the account may not be whose address it is: then it is theirs only if they have shown it to be.
                    var isLinked = await unit.ExecuteAsync(
                        """
                        INSERT INTO external_identity (provider, subject, account_id, email, linked_at, last_used_at)
                        SELECT $1, $2, a.id, $3, $4, $4 FROM account a WHERE a.id = $5 AND a.email_normalized = $6 AND a.email_verified_at IS NOT NULL AND a.is_active
                        ON CONFLICT DO NOTHING
                        """,
                        identity.Provider,
                        identity.Subject,
                        identity.Email,
                        now,
                        same.Id,
                        normalized) == 1;
                    if (!isLinked)
                    {
                        // Linked a moment ago, perhaps: by this person's other tab.
                        return await FindAsync(unit, identity, now) is { } linked ? (ExternalMatch.Found, linked) : (ExternalMatch.Taken, null);
                    }

                    await TellLinkedAsync(unit, same.Id, same.Email, identity.Provider, client with { AccountId = same.Id });
                    return (ExternalMatch.Found, same);
                }

                return canRegister ? await RegisterAsync(unit, identity, normalized, now, client) : (ExternalMatch.Closed, null);
            },
            cancellationToken);

    /// <summary>Links an identity to the account of somebody who is signed in.</summary>
    /// <returns>False where it is another account's, or the account has another identity of this provider.</returns>
    public Task<bool> LinkAsync(long accountId, ExternalIdentity identity, Actor by, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async unit =>
            {
                // Whoever ends the account's sessions at the same time is waited for: a session that is over links nothing.
                await unit.ExecuteAsync("UPDATE account SET password_version = password_version WHERE id = $1", accountId);
                var email = await unit.QueryFirstAsync(
                    """
                    INSERT INTO external_identity (provider, subject, account_id, email, linked_at)
                    SELECT $1, $2, a.id, $3, $4 FROM account a JOIN session s ON s.account_id = a.id AND s.id = $6 AND s.revoked_at IS NULL WHERE a.id = $5 AND a.is_active
                    ON CONFLICT DO NOTHING
                    RETURNING (SELECT email FROM account WHERE id = $5)
                    """,
                    static row => row.GetString(0),
                    identity.Provider,
                    identity.Subject,
                    identity.Email,
                    time.GetMicroseconds(),
                    accountId,
                    by.SessionId);
                if (email is not null)
                {
                    await TellLinkedAsync(unit, accountId, email, identity.Provider, by);
                }

                return email is not null;
            },
            cancellationToken);

    public Task<List<ExternalLink>> ListAsync(long accountId, CancellationToken cancellationToken) =>
        database.ReadAsync(
            session => session.QueryAsync(
                "SELECT provider, email, linked_at, last_used_at FROM external_identity WHERE account_id = $1 ORDER BY provider",
                static row => new ExternalLink(row.GetString(0), row.GetNullableString(1), row.GetInstant(2), row.GetNullableInstant(3)),
                accountId),
            cancellationToken);

    /// <summary>Unlinks a provider, unless it is the last way to sign in: there is a password, or another provider.</summary>
    public Task<UnlinkStatus> UnlinkAsync(long accountId, string provider, Actor by, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async unit =>
            {
                // Whoever unlinks another provider at the same time waits here, and then sees that this one is gone.
                await unit.ExecuteAsync("UPDATE account SET password_version = password_version WHERE id = $1", accountId);
                var email = await unit.QueryFirstAsync(
                    """
                    DELETE FROM external_identity WHERE account_id = $1 AND provider = $2
                      AND (EXISTS (SELECT 1 FROM account a WHERE a.id = $1 AND a.password_hash <> '')
                        OR EXISTS (SELECT 1 FROM external_identity o WHERE o.account_id = $1 AND o.provider <> $2))
                    RETURNING (SELECT email FROM account WHERE id = $1)
                    """,
                    static row => row.GetString(0),
                    accountId,
                    provider);
                if (email is not null)
                {
                    await audit.AddAsync(unit, accountId, AccountEvents.ProviderUnlinked, by, new JsonObject { ["provider"] = provider });
                    await mail.AddAsync(unit, accountId, email, UnlinkedMail, new() { ["provider"] = provider });
                    return UnlinkStatus.Unlinked;
                }

                var isLinked = await unit.QueryFirstAsync(
                    "SELECT 1 FROM external_identity WHERE account_id = $1 AND provider = $2", static row => row.GetInt32(0), accountId, provider) == 1;
                return isLinked ? UnlinkStatus.LastWay : UnlinkStatus.NotLinked;
            },
            cancellationToken);

    /// <summary>Unlinks all providers, as part of <paramref name="unit"/>.</summary>
    public async ValueTask ForgetAllAsync(DbSession unit, long accountId, Actor by)
    {
        foreach (var provider in await unit.QueryAsync("DELETE FROM external_identity WHERE account_id = $1 RETURNING provider", static row => row.GetString(0), accountId))
        {
            await audit.AddAsync(unit, accountId, AccountEvents.ProviderUnlinked, by, new JsonObject { ["provider"] = provider });
        }
    }

    private static async ValueTask<AccountSecrets?> FindAsync(DbSession unit, ExternalIdentity identity, long now)
    {
        var accountId = await unit.QueryFirstAsync(
            "UPDATE external_identity SET last_used_at = $3, email = $4 WHERE provider = $1 AND subject = $2 RETURNING account_id",
            static row => row.GetInt64(0),
            identity.Provider,
            identity.Subject,
            now,
            identity.Email);
        return accountId == 0 ? null : await unit.QueryFirstAsync(Secrets + "id = $1", Map, accountId);
    }

    private async ValueTask<(ExternalMatch Match, AccountSecrets? Account)> RegisterAsync(DbSession unit, ExternalIdentity identity, string normalized, long now, Actor client)
    {
        var made = await unit.QueryFirstAsync(
            """
            INSERT INTO account (email, email_normalized, name, password_hash, created_at, email_verified_at) VALUES ($1, $2, $3, $4, $5, $5)
            ON CONFLICT (email_normalized) DO NOTHING
            RETURNING id, email, is_active, password_hash, password_version, role
            """,
            Map,
            identity.Email,
            normalized,
            identity.Name,
            NoPassword,
            now);
        if (made is null)
        {
            // Made a moment ago: by this person's other tab, or by somebody else.
            return await FindAsync(unit, identity, now) is { } known ? (ExternalMatch.Found, known) : (ExternalMatch.Taken, null);
        }

        await unit.ExecuteAsync(
            "INSERT INTO external_identity (provider, subject, account_id, email, linked_at, last_used_at) VALUES ($1, $2, $3, $4, $5, $5)",
            identity.Provider,
            identity.Subject,
            made.Id,
            identity.Email,
            now);
        await audit.AddAsync(unit, made.Id, AccountEvents.Registered, client with { AccountId = made.Id }, new JsonObject { ["provider"] = identity.Provider });
        return (ExternalMatch.Registered, made);
    }

    private async ValueTask TellLinkedAsync(DbSession unit, long accountId, string email, string provider, Actor by)
    {
        await audit.AddAsync(unit, accountId, AccountEvents.ProviderLinked, by, new JsonObject { ["provider"] = provider });
        await mail.AddAsync(unit, accountId, email, LinkedMail, new() { ["provider"] = provider });
    }

    private static AccountSecrets Map(DbDataReader row) =>
        new(row.GetInt64(0), row.GetString(1), row.GetBoolean(2), row.GetString(3), row.GetInt64(4), row.GetString(5));
}
