using System.Collections.Concurrent;

namespace Lintel.Platform.Breakers;

/// <summary>A breaker that a feature needs.</summary>
/// <param name="Name">Lower-case letters, digits and hyphens; the settings have it in upper case with underscores.</param>
internal sealed record BreakerDefinition(string Name, BreakerOptions Options);

/// <summary>The breakers of this node, by the name of what they stand before.</summary>
internal sealed class Breakers
{
    private readonly ConcurrentDictionary<string, Breaker> _breakers = new(StringComparer.Ordinal);
    private readonly BreakerSettings _settings;
    private readonly BreakerMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger<Breaker> _logger;

    public Breakers(IEnumerable<BreakerDefinition> definitions, BreakerSettings settings, BreakerMetrics metrics, TimeProvider time, ILogger<Breaker> logger)
    {
        (_settings, _metrics, _time, _logger) = (settings, metrics, time, logger);
        foreach (var definition in definitions)
        {
            Add(definition.Name, definition.Options);
        }
    }

    /// <summary>Is called with each change that the other nodes should hear of. It must be short.</summary>
    public Action<BreakerChange>? Changed { get; set; }

    public IEnumerable<Breaker> All => _breakers.Values.OrderBy(static breaker => breaker.Name, StringComparer.Ordinal);

    /// <summary>A breaker that was defined.</summary>
    public Breaker this[string name] => _breakers[name];

    public Breaker? Find(string name) => _breakers.GetValueOrDefault(name);

    /// <summary>Makes another breaker known.</summary>
    public Breaker Add(string name, BreakerOptions options)
    {
        var breaker = new Breaker(name, _settings.Apply(name, options), _time, _logger, _metrics, change => Changed?.Invoke(change));
        return _breakers.TryAdd(name, breaker) ? breaker : throw new InvalidOperationException($"There are two breakers {name}.");
    }
}
