using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Lintel.Features.Accounts;
using Lintel.Features.Accounts.Audit;
using Lintel.Features.Accounts.SecondFactors;
using Lintel.Platform.Errors;
using Lintel.Platform.Http;
using Lintel.Platform.OpenApi;
using Lintel.Platform.RateLimits;
using Lintel.Platform.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Lintel.Features.Administration;

internal static class UserEndpoints
{
    private const int MaxBodyBytes = 16 * 1024;
    private const int MaxSearch = 254;
    private const int DefaultPage = 50;
    private const int MaxPage = 200;
    private const string IfMatchMeaning = "An `ETag` of the account: it is left as it is, with 409, where it has changed since.";
    private const string IdMeaning = "The account's number.";

    public static void MapUsers(this IEndpointRouteBuilder routes)
    {
        var users = routes.MapGroup("/api/admin/users").WithTags("Administration").RequireCaller(Scopes.Admin).RateLimited().MaxBody(MaxBodyBytes);
        users.MapGet("", ListAsync).WithName("ListUsers").WithSummary("List and search accounts, newest first");
        users.MapGet("{id:long}", GetAsync).WithName("GetUser").WithSummary("Get an account").ProducesErrors(404)
            .DescribeResponse(200, null, ("ETag", "What the account is now, for `If-Match`."));
        users.MapPost("{id:long}/disable", DisableAsync).WithName("DisableUser").WithSummary("Keep a person from signing in")
            .WithDescription(
                "Their sessions end and their API keys are revoked at once, with open sockets and streams, on every node. The last administrator cannot be disabled. " + AdminProof.Wanted)
            .ProducesErrors(404, 409).DescribeHeader(IfMatch.Header, IfMatchMeaning);
        users.MapPost("{id:long}/enable", EnableAsync).WithName("EnableUser").WithSummary("Let a person sign in again")
            .WithDescription("Keys that were revoked stay so. " + AdminProof.Wanted).ProducesErrors(404, 409).DescribeHeader(IfMatch.Header, IfMatchMeaning);
        users.MapPost("{id:long}/sign-out", SignOutAsync).WithName("SignOutUser").WithSummary("End all sessions of a person")
            .WithDescription("With `?keys=true` their API keys too. " + AdminProof.Wanted).ProducesErrors(404, 409).DescribeHeader(IfMatch.Header, IfMatchMeaning);
        users.MapDelete("{id:long}/second-factors", RemoveFactorsAsync).WithName("RemoveUserFactors").WithSummary("Remove the second factors of a person who lost them")
            .WithDescription(
                "Authenticator app, passkeys, recovery codes and remembered devices: the password is enough again. All sessions end, and the person is told by mail. "
                + "Make sure that it is them who asks. 404 also where the account has no second factor. " + AdminProof.Wanted)
            .ProducesErrors(404, 409).DescribeHeader(IfMatch.Header, IfMatchMeaning);
        users.MapPut("{id:long}/role", ChangeRoleAsync).WithName("ChangeUserRole").WithSummary("Make somebody an administrator, or no longer one")
            .WithDescription(
                "Who is no longer one is signed out, and keys with the scope `admin` are revoked. A new one gets the scope `admin` with the next refresh or sign-in. "
                + "The last administrator stays one, and an account whose address was never confirmed becomes none without `force`: both are 409. " + AdminProof.Wanted)
            .ProducesErrors(404, 409).DescribeHeader(IfMatch.Header, IfMatchMeaning);
    }

    private static async Task<Results<Ok<UserList>, ErrorResult>> ListAsync(
        UserTable table,
        CancellationToken cancellationToken,
        [Description("Only accounts whose e-mail address begins with this, or whose name has it in it."), StringLength(MaxSearch)] string? q = null,
        [Description("Only accounts of this role."), AllowedValues(AccountRoles.User, AccountRoles.Admin)] string? role = null,
        [Description("Only accounts in this state."), AllowedValues(UserStates.Active, UserStates.Disabled, UserStates.Deleting)] string? state = null,
        [Description("The `next` of an earlier page.")] string? after = null,
        [Description("How many accounts a page has at most."), Range(1, MaxPage)] int limit = DefaultPage)
    {
        if (limit is < 1 or > MaxPage)
        {
            return ApiErrors.Invalid("limit", string.Create(CultureInfo.InvariantCulture, $"Must be from 1 to {MaxPage}."));
        }

        if (q?.Length > MaxSearch || q?.Contains('\0', StringComparison.Ordinal) == true)
        {
            return ApiErrors.Invalid("q", string.Create(CultureInfo.InvariantCulture, $"Must be a text of at most {MaxSearch} characters."));
        }

        if (role is not (null or AccountRoles.User or AccountRoles.Admin))
        {
            return ApiErrors.Invalid("role", "Must be user or admin.");
        }

        if (state is not (null or UserStates.Active or UserStates.Disabled or UserStates.Deleting))
        {
            return ApiErrors.Invalid("state", "Must be active, disabled or deleting.");
        }

        var before = long.MaxValue;
        if (after is not null && !long.TryParse(after, NumberStyles.None, CultureInfo.InvariantCulture, out before))
        {
            return ApiErrors.Invalid("after", "Must be the next of an earlier page.");
        }

        // One more than asked for tells whether there is a next page.
        var users = await table.ListAsync(new(q, role, state), before, limit + 1, cancellationToken);
        var page = users.Take(limit).Select(UserView.From).ToList();
        return TypedResults.Ok(new UserList(page, users.Count > limit ? page[^1].Id.ToString(CultureInfo.InvariantCulture) : null));
    }

    private static async Task<Results<Ok<UserView>, ErrorResult>> GetAsync([Description(IdMeaning)] long id, HttpContext context, UserTable table) =>
        Answer(context, await table.FindAsync(id, context.RequestAborted) is { } user ? (UserChange.Done, user) : (UserChange.NotFound, null));

    private static async Task<Results<Ok<UserView>, ErrorResult>> DisableAsync(
        [Description(IdMeaning)] long id, AdminReason? request, HttpContext context, Caller caller, UserTable table, StepUp stepUp, ForwardedClient forwarded) =>
        (Check(request?.Reason) ?? await AdminProof.RequireAsync(caller, stepUp, context.RequestAborted)) is { } refusal
            ? refusal
            : Answer(context, await table.DisableAsync(id, CommandOf(context, caller, forwarded, request?.Reason), CancellationToken.None));

    private static async Task<Results<Ok<UserView>, ErrorResult>> EnableAsync(
        [Description(IdMeaning)] long id, AdminReason? request, HttpContext context, Caller caller, UserTable table, StepUp stepUp, ForwardedClient forwarded) =>
        (Check(request?.Reason) ?? await AdminProof.RequireAsync(caller, stepUp, context.RequestAborted)) is { } refusal
            ? refusal
            : Answer(context, await table.EnableAsync(id, CommandOf(context, caller, forwarded, request?.Reason), CancellationToken.None));

    private static async Task<Results<Ok<UserView>, ErrorResult>> ChangeRoleAsync(
        [Description(IdMeaning)] long id, ChangeRole request, HttpContext context, Caller caller, UserTable table, StepUp stepUp, ForwardedClient forwarded)
    {
        if (request.Role is not (AccountRoles.User or AccountRoles.Admin))
        {
            return ApiErrors.Invalid("role", "Must be user or admin.");
        }

        return (Check(request.Reason) ?? await AdminProof.RequireAsync(caller, stepUp, context.RequestAborted)) is { } refusal
            ? refusal
            : Answer(context, await table.ChangeRoleAsync(id, request.Role, request.Force, CommandOf(context, caller, forwarded, request.Reason), CancellationToken.None));
    }

    private static async Task<Results<Ok<SignedOutUser>, ErrorResult>> SignOutAsync(
        [Description(IdMeaning)] long id,
        AdminReason? request,
        HttpContext context,
        Caller caller,
        UserTable table,
        StepUp stepUp,
        ForwardedClient forwarded,
        [Description("Whether to revoke the person's API keys too.")] bool keys = false)
    {
        if ((Check(request?.Reason) ?? await AdminProof.RequireAsync(caller, stepUp, context.RequestAborted)) is { } refusal)
        {
            return refusal;
        }

        var (change, ended) = await table.SignOutAsync(id, keys, CommandOf(context, caller, forwarded, request?.Reason), CancellationToken.None);
        return Explain(change) is { } fault ? fault : TypedResults.Ok(ended);
    }

    private static async Task<Results<Ok<RemovedFactors>, ErrorResult>> RemoveFactorsAsync(
        [Description(IdMeaning)] long id,
        HttpContext context,
        Caller caller,
        UserTable table,
        StepUp stepUp,
        ForwardedClient forwarded,
        [Description("Why: it goes into the audit, where the account's owner can read it."), StringLength(AdminReason.MaxLength)] string? reason = null)
    {
        if ((Check(reason) ?? await AdminProof.RequireAsync(caller, stepUp, context.RequestAborted)) is { } refusal)
        {
            return refusal;
        }

        var (change, removed) = await table.RemoveFactorsAsync(id, CommandOf(context, caller, forwarded, reason), CancellationToken.None);
        return Explain(change) is { } fault ? fault : TypedResults.Ok(removed);
    }

    internal static UserCommand CommandOf(HttpContext context, Caller caller, ForwardedClient forwarded, string? reason) =>
        new(Actor.Of(context, caller, forwarded), reason is { Length: > 0 } ? reason : null, IfMatch.Of(context.Request));

    internal static ErrorResult? Check(string? reason) =>
        reason is null || (reason.Length <= AdminReason.MaxLength && !reason.Any(char.IsControl))
            ? null
            : ApiErrors.Invalid("reason", string.Create(CultureInfo.InvariantCulture, $"Must be a text of at most {AdminReason.MaxLength} characters, on one line."));

    internal static ErrorResult? Explain(UserChange change) => change switch
    {
        UserChange.Done => null,
        UserChange.NotFound => NoSuchUser(),
        UserChange.Stale => ApiErrors.Conflict("The account has changed since; get it again and decide anew."),
        UserChange.NoFactor => ApiErrors.NotFound("This account has no second factor."),
        UserChange.Deleting => ApiErrors.Conflict("The account is being deleted."),
        UserChange.Unconfirmed => ApiErrors.Conflict(
            "The address of this account was never confirmed, so whoever registered it may be somebody else. Have its owner confirm it; or add \"force\": true if you know whose account it is."),
        _ => ApiErrors.Conflict("This is the last administrator who can sign in; make somebody else one first."),
    };

    private static Results<Ok<UserView>, ErrorResult> Answer(HttpContext context, (UserChange Change, User? User) result)
    {
        if (Explain(result.Change) is { } refusal)
        {
            return refusal;
        }

        context.Response.Headers.ETag = result.User!.ETag;
        return TypedResults.Ok(UserView.From(result.User));
    }

    private static ErrorResult NoSuchUser() => ApiErrors.NotFound("There is no account of this id.");
}
