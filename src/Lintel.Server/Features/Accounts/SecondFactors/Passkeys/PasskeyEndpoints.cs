using System.ComponentModel;
using System.Globalization;
using System.Text.Json;
using Lintel.Features.Accounts.Audit;
using Lintel.Features.Accounts.SecondFactors.Challenges;
using Lintel.Features.Accounts.Sessions;
using Lintel.Platform.Errors;
using Lintel.Platform.Http;
using Lintel.Platform.Json;
using Lintel.Platform.OpenApi;
using Lintel.Platform.RateLimits;
using Lintel.Platform.Security;
using Lintel.Platform.Storage;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Lintel.Features.Accounts.SecondFactors.Passkeys;

internal static class PasskeyEndpoints
{
    private const int MaxName = 100;
    private const string IdMeaning = "The passkey's id, from the list.";

    public static void MapPasskeys(this RouteGroupBuilder auth, AccountRateLimits limits)
    {
        auth.MapPost("passkey/options", AskToSignInAsync).WithName("AskPasskeyToSignIn").WithSummary("Get what a passkey is to sign for a sign-in with it alone")
            .WithDescription("For `navigator.credentials.get`; what the browser gives goes into `POST /auth/passkey` as `passkey`.")
            .RateLimited();
        auth.MapPost("passkey", SignInAsync).WithName("SignInWithPasskey").WithSummary("Sign in with a passkey alone")
            .WithDescription("The passkey tells whose it is. It has verified its person, by a finger or a PIN, so no second factor is asked for.")
            .MaxBody(SecondFactorEndpoints.MaxPasskeyBytes).ProducesErrors(401).RateLimited(limits.SecondFactor);

        var passkeys = auth.MapGroup("passkeys").RequirePerson().RateLimited();
        passkeys.MapGet("", ListAsync).WithName("ListPasskeys").WithSummary("List your passkeys");
        passkeys.MapPost("options", AskToCreateAsync).WithName("AskForPasskey").WithSummary("Get what a browser is to make a passkey of")
            .WithDescription("For `navigator.credentials.create`; what the browser gives goes into `POST /auth/passkeys` as `passkey`. " + StepUp.Wanted).ProducesErrors(401, 409);
        passkeys.MapPost("", AddAsync).WithName("AddPasskey").WithSummary("Add a passkey")
            .WithDescription("From now on a sign-in with the password needs a second factor. With the first factor come recovery codes.")
            .MaxBody(SecondFactorEndpoints.MaxPasskeyBytes).ProducesErrors(401, 409).DescribeResponse(201, "The passkey was added.", ("Location", "`/auth/passkeys/{id}`."));
        passkeys.MapPatch("{id:guid}", RenameAsync).WithName("RenamePasskey").WithSummary("Give a passkey another name").ProducesErrors(404);
        passkeys.MapDelete("{id:guid}", RemoveAsync).WithName("RemovePasskey").WithSummary("Remove a passkey")
            .WithDescription("With the last factor the recovery codes and the remembered devices are forgotten. " + StepUp.Wanted)
            .ProducesErrors(401, 404).DescribeResponse(204, "It opens nothing any more.");
    }

    private static async Task<Ok<PasskeyOptions>> AskToSignInAsync(HttpContext context, PasskeySignIn signIn)
    {
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(await signIn.AskAsync(context));
    }

    private static async Task<Results<Ok<TokenPair>, ErrorResult>> SignInAsync(
        PasskeySignInRequest request, HttpContext context, PasskeySignIn signIn, SignInAnswers answers, ForwardedClient forwarded, RateLimiting limits)
    {
        if (Check(request.Challenge, request.Passkey) is { } invalid)
        {
            return invalid;
        }

        var result = await signIn.RunAsync(context, request.Challenge, request.Passkey, ClientInfo.Of(context, forwarded));
        if (result.Status == SignInStatus.Refused)
        {
            return ApiErrors.InvalidCredentials("The passkey was not accepted; ask for its options again.");
        }

        limits.GiveBack(context);
        return answers.For(context, result);
    }

    private static async Task<Ok<PasskeyList>> ListAsync(Caller caller, PasskeyTable passkeys, CancellationToken cancellationToken) =>
        TypedResults.Ok(new PasskeyList(await passkeys.ListAsync(caller.OwnerId, cancellationToken), null));

    private static async Task<Results<Ok<PasskeyOptions>, ErrorResult>> AskToCreateAsync(
        HttpContext context, Caller caller, StepUp stepUp, Database database, AccountTable accounts, FactorChallenges challenges, PasskeyCeremonies ceremonies)
    {
        if (await stepUp.RequireAsync(caller, context.RequestAborted) is { } error)
        {
            return error;
        }

        if (await accounts.FindAsync(caller.OwnerId, context.RequestAborted) is not { IsActive: true } account)
        {
            return ApiErrors.TokenRevoked();
        }

        var question = await ceremonies.AskToCreateAsync(context, account);
        var token = await database.WriteAsync(
            unit => challenges.IssueAsync(unit, ChallengeKinds.PasskeyCreation, account.Id, null, caller.SessionId, "", question.State), context.RequestAborted);
        context.Response.Headers.CacheControl = "no-store";
        return token is null ? ApiErrors.TokenRevoked() : TypedResults.Ok(new PasskeyOptions(token, question.Options, (long)FactorChallenges.Lifetime.TotalSeconds));
    }

    private static async Task<Results<Created<AddedPasskey>, ErrorResult>> AddAsync(
        AddPasskey request, HttpContext context, Caller caller, PasskeyRegistration registration, SecondFactorLog log, ForwardedClient forwarded)
    {
        var name = request.Name?.Trim() ?? "";
        if ((Check(request.Challenge, request.Passkey) ?? CheckName(name)) is { } invalid)
        {
            return invalid;
        }

        var (status, added) = await registration.AddAsync(context, request.Challenge, name, request.Passkey, caller, Actor.Of(context, caller, forwarded));
        switch (status)
        {
            case PasskeyRegistrationStatus.Gone:
                return ApiErrors.TokenInvalid("The challenge does not hold any more; ask for the options again.");
            case PasskeyRegistrationStatus.Refused:
                return ApiErrors.Invalid("passkey", "Is not what was asked for: check that the page is of the server's own address, and ask for the options again.");
            case PasskeyRegistrationStatus.Taken:
                return ApiErrors.Conflict("This passkey is registered already.");
            case PasskeyRegistrationStatus.Full:
                return ApiErrors.Conflict(string.Create(
                    CultureInfo.InvariantCulture, $"You have {PasskeyTable.MaxOfAccount} passkeys, which is as many as one account may have; remove one that you no longer need."));
            default:
                log.Added(caller.OwnerId, FactorNews.Passkey);
                context.Response.Headers.CacheControl = "no-store";
                return TypedResults.Created($"/auth/passkeys/{added!.Passkey.Id}", added);
        }
    }

    private static async Task<Results<Ok<PasskeyView>, ErrorResult>> RenameAsync([Description(IdMeaning)] Guid id, RenamePasskey request, Caller caller, PasskeyTable passkeys)
    {
        var name = request.Name?.Trim() ?? "";
        if (CheckName(name) is { } invalid)
        {
            return invalid;
        }

        return await passkeys.RenameAsync(caller.OwnerId, id, name, CancellationToken.None) is { } renamed ? TypedResults.Ok(renamed) : NoSuchPasskey();
    }

    private static async Task<Results<NoContent, ErrorResult>> RemoveAsync(
        [Description(IdMeaning)] Guid id, HttpContext context, Caller caller, StepUp stepUp, PasskeyRegistration registration, SecondFactorLog log, ForwardedClient forwarded)
    {
        if (await stepUp.RequireAsync(caller, context.RequestAborted) is { } error)
        {
            return error;
        }

        var removed = await registration.RemoveAsync(caller.OwnerId, id, Actor.Of(context, caller, forwarded));
        if (removed is not true)
        {
            return removed is null ? ApiErrors.TokenRevoked() : NoSuchPasskey();
        }

        log.Removed(caller.OwnerId, FactorNews.Passkey);
        return TypedResults.NoContent();
    }

    private static ErrorResult NoSuchPasskey() => ApiErrors.NotFound("You have no passkey of this id.");

    private static ErrorResult? Check(string? challenge, JsonElement passkey)
    {
        var errors = default(FieldErrors);
        if (challenge is not { Length: > 0 })
        {
            errors.Add("challenge", "This field is required.");
        }

        if (passkey.ValueKind != JsonValueKind.Object)
        {
            errors.Add("passkey", "Must be what the browser answered, as an object.");
        }

        return errors.Any ? ApiErrors.Invalid(errors) : null;
    }

    private static ErrorResult? CheckName(string name)
    {
        if (name.EnumerateRunes().Count() is < 1 or > MaxName)
        {
            return ApiErrors.Invalid("name", string.Create(CultureInfo.InvariantCulture, $"Must have 1 to {MaxName} characters."));
        }

        return name.Any(char.IsControl) ? ApiErrors.Invalid("name", "Must not have control characters.") : null;
    }
}
