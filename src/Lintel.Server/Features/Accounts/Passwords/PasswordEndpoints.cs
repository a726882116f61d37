using Lintel.Features.Accounts.Audit;
using Lintel.Features.Accounts.Email;
using Lintel.Features.Accounts.SecondFactors;
using Lintel.Features.Accounts.SecondFactors.Devices;
using Lintel.Features.Accounts.Sessions;
using Lintel.Platform.Errors;
using Lintel.Platform.Http;
using Lintel.Platform.OpenApi;
using Lintel.Platform.RateLimits;
using Lintel.Platform.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Lintel.Features.Accounts.Passwords;

internal static class PasswordEndpoints
{
    private const string LinkFault = "The link was used, has expired, or the account has changed since: ask for a new one.";

    /// <param name="auth">The group <c>/auth</c>.</param>
    public static void MapPasswords(this RouteGroupBuilder auth, AccountRateLimits limits)
    {
        auth.MapPost("password", ChangeAsync).WithName("ChangePassword").WithSummary("Change your password")
            .WithDescription("With the present one; without it, only for somebody who proved who they are within ten minutes. All other sessions end, and you are told by mail.")
            .Accepts<ChangePasswordRequest>("application/json").RequirePerson().ProducesErrors(401, 409).RateLimited(limits.SignIn);
        auth.MapPost("password/forgot", ForgotAsync).WithName("ForgotPassword").WithSummary("Ask for a link to set a new password")
            .WithDescription("The answer is the same whether there is such an account or not, and so is its time.")
            .Accepts<EmailAddressRequest>("application/json").RateLimited(limits.Email);
        auth.MapGet("password/reset", ShowReset).ExcludeFromDescription();
        auth.MapPost("password/reset", ResetAsync).WithName("ResetPassword").WithSummary("Set a new password by a mailed link")
            .WithDescription("All sessions end. The link is good once, and while neither the address nor the password has changed.")
            .Accepts<ResetPasswordRequest>("application/json", "application/x-www-form-urlencoded").DescribeForm(typeof(ResetPasswordRequest)).RateLimited();
    }

    private static async Task<Results<NoContent, ErrorResult>> ChangeAsync(
        HttpContext context,
        Caller caller,
        PasswordChanges changes,
        PasswordRules rules,
        PresentPassword present,
        PasswordHashing passwords,
        SignInAnswers answers,
        StepUp stepUp,
        ForwardedClient forwarded,
        RateLimiting limits)
    {
        var cancellationToken = context.RequestAborted;
        var fields = await RequestFields.ReadJsonAsync(context);
        var password = fields.Required("new_password");
        var current = fields.Optional("current_password");
        if (fields.Error is { } malformed)
        {
            return malformed;
        }

        if (await changes.FindAsync(caller.OwnerId, cancellationToken) is not { } owner)
        {
            return ApiErrors.TokenRevoked();
        }

        if (current is null && await stepUp.RequireAsync(caller, cancellationToken) is { } stale)
        {
            return stale;
        }

        await rules.CheckAsync(fields, "new_password", password, [owner.Email, owner.Name], cancellationToken);
        if (fields.Error is { } weak)
        {
            return weak;
        }

        var client = ClientInfo.Of(context, forwarded);
        if (current is not null && await present.CheckAsync(owner, current, RememberedDevices.TokenOf(context), client, cancellationToken) is { Verdict: not PasswordVerdict.Right } refused)
        {
            return refused switch
            {
                { RetryAfter: { } retryAfter } => SignInAnswers.TooManyTries(retryAfter),
                { Verdict: PasswordVerdict.Busy } => answers.Busy(),
                _ => ApiErrors.Invalid("current_password", "Is not your password."),
            };
        }

        if (await passwords.HashAsync(password, client.Address ?? "", cancellationToken) is not { } hash)
        {
            return answers.Busy();
        }

        // Once it is written the client must hear of it.
        if (!await changes.ChangeAsync(owner, hash, caller.SessionId!.Value, Actor.Of(context, caller, forwarded), CancellationToken.None))
        {
            return ApiErrors.Conflict("The password was changed by somebody else meanwhile, or this session is over: sign in again.");
        }

        limits.GiveBack(context);
        return TypedResults.NoContent();
    }

    private static Task<Results<Accepted<AccountMessage>, ErrorResult>> ForgotAsync(HttpContext context, EmailRequests requests, ForwardedClient forwarded) =>
        EmailEndpoints.RequestAsync(context, requests, forwarded, EmailPurposes.ResetPassword);

    /// <summary>Shows a form. Nothing happens yet: programs that look at links in mail look at this.</summary>
    private static LinkPage ShowReset(string? token, LinkPages pages) => pages.AskForPassword(token);

    private static async Task<Results<Ok<AccountMessage>, LinkPage, ErrorResult>> ResetAsync(
        HttpContext context, PasswordChanges changes, PasswordRules rules, PasswordHashing passwords, SignInAnswers answers, LinkPages pages, ForwardedClient forwarded)
    {
        var cancellationToken = context.RequestAborted;
        var isForm = context.Request.HasFormContentType;
        var fields = await (isForm ? RequestFields.ReadFormAsync(context) : RequestFields.ReadJsonAsync(context));
        var token = fields.Required("token");
        var password = fields.Required("password");
        if (fields.Error is { } malformed)
        {
            return isForm ? pages.AskForPassword(token, "Enter a new password.") : malformed;
        }

        if (!EmailSecrets.IsToken(token) || await changes.FindAsync(token, cancellationToken) is not { } owner)
        {
            return isForm ? pages.LinkIsOver() : ApiErrors.Invalid("token", LinkFault);
        }

        // Before the link is used up: whoever chose a bad password may choose another.
        if (await rules.FindFaultAsync(password, [owner.Email, owner.Name], cancellationToken) is { } fault)
        {
            return isForm ? pages.AskForPassword(token, fault) : ApiErrors.Invalid("password", fault);
        }

        if (await passwords.HashAsync(password, forwarded.AddressOf(context).ToString(), cancellationToken) is not { } hash)
        {
            return isForm ? pages.AskForPassword(token, "Too many people are signing in just now; try again shortly.") : answers.Busy();
        }

        if (!await changes.ResetAsync(token, hash, new Actor(null, Client: ClientInfo.Of(context, forwarded)), CancellationToken.None))
        {
            return isForm ? pages.LinkIsOver() : ApiErrors.Invalid("token", LinkFault);
        }

        return isForm
            ? pages.Tell("Your password is changed", "You are signed out everywhere. Sign in with the new password.")
            : TypedResults.Ok(new AccountMessage("The password was changed; sign in with it."));
    }
}
