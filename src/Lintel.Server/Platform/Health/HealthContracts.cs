using System.ComponentModel.DataAnnotations;

namespace Lintel.Platform.Health;

/// <summary>The server is up. It says nothing of what it depends on.</summary>
/// <param name="Status">Always <c>ok</c>.</param>
public sealed record HealthStatus([property: AllowedValues("ok")] string Status);

/// <summary>Whether this node should be sent requests.</summary>
/// <param name="Status"><c>ready</c>, <c>unavailable</c> or <c>draining</c>.</param>
/// <param name="Dependencies">One entry for each.</param>
public sealed record ReadinessReport([property: AllowedValues("ready", "unavailable", "draining")] string Status, IReadOnlyList<DependencyReport> Dependencies);

/// <summary>How one dependency is.</summary>
/// <param name="Name">Such as <c>database</c>.</param>
/// <param name="Status"><c>ok</c>; <c>degraded</c>, it does not work and the node is ready for all that does not need it; or <c>failed</c>, the node is not ready.</param>
/// <param name="Detail">Why, where there is more to say.</param>
/// <param name="DurationMs">How long the check took.</param>
public sealed record DependencyReport(string Name, [property: AllowedValues("ok", "degraded", "failed")] string Status, string? Detail, double DurationMs);
