using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.SecondFactors.Codes;

/// <summary>The authenticator apps in the database, one an account.</summary>
internal sealed class TotpTable(FactorSecrets secrets)
{
    /// <summary>Keeps a secret that is still to be confirmed, in place of another such one. False where there is a confirmed one.</summary>
    public static async ValueTask<bool> StartAsync(DbSession unit, long accountId, byte[] secret, DateTimeOffset now) =>
        await unit.ExecuteAsync(
            """
            INSERT INTO totp (account_id, secret, created_at) SELECT a.id, $2, $3 FROM account a WHERE a.id = $1 AND a.is_active
            ON CONFLICT (account_id) DO UPDATE SET secret = excluded.secret, created_at = excluded.created_at, last_step = 0 WHERE totp.confirmed_at IS NULL
            """,
            accountId,
            secret,
            now.ToMicroseconds()) == 1;

    /// <summary>Lets the secret count from now on, if the code is one of it; its half minute is used up.</summary>
    /// <param name="since">A secret that was made before is too old.</param>
    public async ValueTask<bool> ConfirmAsync(DbSession unit, long accountId, string code, DateTimeOffset since, DateTimeOffset now)
    {
        var kept = await unit.QueryFirstAsync(
            "SELECT secret FROM totp WHERE account_id = $1 AND confirmed_at IS NULL AND created_at >= $2", static row => row.GetBytes(0), accountId, since.ToMicroseconds());
        return kept is not null
            && secrets.Decrypt(accountId, kept) is { } secret
            && OneTimeCode.Match(secret, code, now, 0) is { } step
            && await unit.ExecuteAsync(
                "UPDATE totp SET confirmed_at = $2, last_step = $3 WHERE account_id = $1 AND confirmed_at IS NULL AND secret = $4", accountId, now.ToMicroseconds(), step, kept) == 1;
    }

    /// <summary>Uses up a code. Of the same one twice, however close together, one is taken.</summary>
    public async ValueTask<bool> UseAsync(DbSession unit, long accountId, string code, DateTimeOffset now)
    {
        var kept = await unit.QueryFirstAsync(
            "SELECT secret, last_step FROM totp WHERE account_id = $1 AND confirmed_at IS NOT NULL", static row => new Kept(row.GetBytes(0), row.GetInt64(1)), accountId);
        return kept is not null
            && secrets.Decrypt(accountId, kept.Secret) is { } secret
            && OneTimeCode.Match(secret, code, now, kept.LastStep) is { } step
            && await unit.ExecuteAsync(
                "UPDATE totp SET last_step = $2 WHERE account_id = $1 AND confirmed_at IS NOT NULL AND last_step < $2 AND secret = $3", accountId, step, kept.Secret) == 1;
    }

    public static async ValueTask<bool> RemoveAsync(DbSession unit, long accountId) =>
        await unit.ExecuteAsync("DELETE FROM totp WHERE account_id = $1 AND confirmed_at IS NOT NULL", accountId) == 1;

    private sealed record Kept(byte[] Secret, long LastStep);
}
