using Lintel.Features.Accounts.SecondFactors.Codes;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.SecondFactors;

/// <summary>The second factors of an account.</summary>
/// <param name="Version">Counts their changes.</param>
/// <param name="HasPassword">False for an account that is signed in to by mailed codes or another provider alone.</param>
internal sealed record FactorState(bool HasTotp, long Passkeys, long RecoveryCodes, long Version, bool HasPassword)
{
    /// <summary>Recovery codes alone are none: they stand in for another.</summary>
    public bool Any => HasTotp || Passkeys > 0;

    /// <summary>
    /// By what the account's owner can prove who they are, beyond what was proved: the strongest thing they have, so the password only where there is nothing else. None where they
    /// have neither.
    /// </summary>
    public IReadOnlyList<string> Methods => Any
        ? [.. AllMethods.Where(method => method switch
        {
            ChallengeMethods.Totp => HasTotp,
            ChallengeMethods.Passkey => Passkeys > 0,
            _ => RecoveryCodes > 0,
        })]
        : HasPassword ? [ChallengeMethods.Password] : [];

    private static readonly string[] AllMethods = [ChallengeMethods.Totp, ChallengeMethods.Passkey, ChallengeMethods.RecoveryCode];
}

/// <summary>What a challenge can be answered with, in the words of the interface.</summary>
internal static class ChallengeMethods
{
    public const string Totp = "totp";
    public const string Passkey = "passkey";
    public const string RecoveryCode = "recovery_code";
    public const string Password = "password";
}

/// <summary>What accounts have for second factors, and what follows from a change of them.</summary>
internal sealed class FactorTable(Database database, RecoveryCodes recoveryCodes)
{
    private const string Select =
        """
        SELECT a.factor_version,
            (SELECT count(*) FROM totp t WHERE t.account_id = a.id AND t.confirmed_at IS NOT NULL),
            (SELECT count(*) FROM passkey p WHERE p.account_id = a.id),
            (SELECT count(*) FROM recovery_code r WHERE r.account_id = a.id),
            CAST(length(a.password_hash) AS BIGINT)
        FROM account a WHERE a.id = $1
        """;

    public Task<FactorState?> FindAsync(long accountId, CancellationToken cancellationToken) =>
        database.ReadAsync(session => FindAsync(session, accountId), cancellationToken);

    public static ValueTask<FactorState?> FindAsync(DbSession session, long accountId) =>
        session.QueryFirstAsync(Select, static row => new FactorState(row.GetInt64(1) > 0, row.GetInt64(2), row.GetInt64(3), row.GetInt64(0), row.GetInt64(4) > 0), accountId);

    /// <summary>Keeps others from changing the account's factors until the end of the unit. Null where the account is locked or gone.</summary>
    public static async ValueTask<FactorState?> LockAsync(DbSession unit, long accountId) =>
        await unit.ExecuteAsync("UPDATE account SET factor_version = factor_version WHERE id = $1 AND is_active", accountId) == 1 ? await FindAsync(unit, accountId) : null;

    /// <summary>The same for somebody who is signed in; null also where their session has ended. Whoever ends it at the same moment is waited for: what is over changes nothing.</summary>
    public static async ValueTask<FactorState?> LockAsync(DbSession unit, long accountId, Guid? sessionId) =>
        await LockAsync(unit, accountId) is { } state
        && await unit.ExecuteAsync(
            "UPDATE session SET revoked_at = NULL WHERE id = $1 AND account_id = $2 AND revoked_at IS NULL", sessionId ?? Guid.Empty, accountId) == 1
            ? state
            : null;

    /// <summary>
    /// What follows from a factor that was added or removed: what was made for the former ones holds no more. After the last one was removed the recovery codes are gone, with the
    /// first one they come.
    /// </summary>
    /// <returns>The recovery codes where they were made, to be shown once.</returns>
    public async ValueTask<IReadOnlyList<string>?> ChangedAsync(DbSession unit, long accountId)
    {
        await unit.ExecuteAsync("UPDATE account SET factor_version = factor_version + 1 WHERE id = $1", accountId);
        await unit.ExecuteAsync("DELETE FROM remembered_device WHERE account_id = $1", accountId);
        var now = (await FindAsync(unit, accountId))!;
        if (!now.Any)
        {
            await RecoveryCodes.ForgetAsync(unit, accountId);
        }

        return now is { Any: true, RecoveryCodes: 0 } ? await recoveryCodes.ReplaceAsync(unit, accountId) : null;
    }

    /// <summary>Takes all of them away, and what was made for them.</summary>
    public static async ValueTask RemoveAllAsync(DbSession unit, long accountId)
    {
        await unit.ExecuteAsync("UPDATE account SET factor_version = factor_version + 1 WHERE id = $1", accountId);
        foreach (var table in (string[])["totp", "recovery_code", "passkey", "remembered_device", "factor_challenge"])
        {
            await unit.ExecuteAsync($"DELETE FROM {table} WHERE account_id = $1", accountId);
        }
    }
}
