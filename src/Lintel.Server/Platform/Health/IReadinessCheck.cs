namespace Lintel.Platform.Health;

/// <summary>One dependency without which this node cannot do its work. Register it as a singleton service.</summary>
internal interface IReadinessCheck
{
    /// <summary>A lower-case word for the report, such as <c>database</c>.</summary>
    string Name { get; }

    /// <summary>Asked each time somebody wants to know, several at once; it is given two seconds. An exception counts as failed, and is logged, not told.</summary>
    ValueTask<Readiness> CheckAsync(CancellationToken cancellationToken);
}

/// <summary>The outcome of a check.</summary>
/// <param name="IsReady">Whether the dependency works.</param>
/// <param name="Detail">For an anonymous reader: no addresses, no secrets.</param>
internal readonly record struct Readiness(bool IsReady, string? Detail = null)
{
    /// <summary>It does not work, and the node does all the rest of its work without it.</summary>
    public bool IsDegraded { get; private init; }

    public static readonly Readiness Ready = new(true);

    public static Readiness ReadyWith(string detail) => new(true, detail);

    public static Readiness Degraded(string detail) => new(true, detail) { IsDegraded = true };

    public static Readiness Failed(string detail) => new(false, detail);
}
