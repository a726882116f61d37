using System.Diagnostics.Metrics;

namespace Lintel.Platform.Breakers;

/// <summary>What the breakers count, for whoever listens to the meter <c>Lintel.Breakers</c>.</summary>
internal sealed class BreakerMetrics
{
    public const string MeterName = "Lintel.Breakers";

    private readonly Counter<long> _transitions;
    private readonly Counter<long> _refusals;

    public BreakerMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        _transitions = meter.CreateCounter<long>("lintel.breaker.transitions", "{transition}", "Times that a breaker opened or closed on this node.");
        _refusals = meter.CreateCounter<long>("lintel.breaker.refusals", "{call}", "Calls that were not made because the breaker was open.");
    }

    public void Changed(string breaker, string state) => _transitions.Add(1, new("breaker", breaker), new("state", state));

    public void Refused(string breaker) => _refusals.Add(1, new KeyValuePair<string, object?>("breaker", breaker));
}
