using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Lintel.Features.Accounts.Audit;
using Lintel.Platform.Errors;
using Lintel.Platform.Http;
using Lintel.Platform.OpenApi;
using Lintel.Platform.RateLimits;
using Lintel.Platform.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Lintel.Features.Accounts.Sessions;

internal static class SessionEndpoints
{
    private const string Current = "current";

    public static void MapSessions(this IEndpointRouteBuilder routes)
    {
        var sessions = routes.MapGroup("/auth/sessions").WithTags("Accounts").RequirePerson().RateLimited();
        sessions.MapGet("", ListAsync).WithName("ListSessions").WithSummary("List your sessions, the one used last first")
            .WithDescription("A session is a sign-in on one device. Those that were ended, or were not used for long, are not listed.");
        sessions.MapDelete("{id:guid}", EndAsync).WithName("EndSession").WithSummary("End one of your sessions")
            .WithDescription("Its tokens are refused from now on, and its open sockets and event streams are closed, on every node. It may be the one that asks.")
            .ProducesErrors(404).DescribeResponse(204, "The session is over.");
        sessions.MapDelete("", EndAllAsync).WithName("EndSessions").WithSummary("End all of your sessions, or all but the one that asks")
            .WithDescription("API keys are not sessions; they stay until they are revoked.");
    }

    private static async Task<Ok<SessionList>> ListAsync(HttpContext context, Caller caller, OwnSessions sessions)
    {
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(new SessionList(await sessions.ListAsync(caller.OwnerId, caller.SessionId, context.RequestAborted), null));
    }

    private static async Task<Results<NoContent, ErrorResult>> EndAsync(
        [Description("The session's id, from the list.")] Guid id, HttpContext context, Caller caller, OwnSessions sessions, ForwardedClient forwarded, AccountLog log)
    {
        if (!await sessions.EndAsync(caller.OwnerId, id, Actor.Of(context, caller, forwarded)))
        {
            return ApiErrors.NotFound("You have no such session; it may have ended already.");
        }

        log.SignedOut(caller.OwnerId, id);
        return TypedResults.NoContent();
    }

    private static async Task<Results<Ok<EndedSessions>, ErrorResult>> EndAllAsync(
        HttpContext context,
        Caller caller,
        OwnSessions sessions,
        ForwardedClient forwarded,
        AccountLog log,
        [Description("`current` leaves out the session that asks."), AllowedValues(Current)] string? except = null)
    {
        if (except is not (null or Current))
        {
            return ApiErrors.Invalid("except", "Must be current, or be left out.");
        }

        var ended = await sessions.EndAllAsync(caller.OwnerId, except is null ? null : caller.SessionId, Actor.Of(context, caller, forwarded));
        log.SignedOutOfMany(caller.OwnerId, ended);
        return TypedResults.Ok(new EndedSessions(ended));
    }
}
