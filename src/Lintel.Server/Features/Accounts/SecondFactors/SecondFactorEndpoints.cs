using System.Text.Json;
using Lintel.Features.Accounts.Audit;
using Lintel.Features.Accounts.Credentials;
using Lintel.Features.Accounts.SecondFactors.Challenges;
using Lintel.Features.Accounts.SecondFactors.Codes;
using Lintel.Features.Accounts.SecondFactors.Devices;
using Lintel.Features.Accounts.SecondFactors.Passkeys;
using Lintel.Features.Accounts.Sessions;
using Lintel.Platform.Errors;
using Lintel.Platform.Http;
using Lintel.Platform.OpenApi;
using Lintel.Platform.RateLimits;
using Lintel.Platform.Security;
using Lintel.Platform.Storage;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Lintel.Features.Accounts.SecondFactors;

internal static class SecondFactorEndpoints
{
    public const string Tag = "Second factors";

    /// <summary>A passkey's answer may hold a chain of certificates.</summary>
    public const int MaxPasskeyBytes = 64 * 1024;

    private const string OneOf = "Give one of code, recovery_code, passkey and password.";

    public static void MapSecondFactors(this IEndpointRouteBuilder routes, AccountRateLimits limits)
    {
        var auth = routes.MapGroup("/auth").WithTags(Tag).MaxBody(RequestFields.MaxBodyBytes);
        auth.MapPost("2fa", AnswerAsync).WithName("AnswerChallenge").WithSummary("Answer a challenge: a second factor at a sign-in, or a proof for a dangerous operation")
            .WithDescription(
                "The challenge comes with a 401 of the code `AUTH_2FA_REQUIRED`, as `error.details.challenge`, and `methods` beside it names the ways to answer. It is good once, for five "
                + "minutes and five tries; a wrong answer is 401 `AUTH_INVALID_CREDENTIALS`, one that comes too late `AUTH_TOKEN_INVALID`. Answered at a sign-in it brings the pair of tokens; for a "
                + "session that is open it brings a 204, and the operation may be asked for again within ten minutes.")
            .MaxBody(MaxPasskeyBytes).ProducesErrors(401, 429).RateLimited(limits.SecondFactor)
            .DescribeResponse(204, "The person of the session has proved who they are; ask for the operation again.");
        auth.MapPost("2fa/passkey", AskPasskeyAsync).WithName("AskPasskeyForChallenge").WithSummary("Get what a passkey is to sign for a challenge")
            .WithDescription("For `navigator.credentials.get`; what the browser gives goes into `POST /auth/2fa` as `passkey`. An account without a passkey gets 409.")
            .ProducesErrors(401, 409).RateLimited(limits.SecondFactor);
        auth.MapGet("2fa", GetAsync).WithName("GetSecondFactors").WithSummary("See what second factors you have")
            .WithDescription("With none the password is enough to sign in.").RequirePerson().RateLimited();
        auth.MapPost("2fa/recovery-codes", MakeRecoveryCodesAsync).WithName("MakeRecoveryCodes").WithSummary("Make new recovery codes")
            .WithDescription("They are in this answer and nowhere else. The former ones are worthless from now on. " + StepUp.Wanted)
            .RequirePerson().RateLimited().ProducesErrors(401, 409);
        auth.MapTotp();
        auth.MapDevices();
        auth.MapPasskeys(limits);
    }

    private static async Task<Results<Ok<TokenPair>, NoContent, ErrorResult>> AnswerAsync(
        ChallengeAnswer request,
        HttpContext context,
        ChallengeAnswers answers,
        SignInAnswers signInAnswers,
        TokenSigner signer,
        TokenOptions options,
        ForwardedClient forwarded,
        RateLimiting limits)
    {
        if (request.Challenge is not { Length: > 0 })
        {
            return ApiErrors.Invalid("challenge", "This field is required.");
        }

        if (ProofOf(request) is not { } proof)
        {
            return ApiErrors.Invalid("code", OneOf);
        }

        var result = await answers.AnswerAsync(context, request.Challenge, proof, request.RememberDevice, ClientInfo.Of(context, forwarded));
        if (result.Status is AnswerStatus.SignedIn or AnswerStatus.SteppedUp)
        {
            limits.GiveBack(context);
        }

        return result switch
        {
            { Grant: { } grant } => SignInAnswers.Tokens(context, grant.ToPair(signer, options) with { DeviceToken = result.DeviceToken }),
            { Status: AnswerStatus.SteppedUp } => TypedResults.NoContent(),
            { Status: AnswerStatus.Busy } => signInAnswers.Busy(),
            { Status: AnswerStatus.TooManyTries } => SignInAnswers.TooManyTries(result.RetryAfter),
            { Status: AnswerStatus.Gone } => ApiErrors.TokenInvalid("The challenge does not hold any more; begin again."),
            { Status: AnswerStatus.NotOffered } => ApiErrors.Invalid(proof.Method == ChallengeMethods.Totp ? "code" : proof.Method, "This challenge is not to be answered so; it names the ways."),
            _ => ApiErrors.InvalidCredentials(proof.Method switch
            {
                ChallengeMethods.Passkey => "The passkey was not accepted; ask for its options again.",
                ChallengeMethods.Password => "Wrong password.",
                _ => "The code is wrong, or was used already.",
            }),
        };
    }

    /// <summary>The one proof that is there; null for none and for more.</summary>
    private static Proof? ProofOf(ChallengeAnswer request)
    {
        Proof?[] proofs =
        [
            request.Code is { } code ? new(ChallengeMethods.Totp, code) : null,
            request.RecoveryCode is { } recoveryCode ? new(ChallengeMethods.RecoveryCode, recoveryCode) : null,
            request.Password is { } password ? new(ChallengeMethods.Password, password) : null,
            request.Passkey is { ValueKind: JsonValueKind.Object } passkey ? new(ChallengeMethods.Passkey, "", passkey) : null,
        ];
        return proofs.Count(static proof => proof is not null) == 1 ? proofs.First(static proof => proof is not null) : null;
    }

    private static async Task<Results<Ok<PasskeyOptions>, ErrorResult>> AskPasskeyAsync(
        PasskeyChallenge request, HttpContext context, Database database, FactorChallenges challenges, FactorTable factors, PasskeyCeremonies ceremonies, RateLimiting limits)
    {
        var challenge = await database.ReadAsync(session => challenges.FindAsync(session, request.Challenge ?? ""), context.RequestAborted);
        if (challenge is null)
        {
            return ApiErrors.TokenInvalid("The challenge does not hold any more; begin again.");
        }

        if (await factors.FindAsync(challenge.AccountId, context.RequestAborted) is not { Passkeys: > 0 })
        {
            return ApiErrors.Conflict("This account has no passkey.");
        }

        var question = await ceremonies.AskToSignAsync(context, challenge.AccountId);
        if (!await database.WriteAsync(unit => FactorChallenges.SetPasskeyStateAsync(unit, challenge.Id, question.State), context.RequestAborted))
        {
            return ApiErrors.TokenInvalid("The challenge does not hold any more; begin again.");
        }

        limits.GiveBack(context);
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(new PasskeyOptions(request.Challenge!, question.Options, (long)FactorChallenges.Lifetime.TotalSeconds));
    }

    private static async Task<Results<Ok<SecondFactorsView>, ErrorResult>> GetAsync(Caller caller, FactorTable factors, CancellationToken cancellationToken) =>
        await factors.FindAsync(caller.OwnerId, cancellationToken) is { } state
            ? TypedResults.Ok(new SecondFactorsView(state.Any, state.HasTotp, state.Passkeys, state.RecoveryCodes))
            : ApiErrors.TokenRevoked();

    private static async Task<Results<Ok<RecoveryCodeList>, ErrorResult>> MakeRecoveryCodesAsync(
        HttpContext context, Caller caller, StepUp stepUp, Database database, RecoveryCodes recoveryCodes, FactorNews news, ForwardedClient forwarded)
    {
        if (await stepUp.RequireAsync(caller, context.RequestAborted) is { } error)
        {
            return error;
        }

        var (state, codes) = await database.WriteAsync<(FactorState?, IReadOnlyList<string>?)>(
            async unit =>
            {
                var locked = await FactorTable.LockAsync(unit, caller.OwnerId, caller.SessionId);
                if (locked is not { Any: true })
                {
                    return (locked, null);
                }

                await news.NoteAsync(unit, caller.OwnerId, Actor.Of(context, caller, forwarded), AccountEvents.RecoveryCodesMade);
                return (locked, await recoveryCodes.ReplaceAsync(unit, caller.OwnerId));
            },
            CancellationToken.None);
        if (state is null)
        {
            return ApiErrors.TokenRevoked();
        }

        if (codes is null)
        {
            return ApiErrors.Conflict("Recovery codes stand in for a second factor, and this account has none; add one first.");
        }

        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(new RecoveryCodeList(codes));
    }
}
