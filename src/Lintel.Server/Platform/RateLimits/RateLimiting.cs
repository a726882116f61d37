using System.Globalization;
using Lintel.Platform.Configuration;
using Lintel.Platform.Errors;
using Lintel.Platform.Http;
using Lintel.Platform.Security;

namespace Lintel.Platform.RateLimits;

/// <summary>Counts the requests of limited endpoints and tells each client where it stands.</summary>
internal sealed class RateLimiting(RateLimitOptions options, RateLimitPartitions partitions, ForwardedClient client)
{
    private readonly RateLimitPolicy _default = new("default", options.Requests, options.Window);

    /// <summary>
    /// Counts the request and sets its headers. Call it once a request, when the caller is resolved or known to be refused: what
    /// is refused for its credentials counts for its address, or guessing would be free.
    /// </summary>
    /// <returns>Null where the request may go on.</returns>
    public ValueTask<ErrorResult?> AdmitAsync(HttpContext context)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<RateLimitMetadata>() is not { } limit)
        {
            return default;
        }

        var policy = PolicyOf(context, limit);
        var outcome = partitions.TakeAsync(PartitionOf(context, policy));
        return outcome.IsCompletedSuccessfully ? new(Tell(context, policy, outcome.Result)) : TellLaterAsync(context, policy, outcome);
    }

    private static async ValueTask<ErrorResult?> TellLaterAsync(HttpContext context, RateLimitPolicy policy, ValueTask<RateLimitOutcome> outcome) =>
        Tell(context, policy, await outcome);

    private static ErrorResult? Tell(HttpContext context, RateLimitPolicy policy, in RateLimitOutcome outcome)
    {
        var headers = context.Response.Headers;
        headers["X-RateLimit-Limit"] = policy.LimitText;
        headers["X-RateLimit-Remaining"] = outcome.Remaining.ToString(CultureInfo.InvariantCulture);
        headers["X-RateLimit-Window"] = policy.WindowText;
        headers["X-RateLimit-Reset"] = outcome.Reset;

        // The same in the words of the IETF's draft.
        headers["RateLimit-Policy"] = policy.PolicyText;
        headers["RateLimit"] = policy.StateText(outcome);
        return outcome.IsAllowed ? null : ApiErrors.RateLimited(outcome.ResetAfter);
    }

    /// <summary>
    /// Takes an admitted request out of the count again: for routes that limit failures alone. Counting first and giving back later leaves
    /// no moment in which many guesses at once go uncounted.
    /// </summary>
    public void GiveBack(HttpContext context)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<RateLimitMetadata>() is { } limit)
        {
            partitions.GiveBack(PartitionOf(context, PolicyOf(context, limit)));
        }
    }

    /// <summary>The default limit with a number of a caller's own, for <see cref="Caller.RateLimit"/>; null where it has none.</summary>
    public RateLimitPolicy? OwnLimit(int? requests) => requests is { } number ? _default.WithRequests(number) : null;

    /// <summary>A route's own policy says what that route can bear, whoever calls it.</summary>
    private RateLimitPolicy PolicyOf(HttpContext context, RateLimitMetadata limit) =>
        limit.Policy ?? context.Features.Get<Caller>()?.RateLimit ?? _default;

    private RateLimitPartition PartitionOf(HttpContext context, RateLimitPolicy policy) =>
        context.Features.Get<Caller>() is { } caller && !policy.CountsAddresses
            ? RateLimitPartition.OfCaller(policy, policy.CountsOwners ? string.Create(CultureInfo.InvariantCulture, $"owner:{caller.OwnerId}") : caller.RateLimitKey)
            : RateLimitPartition.OfAddress(policy, client.AddressOf(context));
}
