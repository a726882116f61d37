using Lintel.Features.Accounts.Sessions;

namespace Lintel.Features.Accounts;

/// <summary>From the proof of who somebody is to their session, the same whatever the proof was: a password, a code, a passkey, another provider's word.</summary>
internal sealed class SignInCompletion(SessionTable sessions, AccountLog log)
{
    /// <param name="account">Whose proof it was. Nothing is opened when the account was locked or its password changed since it was read.</param>
    public async Task<SignInResult> CompleteAsync(AccountSecrets account, SessionOpening opening, CancellationToken cancellationToken)
    {
        if (await sessions.OpenAsync(account, opening, cancellationToken) is not { } grant)
        {
            return new(SignInStatus.Refused);
        }

        log.SignedIn(account.Id, grant.SessionId);
        return new(SignInStatus.SignedIn, grant);
    }
}
