namespace Lintel.Platform.Breakers;

/// <summary>When a breaker opens and how long it stays so.</summary>
internal sealed record BreakerOptions
{
    /// <summary>Failures within <see cref="Window"/>, and no success, that open it.</summary>
    public int Failures { get; init; } = 5;

    public TimeSpan Window { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long nothing is tried. Then one call is let through, which closes it or opens it again.</summary>
    public TimeSpan OpenFor { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Which exceptions say that the dependency does not work, rather than that it refused this one request.</summary>
    public Func<Exception, bool> IsFailure { get; init; } = static _ => true;
}
