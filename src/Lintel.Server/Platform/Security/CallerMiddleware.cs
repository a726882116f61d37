using Lintel.Platform.Errors;
using Lintel.Platform.Http;
using Lintel.Platform.RateLimits;

namespace Lintel.Platform.Security;

/// <summary>
/// Finds out who calls, counts the request against that caller's limit, and refuses those whom the endpoint does not admit.
/// In this order, so that refused requests are counted too: guessing credentials is not free.
/// </summary>
internal sealed class CallerMiddleware(RequestDelegate next, CallerResolver callers, RateLimiting limits, ConnectionPlaces places)
{
    private static readonly ErrorResult NoPerson = ApiErrors.Forbidden("Only a person who is signed in may do this; a key may not.");

    public Task InvokeAsync(HttpContext context)
    {
        var requirement = context.GetEndpoint()?.Metadata.GetMetadata<CallerRequirement>();
        if (requirement is null && context.GetEndpoint()?.Metadata.GetMetadata<RateLimitMetadata>() is null)
        {
            return next(context);
        }

        // Nearly always known at once: then no state machine of this middleware stays behind the open response.
        var resolving = ResolveAsync(context, requirement);
        return resolving.IsCompletedSuccessfully
            ? ContinueAsync(context, requirement, resolving.GetAwaiter().GetResult())
            : ContinueLaterAsync(context, requirement, resolving);
    }

    private async Task ContinueLaterAsync(HttpContext context, CallerRequirement? requirement, ValueTask<CallerResult> resolving) =>
        await ContinueAsync(context, requirement, await resolving);

    private Task ContinueAsync(HttpContext context, CallerRequirement? requirement, CallerResult result)
    {
        if (result.Caller is { } caller)
        {
            context.Features.Set(caller);
        }

        var limited = limits.AdmitAsync(context);
        return limited.IsCompletedSuccessfully ? GoOnAsync(context, requirement, result, limited.Result) : GoOnLaterAsync(context, requirement, result, limited);
    }

    private async Task GoOnLaterAsync(HttpContext context, CallerRequirement? requirement, CallerResult result, ValueTask<ErrorResult?> limited) =>
        await GoOnAsync(context, requirement, result, await limited);

    private Task GoOnAsync(HttpContext context, CallerRequirement? requirement, CallerResult result, ErrorResult? limited)
    {
        var refusal = limited ?? Refuse(requirement, result) ?? RefuseStream(context, result.Caller);
        return refusal is null ? next(context) : ErrorWriter.WriteAsync(context, refusal);
    }

    private ValueTask<CallerResult> ResolveAsync(HttpContext context, CallerRequirement? requirement)
    {
        if (requirement is { AcceptsTicket: true }
            && context.Request.Headers.Authorization.Count == 0
            && !context.Request.Headers.ContainsKey("X-API-Key")
            && context.Request.Query["ticket"].ToString() is { Length: > 0 } ticket)
        {
            return callers.FromTicketAsync(ticket, context.Request.Path.Value ?? "", context.RequestAborted);
        }

        return callers.FromHeadersAsync(context);
    }

    private static ErrorResult? Refuse(CallerRequirement? requirement, CallerResult result)
    {
        // Anybody may ask; a credential only tells whose limit counts.
        if (requirement is null)
        {
            return null;
        }

        return result.Status switch
        {
            CredentialStatus.Valid => Refuse(requirement, result.Caller!),

            // A socket's credentials may come later.
            CredentialStatus.Missing => requirement.IsSocket ? null : ApiErrors.Unauthenticated(),
            CredentialStatus.Expired => ApiErrors.TokenExpired(),
            CredentialStatus.Revoked => ApiErrors.TokenRevoked(),
            CredentialStatus.Limited => ApiErrors.RateLimited(result.RetryAfter),
            _ => ApiErrors.TokenInvalid(),
        };
    }

    /// <summary>Of sockets the handshake sees to it, where the caller may be known later.</summary>
    private ErrorResult? RefuseStream(HttpContext context, Caller? caller)
    {
        if (caller is null || context.GetEndpoint()?.Metadata.GetMetadata<StreamMetadata>() is not { Kind: StreamKind.ServerSentEvents })
        {
            return null;
        }

        return !places.TryTakeAddress(context) ? ApiErrors.TooManyConnections(places.AddressRefusal)
            : !places.TryTake(context, caller.OwnerId) ? ApiErrors.TooManyConnections(places.OwnerRefusal)
            : null;
    }

    private static ErrorResult? Refuse(CallerRequirement requirement, Caller caller)
    {
        if (requirement.IsPerson && caller.SessionId is null)
        {
            return NoPerson;
        }

        return caller.Has(requirement.Scopes) ? null
            : ApiErrors.Forbidden($"This needs the scope {string.Join(", ", (requirement.Scopes & ~caller.Scopes).ToNames())}, which you do not have.");
    }
}

internal static class CallersSetup
{
    /// <summary>Adds the resolver. The features that issue credentials bring the verifiers.</summary>
    public static void AddCallers(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<CallerResolver>();
        builder.Services.AddSingleton<RevokedCredentials>();
        builder.Services.AddSingleton<ConnectionPlaces>();
    }

    /// <summary>Runs after routing.</summary>
    public static void UseCallers(this IApplicationBuilder app) => app.UseMiddleware<CallerMiddleware>();
}
