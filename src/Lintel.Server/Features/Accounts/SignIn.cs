using Lintel.Features.Accounts.Passwords;
using Lintel.Features.Accounts.Sessions;

namespace Lintel.Features.Accounts;

/// <summary>From an e-mail address and a password to a session.</summary>
internal sealed class SignIn(
    AccountTable accounts, PasswordHashing passwords, SignInCompletion completion, AccountLog log)
{
    /// <summary>Whatever is wrong, the answer and its time are the same: nobody learns here who has an account.</summary>
    public async Task<SignInResult> RunAsync(string email, string password, ClientInfo client, CancellationToken cancellationToken)
    {
        var account = await accounts.FindSecretsAsync(email, cancellationToken);
        var check = await passwords.CheckAsync(account?.PasswordHash, password, client.Address ?? "", cancellationToken);
        if (check.Verdict == PasswordVerdict.Busy)
        {
            return new(SignInStatus.Busy);
        }

        if (account is null || check.Verdict != PasswordVerdict.Right || !account.IsActive)
        {
            return Refuse(account, check.Verdict);
        }

        var result = await completion.CompleteAsync(account, new(AuthMethods.Password, client, check.NewHash), cancellationToken);
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

    /// <summary>Too many wait to be hashed; nothing was checked.</summary>
    Busy,
}

internal readonly record struct SignInResult(SignInStatus Status, SessionGrant? Grant = null);
