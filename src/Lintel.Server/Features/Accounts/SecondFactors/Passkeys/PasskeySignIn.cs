using System.Text.Json;
using Lintel.Features.Accounts.SecondFactors.Challenges;
using Lintel.Features.Accounts.Sessions;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.SecondFactors.Passkeys;

/// <summary>A sign-in with a passkey alone: the authenticator tells whose it is, and has verified the person, so it counts as both factors.</summary>
internal sealed class PasskeySignIn(
    Database database, FactorChallenges challenges, PasskeyCeremonies ceremonies, PasskeyTable passkeys, SignInCompletion completion, SecondFactorLog log)
{
    public async Task<PasskeyOptions> AskAsync(HttpContext context)
    {
        var question = await ceremonies.AskToSignAsync(context, null);
        var token = await database.WriteAsync(unit => challenges.IssueAsync(unit, question.State), context.RequestAborted);
        return new(token, question.Options, (long)FactorChallenges.Lifetime.TotalSeconds);
    }

    /// <summary>Refused is refused: whether there is such a passkey, and whose, is nobody's to know.</summary>
    public async Task<SignInResult> RunAsync(HttpContext context, string token, JsonElement credential, ClientInfo client)
    {
        var challenge = await database.WriteAsync(
            unit => challenges.TryAsync(unit, token, ChallengeKinds.PasskeySignIn, ChallengeKinds.PasskeySignIn), CancellationToken.None);
        if (challenge is not { PasskeyState: { } state } || await ceremonies.VerifyAsync(context, credential, state, null) is not { } signed)
        {
            return new(SignInStatus.Refused);
        }

        var (account, factors) = await database.WriteAsync<(AccountSecrets?, FactorState?)>(
            async unit =>
            {
                if (!await FactorChallenges.LockAsync(unit, challenge.Id) || !await passkeys.UseAsync(unit, signed.AccountId, signed.Passkey))
                {
                    return (null, null);
                }

                await FactorChallenges.RemoveAsync(unit, challenge.Id);
                return (await AccountTable.FindSecretsAsync(unit, signed.AccountId), await FactorTable.FindAsync(unit, signed.AccountId));
            },
            CancellationToken.None);
        if (account is not { IsActive: true } || factors is null)
        {
            log.PasskeyRefused(signed.AccountId);
            return new(SignInStatus.Refused);
        }

        // A passkey that is removed from now on opens nothing any more, whoever removes it.
        return await completion.CompleteAsync(account, new(AuthMethods.Passkey, client) { FactorVersion = factors.Version }, CancellationToken.None);
    }
}
