using System.Text.Json.Nodes;
using Lintel.Features.Accounts.SecondFactors.Challenges;
using Lintel.Features.Accounts.Sessions;
using Lintel.Platform.Errors;
using Lintel.Platform.Security;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.SecondFactors;

/// <summary>
/// Dangerous operations want somebody who proved a moment ago who they are: a token that was stolen is not enough. Nor is the password where there is a second factor, so a
/// session of a remembered device has to show it after all.
/// </summary>
internal sealed class StepUp(Database database, FactorChallenges challenges, TimeProvider time)
{
    /// <summary>How long a proof is fresh.</summary>
    public static readonly TimeSpan Freshness = TimeSpan.FromMinutes(10);

    /// <summary>What the description of an operation says that wants a fresh proof.</summary>
    public const string Wanted =
        "Wants somebody who proved who they are within ten minutes, else the answer is 401 `AUTH_2FA_REQUIRED` with a challenge for `POST /auth/2fa`.";

    /// <summary>In the place of a method: a new sign-in, by whatever way, is the proof.</summary>
    private const string SignIn = "sign_in";

    private static readonly ErrorResult NoPerson = ApiErrors.Forbidden("Only a person who is signed in may do this; a key may not.");

    // An account of another provider, or of mailed codes: there is nothing that it could answer a challenge with.
    private static ErrorResult SignInAgain => ApiErrors.SecondFactorNeeded(
        "Prove once more who you are: sign in again as you did before, and ask again with the new tokens. This account has neither a password nor a second factor to answer a challenge with.",
        new JsonObject { ["challenge"] = null, ["methods"] = new JsonArray(SignIn) });

    /// <returns>The answer for a caller whose proof is too old, or who is no person; null for one who may go on.</returns>
    public async Task<ErrorResult?> RequireAsync(Caller caller, CancellationToken cancellationToken)
    {
        if (caller.SessionId is not { } sessionId)
        {
            return NoPerson;
        }

        var (proved, state) = await database.ReadAsync(
            async session => (
                await session.QueryFirstAsync(
                    "SELECT authenticated_at, auth_methods FROM session WHERE id = $1 AND account_id = $2 AND revoked_at IS NULL",
                    static row => new LastProof(row.GetInstant(0), row.GetString(1)),
                    sessionId,
                    caller.OwnerId),
                await FactorTable.FindAsync(session, caller.OwnerId)),
            cancellationToken);
        if (proved is null || state is null)
        {
            return ApiErrors.TokenRevoked();
        }

        if (time.GetUtcNow() - proved.At <= Freshness && (!state.Any || AuthMethods.HaveSecondFactor(proved.Methods)))
        {
            return null;
        }

        if (state.Methods.Count == 0)
        {
            return SignInAgain;
        }

        var token = await database.WriteAsync(unit => challenges.IssueAsync(unit, ChallengeKinds.StepUp, caller.OwnerId, null, sessionId, proved.Methods), cancellationToken);
        return token is null
            ? ApiErrors.TokenRevoked()
            : Answer("Prove once more who you are: answer the challenge with POST /auth/2fa, then ask again.", new(token, state.Methods, FactorChallenges.Lifetime));
    }

    /// <summary>Notes that the person of a session has just proved who they are. False where it has ended.</summary>
    /// <param name="authMethod">One of <see cref="AuthMethods"/>.</param>
    public async ValueTask<bool> NoteAsync(DbSession unit, Guid sessionId, string authMethod) =>
        await unit.ExecuteAsync(
            """
            UPDATE session SET authenticated_at = $2, auth_methods = CASE WHEN ' ' || auth_methods || ' ' LIKE $3 THEN auth_methods ELSE auth_methods || $4 END
            WHERE id = $1 AND revoked_at IS NULL
            """,
            sessionId,
            time.GetUtcNow().ToMicroseconds(),
            $"% {authMethod} %",
            " " + authMethod) == 1;

    /// <summary>The 401 that tells of a challenge.</summary>
    public static ErrorResult Answer(string message, IssuedChallenge challenge) => ApiErrors.SecondFactorNeeded(
        message,
        new JsonObject
        {
            ["challenge"] = challenge.Challenge,
            ["methods"] = new JsonArray([.. challenge.Methods.Select(static method => JsonValue.Create(method))]),
            ["expires_in"] = (long)challenge.Lifetime.TotalSeconds,
        });

    private sealed record LastProof(DateTimeOffset At, string Methods);
}
