using Lintel.Features.Accounts.SecondFactors;
using Lintel.Features.Accounts.SecondFactors.Challenges;
using Lintel.Features.Accounts.SecondFactors.Devices;
using Lintel.Features.Accounts.Sessions;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts;

/// <summary>From the proof of who somebody is to their session, the same whatever the proof was: a password, a code, a passkey, another provider's word.</summary>
internal sealed class SignInCompletion(
    Database database, SessionTable sessions, FactorTable factors, FactorChallenges challenges, RememberedDevices devices, AccountLog log, SecondFactorLog factorLog)
{
    /// <summary>Opens the session, or asks for the second factor that the account has.</summary>
    /// <param name="account">Whose proof it was. Nothing is opened when the account was locked or its password changed since it was read.</param>
    public async Task<SignInResult> CompleteAsync(AccountSecrets account, SessionOpening opening, CancellationToken cancellationToken)
    {
        Guid? device = null;
        if (!AuthMethods.HaveSecondFactor(opening.Methods) && await factors.FindAsync(account.Id, cancellationToken) is { } state)
        {
            device = opening.DeviceToken is { } token ? await devices.FindAsync(account.Id, token, cancellationToken) : null;
            if (state.Any && device is null)
            {
                return await ChallengeAsync(account, opening, state, cancellationToken);
            }

            // One that is added at the same moment must not be passed by.
            opening = opening with { FactorVersion = state.Version };
        }

        if (await sessions.OpenAsync(account, opening, cancellationToken) is not { } grant)
        {
            return new(SignInStatus.Refused);
        }

        if (device is { } id)
        {
            await devices.NoteAsync(id, grant.SessionId, opening.Client, cancellationToken);
        }

        // With a second factor it is the answer to the challenge that says whether to. One that is remembered already takes no other's place.
        var deviceToken = opening is { RememberDevice: true, FactorVersion: { } version } && device is null
            ? await devices.AddAsync(account, version, grant.SessionId, opening.Client, CancellationToken.None)
            : null;
        log.SignedIn(account.Id, grant.SessionId);
        return new(SignInStatus.SignedIn, grant, DeviceToken: deviceToken);
    }

    private async Task<SignInResult> ChallengeAsync(AccountSecrets account, SessionOpening opening, FactorState state, CancellationToken cancellationToken)
    {
        var token = await database.WriteAsync(
            async unit =>
            {
                var issued = await challenges.IssueAsync(unit, ChallengeKinds.SignIn, account.Id, account.PasswordVersion, null, opening.Methods);
                if (issued is not null)
                {
                    await SessionTable.RehashAsync(unit, account, opening);
                }

                return issued;
            },
            cancellationToken);
        if (token is null)
        {
            return new(SignInStatus.Refused);
        }

        factorLog.Wanted(account.Id);
        return new(SignInStatus.SecondFactorRequired, Challenge: new(token, state.Methods, FactorChallenges.Lifetime));
    }
}
