using Lintel.Features.Accounts.Credentials;
using Lintel.Features.Accounts.Guessing;
using Lintel.Features.Accounts.Passwords;
using Lintel.Features.Accounts.SecondFactors;
using Lintel.Features.Accounts.SecondFactors.Challenges;
using Lintel.Platform.Errors;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Lintel.Features.Accounts;

/// <summary>What a client gets to hear of a sign-in, the same for every way to sign in.</summary>
internal sealed class SignInAnswers(TokenSigner signer, TokenOptions options, PasswordHashing passwords)
{
    public Results<Ok<TokenPair>, ErrorResult> For(HttpContext context, SignInResult result) => result switch
    {
        { Grant: { } grant } => Tokens(context, grant.ToPair(signer, options) with { DeviceToken = result.DeviceToken }),
        { Challenge: { } challenge } => Challenge(context, challenge),
        { Status: SignInStatus.Busy } => Busy(),
        { Status: SignInStatus.TooManyTries } => TooManyTries(result.RetryAfter),
        { Status: SignInStatus.Unverified } => ApiErrors.Forbidden("Confirm your e-mail address first: follow the link that was mailed to it, or ask for another."),
        _ => ApiErrors.InvalidCredentials(),
    };

    /// <summary>For whatever <see cref="Guesses"/> did not let in.</summary>
    public static ErrorResult TooManyTries(TimeSpan retryAfter) => ApiErrors.RateLimited("There were too many wrong tries; wait before the next one.", retryAfter);

    public static Ok<TokenPair> Tokens(HttpContext context, TokenPair pair)
    {
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(pair);
    }

    public ErrorResult Busy() => ApiErrors.ServiceUnavailable("Too many people are signing in just now; try again shortly.", passwords.RetryAfter);

    private static ErrorResult Challenge(HttpContext context, IssuedChallenge challenge)
    {
        context.Response.Headers.CacheControl = "no-store";
        return StepUp.Answer("A second factor is needed: answer the challenge with POST /auth/2fa.", challenge);
    }
}
