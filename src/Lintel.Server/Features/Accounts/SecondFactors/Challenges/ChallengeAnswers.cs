using System.Globalization;
using System.Text.Json;
using Lintel.Features.Accounts.Audit;
using Lintel.Features.Accounts.Guessing;
using Lintel.Features.Accounts.SecondFactors.Devices;
using Lintel.Features.Accounts.Sessions;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.SecondFactors.Challenges;

internal enum AnswerStatus
{
    SignedIn,
    SteppedUp,
    Wrong,

    /// <summary>There is no such challenge any more.</summary>
    Gone,

    /// <summary>The challenge cannot be answered in this way.</summary>
    NotOffered,

    /// <summary>Too many passwords wait to be hashed; nothing was checked.</summary>
    Busy,

    /// <summary>Nothing was checked: there were too many wrong answers before.</summary>
    TooManyTries,
}

internal readonly record struct AnswerResult(AnswerStatus Status, SessionGrant? Grant = null, string? DeviceToken = null, TimeSpan RetryAfter = default);

/// <summary>What is shown for a proof.</summary>
/// <param name="Method">One of <see cref="ChallengeMethods"/>.</param>
/// <param name="Text">The code or the password.</param>
/// <param name="Passkey">The browser's answer, where it is one.</param>
internal sealed record Proof(string Method, string Text, JsonElement Passkey = default);

/// <summary>The answers to challenges: of sign-ins that lack a second factor, and of sessions whose person is to prove once more who they are.</summary>
internal sealed class ChallengeAnswers(
    Database database,
    FactorChallenges challenges,
    FactorTable factors,
    FactorProofs proofs,
    Guesses guesses,
    SignInCompletion completion,
    RememberedDevices devices,
    StepUp stepUp,
    FactorNews news,
    SecondFactorLog log)
{
    /// <summary>
    /// Counts the try, by its account and by its challenge, before anything is compared: new challenges bring no new guesses. Once counted it is gone through with, whether the client
    /// waits for it or not.
    /// </summary>
    public async Task<AnswerResult> AnswerAsync(HttpContext context, string token, Proof proof, bool rememberDevice, ClientInfo client)
    {
        if (await database.ReadAsync(session => challenges.FindAsync(session, token), context.RequestAborted) is not { } pending)
        {
            return new(AnswerStatus.Gone);
        }

        var subject = Guessed(proof, pending);
        var guess = GuessResult.Admitted;
        if (subject is { } aim)
        {
            var device = await devices.FindAsync(pending.AccountId, RememberedDevices.TokenOf(context), context.RequestAborted);
            guess = await guesses.BeginAsync(aim.Kind, aim.Subject, client, device, CancellationToken.None);
            if (!guess.IsAdmitted)
            {
                return new(AnswerStatus.TooManyTries, RetryAfter: guess.RetryAfter);
            }
        }

        var result = await AnswerCountedAsync(context, token, proof, rememberDevice, client);
        if (subject is { } counted)
        {
            await (result.Status switch
            {
                AnswerStatus.SignedIn or AnswerStatus.SteppedUp => guesses.SucceededAsync(counted.Kind, counted.Subject, client, guess.Device, CancellationToken.None),
                AnswerStatus.Busy => guesses.WithdrawAsync(counted.Kind, counted.Subject, client, guess.Device, CancellationToken.None),
                _ => Task.CompletedTask,
            });
        }

        return result;
    }

    /// <summary>Under what a try is counted; null for a passkey, whose signature nobody guesses. A password is the same one as at a sign-in, and counted with those.</summary>
    private static (GuessKind Kind, string Subject)? Guessed(Proof proof, PendingChallenge pending) => proof.Method switch
    {
        ChallengeMethods.Passkey => null,
        ChallengeMethods.Password => (GuessKind.Password, EmailAddress.Normalize(pending.Email)),
        _ => (GuessKind.SecondFactor, pending.AccountId.ToString(CultureInfo.InvariantCulture)),
    };

    private async Task<AnswerResult> AnswerCountedAsync(HttpContext context, string token, Proof proof, bool rememberDevice, ClientInfo client)
    {
        var challenge = await database.WriteAsync(unit => challenges.TryAsync(unit, token, ChallengeKinds.SignIn, ChallengeKinds.StepUp), CancellationToken.None);
        if (challenge?.Account is not { } account || await factors.FindAsync(account.Id, CancellationToken.None) is not { } state)
        {
            return new(AnswerStatus.Gone);
        }

        // Whoever removed the stronger factor removed the challenge with it; nobody chooses a weaker way than the account has.
        if (!state.Methods.Contains(proof.Method))
        {
            return new(AnswerStatus.NotOffered);
        }

        var prepared = await proofs.PrepareAsync(context, challenge, account, proof, client);
        if (prepared.IsBusy)
        {
            return new(AnswerStatus.Busy);
        }

        var by = new Actor(account.Id, challenge.SessionId, Client: client);
        var status = await database.WriteAsync(unit => SettleAsync(unit, challenge, account, prepared, by), CancellationToken.None);
        if (status == AnswerStatus.Wrong)
        {
            log.Refused(account.Id, proof.Method);
        }

        return status == AnswerStatus.SignedIn ? await SignInAsync(challenge, account, prepared, rememberDevice, client) : new(status);
    }

    /// <summary>Uses up the proof and the challenge together: of any number of answers at once, one is the answer.</summary>
    private async ValueTask<AnswerStatus> SettleAsync(DbSession unit, FactorChallenge challenge, AccountSecrets account, PreparedProof proof, Actor by)
    {
        if (!await FactorChallenges.LockAsync(unit, challenge.Id))
        {
            return AnswerStatus.Gone;
        }

        if (!await proofs.UseAsync(unit, account.Id, proof, by))
        {
            await news.NoteAsync(unit, account.Id, by, AccountEvents.FactorRefused, new() { ["method"] = proof.Proof.Method });
            return AnswerStatus.Wrong;
        }

        await FactorChallenges.RemoveAsync(unit, challenge.Id);
        if (challenge is not { Kind: ChallengeKinds.StepUp, SessionId: { } sessionId })
        {
            return AnswerStatus.SignedIn;
        }

        if (!await stepUp.NoteAsync(unit, sessionId, proof.AuthMethod))
        {
            return AnswerStatus.Gone;
        }

        await news.NoteAsync(unit, account.Id, by, AccountEvents.SteppedUp, new() { ["method"] = proof.Proof.Method });
        return AnswerStatus.SteppedUp;
    }

    private async Task<AnswerResult> SignInAsync(FactorChallenge challenge, AccountSecrets account, PreparedProof proof, bool rememberDevice, ClientInfo client)
    {
        var result = await completion.CompleteAsync(account, new($"{challenge.AuthMethods} {proof.AuthMethod}", client) { FactorVersion = challenge.FactorVersion }, CancellationToken.None);
        if (result.Grant is not { } grant)
        {
            return new(AnswerStatus.Gone);
        }

        var deviceToken = rememberDevice ? await devices.AddAsync(account, challenge.FactorVersion, grant.SessionId, client, CancellationToken.None) : null;
        return new(AnswerStatus.SignedIn, grant, deviceToken);
    }
}
