using Lintel.Features.Accounts.Guessing;
using Lintel.Features.Accounts.SecondFactors.Devices;
using Lintel.Features.Accounts.Sessions;

namespace Lintel.Features.Accounts.Passwords;

/// <summary>Asks somebody who is signed in for their password. Tries count with those to sign in: whoever stole a session has no more of them.</summary>
internal sealed class PresentPassword(PasswordHashing passwords, Guesses guesses, RememberedDevices devices)
{
    public async Task<PresentPasswordResult> CheckAsync(PasswordOwner owner, string password, string? deviceToken, ClientInfo client, CancellationToken cancellationToken)
    {
        var subject = EmailAddress.Normalize(owner.Email);
        var device = await devices.FindAsync(owner.Id, deviceToken, cancellationToken);
        var guess = await guesses.BeginAsync(GuessKind.Password, subject, client, device, cancellationToken);
        if (!guess.IsAdmitted)
        {
            return new(PasswordVerdict.Wrong, guess.RetryAfter);
        }

        var check = await passwords.CheckAsync(owner.PasswordHash, password, client.Address ?? "", cancellationToken);
        switch (check.Verdict)
        {
            case PasswordVerdict.Busy:
                await guesses.WithdrawAsync(GuessKind.Password, subject, client, guess.Device, CancellationToken.None);
                break;
            case PasswordVerdict.Right:
                await guesses.SucceededAsync(GuessKind.Password, subject, client, guess.Device, CancellationToken.None);
                break;
        }

        return new(check.Verdict);
    }
}

/// <param name="RetryAfter">When to try again, where there were too many tries and nothing was checked.</param>
internal readonly record struct PresentPasswordResult(PasswordVerdict Verdict, TimeSpan? RetryAfter = null);
