using Lintel.Platform.Configuration;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.Email;

/// <summary>What a mailed link does, and where its page is.</summary>
internal sealed record LinkPurpose(string Name, string Path)
{
    public static readonly LinkPurpose Verify = new("verify", "auth/email/verify");
    public static readonly LinkPurpose ConfirmOld = new("change_old", "auth/email/change/confirm-old");
    public static readonly LinkPurpose ConfirmNew = new("change_new", "auth/email/change/confirm-new");
    public static readonly LinkPurpose CancelChange = new("change_cancel", "auth/email/change/cancel");
    public static readonly LinkPurpose ResetPassword = new("password_reset", "auth/password/reset");
}

/// <summary>An account as a link needs it.</summary>
/// <param name="Normalized">The address by which it is found.</param>
internal sealed record LinkedAccount(long Id, string Email, string Normalized, string? Name, long PasswordVersion, bool IsVerified);

/// <summary>What a link that was good stood for. It is used up.</summary>
internal sealed record UsedLink(long AccountId, string Email, string Normalized, long PasswordVersion, Guid? ChangeId);

/// <summary>
/// Links that prove who reads a mailbox. Each is good once, for a short time, for one purpose, and while the account's address (and, where that matters, its password) is
/// what it was.
/// </summary>
internal sealed class EmailLinks(EmailSecrets secrets, ServerOptions server, TimeProvider time)
{
    /// <summary>Makes a link as part of <paramref name="unit"/>.</summary>
    /// <param name="survivesPassword">It stays good when the password changes.</param>
    /// <returns>Its address: of the place that is configured, whatever the request's <c>Host</c> said.</returns>
    public async ValueTask<string> MakeAsync(
        DbSession unit, LinkPurpose purpose, LinkedAccount account, TimeSpan lifetime, bool survivesPassword = false, Guid? changeId = null)
    {
        var token = EmailSecrets.NewToken();
        await unit.ExecuteAsync(
            "INSERT INTO email_link (hash, purpose, account_id, email_normalized, password_version, change_id, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
            secrets.Hash(purpose.Name, token),
            purpose.Name,
            account.Id,
            account.Normalized,
            survivesPassword ? null : account.PasswordVersion,
            changeId,
            (time.GetUtcNow() + lifetime).ToMicroseconds());
        return $"{server.PublicUrl}{purpose.Path}?token={token}";
    }

    /// <summary>Uses a link up as part of <paramref name="unit"/>; null where it is not good. The row count decides: of two at once one gets it.</summary>
    public async ValueTask<UsedLink?> UseAsync(DbSession unit, LinkPurpose purpose, string token)
    {
        var hash = secrets.Hash(purpose.Name, token);

        // On PostgreSQL the account's row is held to the end of the unit: what the link depends on stays as it was found.
        var found = await FindAsync(unit, hash, unit.Lock("FOR NO KEY UPDATE OF a"));
        return found is not null && await unit.ExecuteAsync("DELETE FROM email_link WHERE hash = $1", hash) == 1 ? found : null;
    }

    /// <summary>Looks at a link without using it up.</summary>
    public ValueTask<UsedLink?> FindAsync(DbSession unit, LinkPurpose purpose, string token) => FindAsync(unit, secrets.Hash(purpose.Name, token), "");

    private ValueTask<UsedLink?> FindAsync(DbSession unit, byte[] hash, string hold) =>
        unit.QueryFirstAsync(
            $"""
            SELECT a.id, a.email, a.email_normalized, a.password_version, l.change_id FROM email_link l JOIN account a ON a.id = l.account_id
            WHERE l.hash = $1 AND l.expires_at > $2 AND a.is_active AND a.email_normalized = l.email_normalized
              AND (l.password_version IS NULL OR l.password_version = a.password_version) {hold}
            """,
            static row => new UsedLink(row.GetInt64(0), row.GetString(1), row.GetString(2), row.GetInt64(3), row.GetNullableGuid(4)),
            hash,
            time.GetMicroseconds());
}
