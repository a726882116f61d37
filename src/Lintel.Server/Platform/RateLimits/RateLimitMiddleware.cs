using Lintel.Platform.Errors;

namespace Lintel.Platform.RateLimits;

/// <summary>Refuses what is over its limit. It runs when the caller is known.</summary>
internal sealed class RateLimitMiddleware(RequestDelegate next, RateLimiting limits)
{
    public Task InvokeAsync(HttpContext context) =>
        limits.Admit(context) is { } refusal ? ErrorWriter.WriteAsync(context, refusal) : next(context);
}
