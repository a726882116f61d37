using Lintel.Platform.Privacy;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Lintel.Platform.RateLimits;

/// <summary>The answer of the demonstration route.</summary>
/// <param name="Message">For people.</param>
public sealed record LimitedAnswer(string Message);

internal static class RateLimitsFeature
{
    private static readonly RateLimitPolicy Demonstration = new("demonstration", 5, TimeSpan.FromMinutes(1));
    private static readonly Ok<LimitedAnswer> Answer = TypedResults.Ok(new LimitedAnswer("You may ask this 5 times a minute."));

    public static void AddRateLimits(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<SharedRateLimits>();
        builder.Services.AddSingleton(static services =>
        {
            var shared = services.GetRequiredService<SharedRateLimits>();
            return new RateLimitPartitions(services.GetRequiredService<TimeProvider>(), RateLimitPartitions.DefaultCapacity, shared.IsUsed ? shared : null);
        });
        builder.Services.AddSingleton<RateLimiting>();
        builder.Services.AddSingleton<IPersonalData, RateLimitPersonalData>();
        builder.Services.AddHostedService<RateLimitRetentionWorker>();
    }

    public static void MapRateLimits(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/limited", GetLimited).WithName("GetLimited").WithTags("Rate limits")
            .WithSummary("Show the rate limit headers").RateLimited(Demonstration);

    internal static Ok<LimitedAnswer> GetLimited() => Answer;
}
