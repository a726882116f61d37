using System.Text.Json;
using Lintel.Features.Accounts.Audit;
using Lintel.Features.Accounts.SecondFactors.Challenges;
using Lintel.Features.Accounts.Sessions;
using Lintel.Platform.Security;
using Lintel.Platform.Storage;
using Microsoft.AspNetCore.Identity;

namespace Lintel.Features.Accounts.SecondFactors.Passkeys;

internal enum PasskeyRegistrationStatus
{
    Added,

    /// <summary>There is no such challenge any more.</summary>
    Gone,

    /// <summary>The browser's answer is not as it should be.</summary>
    Refused,

    /// <summary>It is somebody's already.</summary>
    Taken,
    Full,
}

/// <summary>Passkeys that are added and removed, each in one transaction with all that follows from it.</summary>
internal sealed class PasskeyRegistration(
    Database database, FactorChallenges challenges, FactorTable factors, PasskeyTable passkeys, PasskeyCeremonies ceremonies, StepUp stepUp, FactorNews news)
{
    public async Task<(PasskeyRegistrationStatus Status, AddedPasskey? Added)> AddAsync(
        HttpContext context, string token, string name, JsonElement credential, Caller caller, Actor by)
    {
        var challenge = await database.WriteAsync(
            unit => challenges.TryAsync(unit, token, ChallengeKinds.PasskeyCreation, ChallengeKinds.PasskeyCreation), CancellationToken.None);

        // The challenge of another session is nobody's business here, though its try is counted.
        if (challenge is not { PasskeyState: { } state } || challenge.SessionId != caller.SessionId)
        {
            return (PasskeyRegistrationStatus.Gone, null);
        }

        return await ceremonies.CreateAsync(context, credential, state) is { } passkey
            ? await database.WriteAsync(unit => AddAsync(unit, challenge, name, passkey, caller, by), CancellationToken.None)
            : (PasskeyRegistrationStatus.Refused, null);
    }

    /// <returns>False where the account has none of this id; null where the session has ended.</returns>
    public Task<bool?> RemoveAsync(long accountId, Guid id, Actor by) =>
        database.WriteAsync<bool?>(
            async unit =>
            {
                if (await FactorTable.LockAsync(unit, accountId, by.SessionId) is null)
                {
                    return null;
                }

                if (await PasskeyTable.RemoveAsync(unit, accountId, id) is not { } name)
                {
                    return false;
                }

                await news.RemovedAsync(unit, accountId, by, FactorNews.Passkey, name);
                await factors.ChangedAsync(unit, accountId);
                return true;
            },
            CancellationToken.None);

    private async ValueTask<(PasskeyRegistrationStatus Status, AddedPasskey? Added)> AddAsync(
        DbSession unit, FactorChallenge challenge, string name, UserPasskeyInfo passkey, Caller caller, Actor by)
    {
        if (await FactorTable.LockAsync(unit, caller.OwnerId, caller.SessionId) is not { } state || !await FactorChallenges.LockAsync(unit, challenge.Id))
        {
            return (PasskeyRegistrationStatus.Gone, null);
        }

        if (state.Passkeys >= PasskeyTable.MaxOfAccount)
        {
            return (PasskeyRegistrationStatus.Full, null);
        }

        if (await passkeys.AddAsync(unit, caller.OwnerId, name, passkey) is not { } added)
        {
            return (PasskeyRegistrationStatus.Taken, null);
        }

        await FactorChallenges.RemoveAsync(unit, challenge.Id);
        if (passkey.IsUserVerified)
        {
            await stepUp.NoteAsync(unit, caller.SessionId!.Value, AuthMethods.Passkey);
        }

        await news.AddedAsync(unit, caller.OwnerId, by, FactorNews.Passkey, name);
        return (PasskeyRegistrationStatus.Added, new(added, await factors.ChangedAsync(unit, caller.OwnerId)));
    }
}
