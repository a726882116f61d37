using Lintel.Features.Accounts.Audit;
using Lintel.Features.Accounts.SecondFactors;
using Lintel.Features.Accounts.SecondFactors.Devices;
using Lintel.Features.Accounts.Sessions;
using Lintel.Platform.Errors;
using Lintel.Platform.Http;
using Lintel.Platform.OpenApi;
using Lintel.Platform.RateLimits;
using Lintel.Platform.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Lintel.Features.Accounts.Email;

internal static class EmailEndpoints
{
    private const string LinkFault = "The link was used, has expired, or the account has changed since.";
    private const string Form = "application/x-www-form-urlencoded";
    private const string SameForAll = "The answer is the same whether there is such an account or not, and so is its time. Who asks often has the message a little later.";

    /// <param name="auth">The group <c>/auth</c>.</param>
    public static void MapEmail(this RouteGroupBuilder auth, AccountRateLimits limits)
    {
        auth.MapPost("email/verify/request", AskForVerificationAsync).WithName("RequestEmailVerification").WithSummary("Ask for the link that confirms an address once more")
            .WithDescription(SameForAll).Accepts<EmailAddressRequest>("application/json").RateLimited(limits.Email);
        auth.MapGet("email/verify", ShowVerify).ExcludeFromDescription();
        auth.MapPost("email/verify", VerifyAsync).FollowsLink("VerifyEmail", "Confirm an address by a mailed link");

        auth.MapPost("email/code", AskForCodeAsync).WithName("RequestSignInCode").WithSummary("Ask for a code to sign in with")
            .WithDescription($"Eight digits, good for ten minutes, in place of any before it. {SameForAll}").Accepts<EmailAddressRequest>("application/json").RateLimited(limits.Email);
        auth.MapPost("login/code", LogInByCodeAsync).WithName("LoginByCode").WithSummary("Sign in with a mailed code")
            .WithDescription(
                "A code may be tried five times; then it is good no more. For an account with a second factor the right code is answered "
                + "with 401 `AUTH_2FA_REQUIRED` and a challenge for `POST /auth/2fa`. Only failures count against the rate limit.")
            .Accepts<CodeLoginRequest>("application/json").ProducesErrors(401, 403).RateLimited(limits.SignIn);

        auth.MapPost("email/change", AskForChangeAsync).WithName("ChangeEmail").WithSummary("Ask for another address")
            .WithDescription("Links are mailed to both addresses, and the change takes place when both have confirmed it; the old one need not where it was never confirmed itself.")
            .Accepts<EmailAddressRequest>("application/json").RequirePerson().ProducesErrors(401).RateLimited(limits.Email);
        auth.MapGet("email/change/confirm-old", ShowConfirmOld).ExcludeFromDescription();
        auth.MapPost("email/change/confirm-old", ConfirmOldAsync).FollowsLink("ConfirmEmailChangeFromOld", "Confirm a change of address from the old one");
        auth.MapGet("email/change/confirm-new", ShowConfirmNew).ExcludeFromDescription();
        auth.MapPost("email/change/confirm-new", ConfirmNewAsync).FollowsLink("ConfirmEmailChangeFromNew", "Confirm a change of address from the new one");
        auth.MapGet("email/change/cancel", ShowCancel).ExcludeFromDescription();
        auth.MapPost("email/change/cancel", CancelAsync).FollowsLink("CancelEmailChange", "Give up a change of address");
    }

    /// <summary>Keeps a request for mail and answers alike for all addresses.</summary>
    public static async Task<Results<Accepted<AccountMessage>, ErrorResult>> RequestAsync(
        HttpContext context, EmailRequests requests, ForwardedClient forwarded, string purpose, long? accountId = null)
    {
        var fields = await RequestFields.ReadJsonAsync(context);
        var email = fields.Required("email").Trim();
        if (!EmailAddress.IsValid(email))
        {
            fields.Refuse("email", "Must be an e-mail address.");
        }

        if (fields.Error is { } error)
        {
            return error;
        }

        return await requests.AddAsync(purpose, email, accountId, RememberedDevices.TokenOf(context), ClientInfo.Of(context, forwarded), context.RequestAborted)
            ? TypedResults.Accepted((string?)null, new AccountMessage("If this can be done, a message is on its way."))
            : ApiErrors.ServiceUnavailable("Too much mail waits just now; try again shortly.");
    }

    /// <summary>What answers a link's button, as a form, and other people's front ends, as JSON. No cookie comes with either: all that they may do comes from the token.</summary>
    private static void FollowsLink(this RouteHandlerBuilder route, string name, string summary) =>
        route.WithName(name).WithSummary(summary).WithDescription("The link is good once.")
            .Accepts<LinkRequest>("application/json", Form).DescribeForm(typeof(LinkRequest)).RateLimited();

    private static Task<Results<Accepted<AccountMessage>, ErrorResult>> AskForVerificationAsync(HttpContext context, EmailRequests requests, ForwardedClient forwarded) =>
        RequestAsync(context, requests, forwarded, EmailPurposes.Verify);

    private static Task<Results<Accepted<AccountMessage>, ErrorResult>> AskForCodeAsync(HttpContext context, EmailRequests requests, ForwardedClient forwarded) =>
        RequestAsync(context, requests, forwarded, EmailPurposes.SignInCode);

    private static async Task<Results<Accepted<AccountMessage>, ErrorResult>> AskForChangeAsync(
        HttpContext context, Caller caller, EmailRequests requests, StepUp stepUp, ForwardedClient forwarded) =>
        await stepUp.RequireAsync(caller, context.RequestAborted) is { } stale
            ? stale
            : await RequestAsync(context, requests, forwarded, EmailPurposes.Change, caller.OwnerId);

    private static async Task<Results<Ok<TokenPair>, ErrorResult>> LogInByCodeAsync(
        HttpContext context, EmailCodes codes, SignInAnswers answers, RateLimiting limits, ForwardedClient forwarded)
    {
        var fields = await RequestFields.ReadJsonAsync(context);
        var email = fields.Required("email");
        var code = fields.Required("code");
        var rememberDevice = fields.Flag("remember_device");
        if (fields.Error is { } error)
        {
            return error;
        }

        // A code that was right is used up, and whoever had it must get the answer.
        var result = await codes.SignInAsync(email, code, RememberedDevices.TokenOf(context), rememberDevice, ClientInfo.Of(context, forwarded), CancellationToken.None);
        if (result.Status != SignInStatus.Refused)
        {
            limits.GiveBack(context);
        }

        return answers.For(context, result);
    }

    private static LinkPage ShowVerify(string? token, LinkPages pages) =>
        pages.Ask(
            "Confirm your address",
            "Press the button to confirm that this address is yours. API keys, second factors and linked providers that were set up before end with it: whoever did may have been somebody else.",
            "Confirm address",
            "verify",
            token);

    private static Task<Results<Ok<AccountMessage>, LinkPage, ErrorResult>> VerifyAsync(HttpContext context, MailboxClaims claims, LinkPages pages, ForwardedClient forwarded) =>
        FollowAsync(context, pages, async token =>
            await claims.ClaimByLinkAsync(token, ActorOf(context, forwarded), CancellationToken.None) ? "Your e-mail address is confirmed." : null);

    private static LinkPage ShowConfirmOld(string? token, LinkPages pages) =>
        pages.Ask("Change your address", "Press the button to let your account move to the new address.", "Change address", "confirm-old", token);

    private static Task<Results<Ok<AccountMessage>, LinkPage, ErrorResult>> ConfirmOldAsync(HttpContext context, EmailChanges changes, LinkPages pages, ForwardedClient forwarded) =>
        FollowAsync(context, pages, async token => Describe(await changes.ConfirmAsync(LinkPurpose.ConfirmOld, token, ActorOf(context, forwarded), CancellationToken.None)));

    private static LinkPage ShowConfirmNew(string? token, LinkPages pages) =>
        pages.Ask(
            "Confirm your new address",
            "Press the button only if it was you who asked for this: this address then belongs to the account of whoever asked, and they stay signed in to it.",
            "Confirm address",
            "confirm-new",
            token);

    private static Task<Results<Ok<AccountMessage>, LinkPage, ErrorResult>> ConfirmNewAsync(HttpContext context, EmailChanges changes, LinkPages pages, ForwardedClient forwarded) =>
        FollowAsync(context, pages, async token => Describe(await changes.ConfirmAsync(LinkPurpose.ConfirmNew, token, ActorOf(context, forwarded), CancellationToken.None)));

    private static LinkPage ShowCancel(string? token, LinkPages pages) =>
        pages.Ask("Keep your address", "Press the button to give up the change of address. Then change your password: somebody was signed in to your account.", "Keep my address", "cancel", token);

    private static Task<Results<Ok<AccountMessage>, LinkPage, ErrorResult>> CancelAsync(HttpContext context, EmailChanges changes, LinkPages pages, ForwardedClient forwarded) =>
        FollowAsync(context, pages, async token => Describe(await changes.CancelAsync(token, ActorOf(context, forwarded), CancellationToken.None)));

    /// <param name="follow">Does what the link is for, and tells what happened; null where the link is not good.</param>
    private static async Task<Results<Ok<AccountMessage>, LinkPage, ErrorResult>> FollowAsync(HttpContext context, LinkPages pages, Func<string, Task<string?>> follow)
    {
        var isForm = context.Request.HasFormContentType;
        var fields = await (isForm ? RequestFields.ReadFormAsync(context) : RequestFields.ReadJsonAsync(context));
        var token = fields.Required("token");
        if (fields.Error is { } error)
        {
            return isForm ? pages.LinkIsOver() : error;
        }

        if (!EmailSecrets.IsToken(token) || await follow(token) is not { } happened)
        {
            return isForm ? pages.LinkIsOver() : ApiErrors.Invalid("token", LinkFault);
        }

        return isForm ? pages.Tell("Thank you", happened) : TypedResults.Ok(new AccountMessage(happened));
    }

    private static string? Describe(EmailChangeStatus status) => status switch
    {
        EmailChangeStatus.Waiting => "This address has confirmed the change. It takes place when the other one has, too.",
        EmailChangeStatus.Changed => "The e-mail address of your account is changed.",
        EmailChangeStatus.Taken => "There is an account with the new address by now; nothing was changed.",
        EmailChangeStatus.Cancelled => "Your e-mail address stays as it is.",
        _ => null,
    };

    private static Actor ActorOf(HttpContext context, ForwardedClient forwarded) => new(null, Client: ClientInfo.Of(context, forwarded));
}
