using Lintel.Features.Accounts.Email;
using Lintel.Features.Accounts.Guessing;
using Lintel.Features.Accounts.Passwords;
using Lintel.Features.Accounts.SecondFactors.Challenges;
using Lintel.Features.Accounts.SecondFactors.Devices;
using Lintel.Features.Accounts.Sessions;

namespace Lintel.Features.Accounts;

/// <summary>From an e-mail address and a password to a session.</summary>
internal sealed class SignIn(
    AccountTable accounts, PasswordHashing passwords, Guesses guesses, RememberedDevices devices, SignInCompletion completion, EmailOptions options, AccountLog log)
{
    /// <summary>Whatever is wrong, the answer and its time are the same: nobody learns here who has an account.</summary>
    public async Task<SignInResult> RunAsync(string email, string password, string? deviceToken, bool rememberDevice, ClientInfo client, CancellationToken cancellationToken)
    {
        var subject = EmailAddress.Normalize(email);
        var device = await devices.FindAsync(subject, deviceToken, cancellationToken);
        var guess = await guesses.BeginEarlyAsync(GuessKind.Password, subject, client, device, cancellationToken);
        if (!guess.First.IsAdmitted)
        {
            return TooManyTries(guess.First);
        }

        var account = await accounts.FindSecretsAsync(email, cancellationToken);
        var check = await passwords.CheckAsync(account?.PasswordHash, password, client.Address ?? "", cancellationToken);
        var counted = await guess.Counted;
        if (!counted.IsAdmitted)
        {
            return TooManyTries(counted);
        }

        if (check.Verdict == PasswordVerdict.Busy)
        {
            await guesses.WithdrawAsync(GuessKind.Password, subject, client, counted.Device, CancellationToken.None);
            return new(SignInStatus.Busy);
        }

        if (account is null || check.Verdict != PasswordVerdict.Right || !account.IsActive)
        {
            return Refuse(account, check.Verdict);
        }

        // Side by side, so that SQLite makes both durable at once.
        var forgetting = guesses.SucceededAsync(GuessKind.Password, subject, client, counted.Device, CancellationToken.None);
        if (options.Verification == EmailVerification.Required && await accounts.FindAsync(account.Id, cancellationToken) is { EmailVerifiedAt: null })
        {
            await forgetting;
            return new(SignInStatus.Unverified);
        }

        var result = await completion.CompleteAsync(account, new(AuthMethods.Password, client, check.NewHash) { DeviceToken = deviceToken, RememberDevice = rememberDevice }, cancellationToken);
        await forgetting;
        if (result.Status == SignInStatus.Refused)
        {
            return Refuse(account, check.Verdict);
        }

        if (check.NewHash is not null)
        {
            log.Rehashed(account.Id);
        }

        return result;
    }

    private SignInResult TooManyTries(GuessResult refused)
    {
        log.SignInRefused(null, "too many tries");
        return new(SignInStatus.TooManyTries, RetryAfter: refused.RetryAfter);
    }

    private SignInResult Refuse(AccountSecrets? account, PasswordVerdict verdict)
    {
        log.SignInRefused(account?.Id, account is null ? "no such account" : verdict == PasswordVerdict.Right ? "the account is locked" : "wrong password");
        return new(SignInStatus.Refused);
    }
}

internal enum SignInStatus
{
    SignedIn,
    Refused,

    /// <summary>The password was right, and the address must be confirmed first.</summary>
    Unverified,

    /// <summary>What was proved is right; the account has a second factor, and the challenge is to be answered.</summary>
    SecondFactorRequired,

    /// <summary>Too many wait to be hashed; nothing was checked.</summary>
    Busy,

    /// <summary>Nothing was checked: there were too many wrong answers before.</summary>
    TooManyTries,
}

internal readonly record struct SignInResult(
    SignInStatus Status, SessionGrant? Grant = null, TimeSpan RetryAfter = default, IssuedChallenge? Challenge = null, string? DeviceToken = null);
