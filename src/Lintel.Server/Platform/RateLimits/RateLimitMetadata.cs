namespace Lintel.Platform.RateLimits;

/// <summary>Endpoint metadata: requests are counted.</summary>
/// <param name="Policy">Null for the default one, of the settings.</param>
internal sealed record RateLimitMetadata(RateLimitPolicy? Policy)
{
    public static readonly RateLimitMetadata Default = new((RateLimitPolicy?)null);
}

internal static class RateLimitExtensions
{
    /// <summary>Limits the endpoint by <c>RATE_LIMIT_REQUESTS</c> a <c>RATE_LIMIT_WINDOW</c>, counted together with all others that have no policy of their own.</summary>
    public static TBuilder RateLimited<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(RateLimitMetadata.Default);

    /// <summary>Limits the endpoint by a policy of its own, counted together with the others that have the same one. The innermost mark wins.</summary>
    public static TBuilder RateLimited<TBuilder>(this TBuilder builder, RateLimitPolicy policy)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new RateLimitMetadata(policy));
}
