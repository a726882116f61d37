using Microsoft.AspNetCore.Http.HttpResults;

namespace Lintel.Platform.Health;

internal static partial class HealthEndpoints
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private static readonly Ok<HealthStatus> Up = TypedResults.Ok(new HealthStatus("ok"));

    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        var health = routes.MapGroup("/health").WithTags("Health");
        health.MapGet("", GetHealth).WithName("GetHealth").WithSummary("Tell that the server is up");
        health.MapGet("/ready", GetReadinessAsync).WithName("GetReadiness").WithSummary("Tell whether this node should be sent requests")
            .Produces<ReadinessReport>(StatusCodes.Status200OK)
            .Produces<ReadinessReport>(StatusCodes.Status503ServiceUnavailable);
    }

    internal static Ok<HealthStatus> GetHealth() => Up;

    internal static async Task<JsonHttpResult<ReadinessReport>> GetReadinessAsync(
        IEnumerable<IReadinessCheck> checks, IHostApplicationLifetime lifetime, TimeProvider time, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var logger = loggers.CreateLogger(typeof(HealthEndpoints).FullName!);
        var dependencies = await Task.WhenAll(checks.Select(check => CheckAsync(check, time, logger, cancellationToken)));
        var status = lifetime.ApplicationStopping.IsCancellationRequested ? "draining"
            : Array.TrueForAll(dependencies, static dependency => dependency.Status != "failed") ? "ready"
            : "unavailable";
        return TypedResults.Json(
            new ReadinessReport(status, dependencies),
            statusCode: status == "ready" ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
    }

    private static async Task<DependencyReport> CheckAsync(IReadinessCheck check, TimeProvider time, ILogger logger, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        Readiness outcome;
        try
        {
            // On a thread of the pool: a check that blocks must not hold up the others or outlive our patience.
            outcome = await Task.Run(() => check.CheckAsync(cancellationToken).AsTask(), cancellationToken).WaitAsync(Patience, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            outcome = Readiness.Failed("No answer in time.");
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            Log.CheckFailed(logger, failure, check.Name);
            outcome = Readiness.Failed("The check failed; the log tells why.");
        }

        var duration = Math.Round(time.GetElapsedTime(started).TotalMilliseconds, 3);
        return new(check.Name, outcome switch { { IsDegraded: true } => "degraded", { IsReady: true } => "ok", _ => "failed" }, outcome.Detail, duration);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "The readiness check of {Dependency} failed.")]
        public static partial void CheckFailed(ILogger logger, Exception failure, string dependency);
    }
}
