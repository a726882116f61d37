using System.Text.Json.Serialization;
using Lintel.Platform.Http;

namespace Lintel.Platform.Breakers;

/// <summary>A circuit breaker of the node that answers.</summary>
/// <param name="Name">What it stands before.</param>
/// <param name="State"><c>closed</c>: calls are made. <c>open</c>: none are. <c>half_open</c>: one is, to see.</param>
/// <param name="Since">When it opened or closed last; null where it never opened.</param>
/// <param name="RetryAt">When an open one lets a call through.</param>
/// <param name="Reason">The failure that opened it; null while it is closed.</param>
/// <param name="Failures">So many failures in a row open it.</param>
/// <param name="WindowSeconds">Within so many seconds.</param>
/// <param name="OpenSeconds">For so long nothing is tried.</param>
/// <example>{"name":"mail","state":"open","since":"2026-01-31T12:00:00.000000Z","retry_at":"2026-01-31T12:00:30.000000Z","reason":"The mail server cannot be reached.","failures":5,"window_seconds":60,"open_seconds":30}</example>
public sealed record BreakerView(
    string Name, string State, DateTimeOffset? Since, DateTimeOffset? RetryAt, string? Reason, int Failures, int WindowSeconds, int OpenSeconds)
{
    internal static BreakerView From(Breaker breaker)
    {
        var status = breaker.Status;
        var options = breaker.Options;
        return new(
            breaker.Name, status.State, status.Since, status.RetryAt, status.Reason, options.Failures, (int)options.Window.TotalSeconds, (int)options.OpenFor.TotalSeconds);
    }
}

/// <summary>The circuit breakers of the node that answers.</summary>
/// <param name="Breakers">In the order of their names.</param>
public sealed record BreakerList(IReadOnlyList<BreakerView> Breakers);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(BreakerList))]
internal sealed partial class BreakersJson : JsonSerializerContext;
