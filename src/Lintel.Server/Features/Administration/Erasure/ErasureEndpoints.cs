using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Lintel.Features.Accounts.Audit;
using Lintel.Features.Accounts.SecondFactors;
using Lintel.Platform.Errors;
using Lintel.Platform.Http;
using Lintel.Platform.OpenApi;
using Lintel.Platform.RateLimits;
using Lintel.Platform.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Lintel.Features.Administration.Erasure;

internal static class ErasureEndpoints
{
    private const string Lines =
        "JSON lines, each `{\"type\":…,\"data\":…}`: account, session, activity, api_key, job, notification, webhook, task, file, message, and what else there is. The last line is "
        + "`{\"type\":\"end\"}`; without it something is missing. Contents of files and events of jobs are got by their own routes.";

    private const string Gone =
        "From that moment nobody can use it: sessions end, keys are revoked, its address is free. Tasks, files, jobs, notifications, webhooks and rooms are removed within minutes; "
        + "messages in others' rooms lose their author and their words. It cannot be undone.";


    public static void MapErasure(this IEndpointRouteBuilder routes)
    {
        var own = routes.MapGroup("/auth/me").WithTags("Accounts").RequirePerson().RateLimited();
        own.MapDelete("", DeleteOwnAsync).WithName("DeleteMe").WithSummary("Delete your account with all its data").WithDescription(Gone + " " + StepUp.Wanted)
            .ProducesErrors(409).DescribeResponse(204, "It is nobody's any more, and what is left of it is being removed.");
        own.MapGet("export", ExportOwnAsync).WithName("ExportMe").WithSummary("Export all that is kept of you").WithDescription(Lines + " " + StepUp.Wanted)
            .Produces(200, contentType: "application/x-ndjson");

        var users = routes.MapGroup("/api/admin/users/{id:long}").WithTags("Administration").RequireCaller(Scopes.Admin).RateLimited();
        users.MapDelete("", DeleteAsync).WithName("DeleteUser").WithSummary("Delete an account with all its data").WithDescription(Gone + " " + AdminProof.Wanted)
            .ProducesErrors(404, 409).DescribeResponse(204, "It is nobody's any more, and what is left of it is being removed.");
        users.MapGet("export", ExportAsync).WithName("ExportUser").WithSummary("Export all that is kept of a person")
            .WithDescription(Lines + " The person can see that it was done. " + AdminProof.Wanted).ProducesErrors(404).Produces(200, contentType: "application/x-ndjson");
    }

    private static async Task<Results<NoContent, ErrorResult>> DeleteOwnAsync(
        HttpContext context, Caller caller, UserTable table, AccountErasure erasure, StepUp stepUp, ForwardedClient forwarded)
    {
        if (await stepUp.RequireAsync(caller, context.RequestAborted) is { } refusal)
        {
            return refusal;
        }

        var command = new UserCommand(Actor.Of(context, caller, forwarded), null, default);
        return Answer(await table.BeginDeletionAsync(caller.OwnerId, command, CancellationToken.None), erasure);
    }

    private static async Task<Results<NoContent, ErrorResult>> DeleteAsync(
        [Description("The account's number.")] long id,
        HttpContext context,
        Caller caller,
        UserTable table,
        AccountErasure erasure,
        StepUp stepUp,
        ForwardedClient forwarded,
        [Description("Why: it goes into the audit, where the account's owner can read it."), StringLength(AdminReason.MaxLength)] string? reason = null) =>
        (UserEndpoints.Check(reason) ?? await AdminProof.RequireAsync(caller, stepUp, context.RequestAborted)) is { } refusal
            ? refusal
            : Answer(await table.BeginDeletionAsync(id, UserEndpoints.CommandOf(context, caller, forwarded, reason), CancellationToken.None), erasure);

    private static async Task<Results<EmptyHttpResult, ErrorResult>> ExportOwnAsync(
        HttpContext context, Caller caller, DataExport export, StepUp stepUp, ForwardedClient forwarded) =>
        Sent(await stepUp.RequireAsync(caller, context.RequestAborted) ?? await export.SendAsync(context, caller.OwnerId, Actor.Of(context, caller, forwarded)));

    private static async Task<Results<EmptyHttpResult, ErrorResult>> ExportAsync(
        [Description("The account's number.")] long id, HttpContext context, Caller caller, UserTable table, DataExport export, StepUp stepUp, ForwardedClient forwarded)
    {
        if (await AdminProof.RequireAsync(caller, stepUp, context.RequestAborted) is { } refusal)
        {
            return refusal;
        }

        return await table.FindAsync(id, context.RequestAborted) switch
        {
            null => UserEndpoints.Explain(UserChange.NotFound)!,
            { DeletedAt: not null } => UserEndpoints.Explain(UserChange.Deleting)!,
            _ => Sent(await export.SendAsync(context, id, Actor.Of(context, caller, forwarded))),
        };
    }

    private static Results<EmptyHttpResult, ErrorResult> Sent(ErrorResult? refusal) => refusal is null ? TypedResults.Empty : refusal;

    private static Results<NoContent, ErrorResult> Answer((UserChange Change, User? User) result, AccountErasure erasure)
    {
        if (UserEndpoints.Explain(result.Change) is { } refusal)
        {
            return refusal;
        }

        erasure.Hurry();
        return TypedResults.NoContent();
    }
}
