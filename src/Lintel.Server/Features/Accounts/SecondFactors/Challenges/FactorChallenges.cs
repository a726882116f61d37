using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.SecondFactors.Challenges;

/// <summary>What a challenge is for; it is good for nothing else. The names stand in the database.</summary>
internal static class ChallengeKinds
{
    /// <summary>A sign-in that has proved one thing and lacks the second.</summary>
    public const string SignIn = "sign_in";

    /// <summary>A session whose person is to prove once more who they are.</summary>
    public const string StepUp = "step_up";

    /// <summary>A sign-in with a passkey alone, by nobody knows whom yet.</summary>
    public const string PasskeySignIn = "passkey_sign_in";

    /// <summary>A passkey that is to be added.</summary>
    public const string PasskeyCreation = "passkey_creation";
}

/// <summary>A challenge that waits for its answer.</summary>
/// <param name="Account">Whose it is; null where the answer will tell.</param>
/// <param name="AuthMethods">What was proved already.</param>
/// <param name="FactorVersion">The account's, when the challenge was made and now.</param>
/// <param name="PasskeyState">What a passkey is to sign.</param>
internal sealed record FactorChallenge(
    Guid Id, string Kind, AccountSecrets? Account, Guid? SessionId, string AuthMethods, long FactorVersion, string? PasskeyState);

/// <summary>A challenge to be told to a client, and in what ways it can be answered.</summary>
internal sealed record IssuedChallenge(string Challenge, IReadOnlyList<string> Methods, TimeSpan Lifetime);

/// <summary>
/// Challenges are good once, for five minutes, for some tries, and only for as long as their account has the password and the factors that it had then. Each try is counted before
/// anything is compared.
/// </summary>
internal sealed class FactorChallenges(FactorSecrets secrets, TimeOrderedIds ids, TimeProvider time)
{
    public const int MaxTries = 5;

    // More than anybody answers at once. The oldest give way.
    private const long MaxOfAccount = 8;
    private const string Use = "challenge";

    private const string IsCurrent =
        """
        EXISTS (SELECT 1 FROM account a WHERE a.id = factor_challenge.account_id AND a.is_active
            AND a.password_version = factor_challenge.password_version AND a.factor_version = factor_challenge.factor_version)
        AND (session_id IS NULL OR EXISTS (SELECT 1 FROM session s WHERE s.id = factor_challenge.session_id AND s.revoked_at IS NULL))
        """;

    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);

    /// <summary>Makes a challenge for an account; null where it was locked, or its password changed, since it was read.</summary>
    public async ValueTask<string?> IssueAsync(DbSession unit, string kind, long accountId, long? passwordVersion, Guid? sessionId, string authMethods, string? passkeyState = null)
    {
        var token = FactorSecrets.NewToken();
        var issued = await unit.ExecuteAsync(
            """
            INSERT INTO factor_challenge (id, hash, kind, account_id, session_id, auth_methods, password_version, factor_version, passkey_state, expires_at)
            SELECT $1, $2, $3, a.id, $5, $6, a.password_version, a.factor_version, $7, $8 FROM account a
            WHERE a.id = $4 AND a.is_active AND a.password_version = COALESCE($9, a.password_version)
            """,
            ids.Next(),
            secrets.Hash(Use, token),
            kind,
            accountId,
            sessionId,
            authMethods,
            passkeyState,
            (time.GetUtcNow() + Lifetime).ToMicroseconds(),
            passwordVersion);
        if (issued == 0)
        {
            return null;
        }

        await unit.ExecuteAsync(
            """
            DELETE FROM factor_challenge WHERE account_id = $1 AND kind = $2
              AND id NOT IN (SELECT id FROM factor_challenge WHERE account_id = $1 AND kind = $2 ORDER BY id DESC LIMIT $3)
            """,
            accountId,
            kind,
            MaxOfAccount);
        return token;
    }

    /// <summary>Makes a challenge for a sign-in of nobody knows whom. Its routes are limited by address.</summary>
    public async ValueTask<string> IssueAsync(DbSession unit, string passkeyState)
    {
        var token = FactorSecrets.NewToken();
        await unit.ExecuteAsync(
            """
            INSERT INTO factor_challenge (id, hash, kind, auth_methods, password_version, factor_version, passkey_state, expires_at)
            VALUES ($1, $2, $3, '', 0, 0, $4, $5)
            """,
            ids.Next(),
            secrets.Hash(Use, token),
            ChallengeKinds.PasskeySignIn,
            passkeyState,
            (time.GetUtcNow() + Lifetime).ToMicroseconds());
        return token;
    }

    /// <summary>Counts a try, and tells what is to be answered; null where there is nothing any more. Nothing of the answer may have been looked at.</summary>
    public async ValueTask<FactorChallenge?> TryAsync(DbSession unit, string token, string kind, string otherKind)
    {
        var row = await unit.QueryFirstAsync(
            $"""
            UPDATE factor_challenge SET tries = tries + 1
            WHERE hash IN ($1, $6) AND kind IN ($2, $3) AND tries < $4 AND expires_at > $5 AND (account_id IS NULL OR {IsCurrent})
            RETURNING id, kind, account_id, session_id, auth_methods, factor_version, passkey_state
            """,
            static row => new Row(
                row.GetGuid(0), row.GetString(1), row.IsDBNull(2) ? null : row.GetInt64(2), row.GetNullableGuid(3), row.GetString(4), row.GetInt64(5), row.GetNullableString(6)),
            secrets.Hash(Use, token),
            kind,
            otherKind,
            (long)MaxTries,
            time.GetUtcNow().ToMicroseconds(),
            secrets.PreviousHash(Use, token));
        if (row is null)
        {
            return null;
        }

        var account = row.AccountId is { } id ? await AccountTable.FindSecretsAsync(unit, id) : null;
        return new(row.Id, row.Kind, account, row.SessionId, row.AuthMethods, row.FactorVersion, row.PasskeyState);
    }

    /// <summary>Notes what a passkey is to sign for the challenge, in place of what it was to sign before. False where the challenge is gone.</summary>
    public static async ValueTask<bool> SetPasskeyStateAsync(DbSession unit, Guid id, string state) =>
        await unit.ExecuteAsync("UPDATE factor_challenge SET passkey_state = $2 WHERE id = $1", id, state) == 1;

    /// <summary>Whose challenge it is, for as long as it can be answered. Counts nothing.</summary>
    public ValueTask<PendingChallenge?> FindAsync(DbSession session, string token) =>
        session.QueryFirstAsync(
            $"""
            SELECT id, account_id, (SELECT a.email FROM account a WHERE a.id = account_id) FROM factor_challenge
            WHERE hash IN ($1, $6) AND kind IN ($2, $3) AND tries < $4 AND expires_at > $5 AND {IsCurrent}
            """,
            static row => new PendingChallenge(row.GetGuid(0), row.GetInt64(1), row.GetString(2)),
            secrets.Hash(Use, token),
            ChallengeKinds.SignIn,
            ChallengeKinds.StepUp,
            (long)MaxTries,
            time.GetUtcNow().ToMicroseconds(),
            secrets.PreviousHash(Use, token));

    /// <summary>Keeps others from answering the challenge until the end of the unit. False where it was answered, or its account has changed.</summary>
    public static async ValueTask<bool> LockAsync(DbSession unit, Guid id) =>
        await unit.ExecuteAsync($"UPDATE factor_challenge SET tries = tries WHERE id = $1 AND (account_id IS NULL OR {IsCurrent})", id) == 1;

    /// <summary>The challenge was answered.</summary>
    public static async ValueTask RemoveAsync(DbSession unit, Guid id) => await unit.ExecuteAsync("DELETE FROM factor_challenge WHERE id = $1", id);

    private sealed record Row(Guid Id, string Kind, long? AccountId, Guid? SessionId, string AuthMethods, long FactorVersion, string? PasskeyState);
}

/// <summary>A challenge of an account that can still be answered.</summary>
internal sealed record PendingChallenge(Guid Id, long AccountId, string Email);
