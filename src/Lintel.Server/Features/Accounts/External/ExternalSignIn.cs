using Lintel.Features.Accounts.Audit;
using Lintel.Features.Accounts.Sessions;
using Lintel.Platform.Errors;

namespace Lintel.Features.Accounts.External;

/// <summary>From what a provider says to a session, by the same end as every other sign-in.</summary>
internal sealed class ExternalSignIn(ExternalCodes codes, ExternalIdentityTable identities, SignInCompletion completion, AccountOptions options, AccountLog log)
{
    public ExternalCodes Codes => codes;

    /// <returns>The result, or why there is none.</returns>
    public async Task<(SignInResult Result, ErrorResult? Refusal)> RunAsync(ExternalIdentity identity, string? deviceToken, ClientInfo client, CancellationToken cancellationToken)
    {
        var (match, account) = await identities.ResolveAsync(identity, options.IsRegistrationOpen, new Actor(null, Client: client), cancellationToken);
        if (account is null)
        {
            log.ExternalRefused(identity.Provider, match.ToString());
            return (default, Explain(match));
        }

        if (match == ExternalMatch.Registered)
        {
            log.Registered(account.Id);
        }

        var result = await completion.CompleteAsync(account, new(AuthMethods.Federated, client) { DeviceToken = deviceToken }, cancellationToken);
        return result.Status == SignInStatus.Refused ? (result, ApiErrors.Forbidden("This account is locked.")) : (result, null);
    }

    private static ErrorResult Explain(ExternalMatch match) => match switch
    {
        ExternalMatch.Unverified => ApiErrors.Conflict(
            "The provider does not vouch for your e-mail address. Verify it there; or sign in here in another way, and link the provider from inside (POST /auth/external/{provider}/link)."),
        ExternalMatch.Closed => ApiErrors.Forbidden("There is no account with this e-mail address, and registration is closed on this server."),
        _ => ApiErrors.Conflict(
            "There is an account with this e-mail address, which was not verified here or is linked to another one of this provider. "
            + "Sign in to it, and link the provider from inside (POST /auth/external/{provider}/link)."),
    };
}
