using Lintel.Platform.Configuration;

namespace Lintel.Platform.Breakers;

/// <summary>
/// The numbers of all breakers, and those that a breaker has of its own, with its name in between: <c>BREAKER_OPEN</c>, <c>BREAKER_MAIL_OPEN</c>. Both times are in seconds.
/// </summary>
internal sealed class BreakerSettings
{
    private const string Prefix = "BREAKER_";

    private readonly Dictionary<string, Numbers> _own = new(StringComparer.OrdinalIgnoreCase);

    private Numbers Common { get; init; } = new(null, null, null);

    public static BreakerSettings Read(SettingsReader settings)
    {
        var read = new BreakerSettings
        {
            Common = new(
                settings.Number("BREAKER_FAILURES", 5, 2, 10_000),
                settings.Number("BREAKER_WINDOW", 60, 1, 86_400),
                settings.Number("BREAKER_OPEN", 30, 1, 86_400)),
        };
        foreach (var name in settings.NamesBetween(Prefix, "_FAILURES", "_WINDOW", "_OPEN"))
        {
            read._own[name.Replace('_', '-')] = new(
                settings.NumberIfSet($"{Prefix}{name}_FAILURES", 2, 10_000), settings.NumberIfSet($"{Prefix}{name}_WINDOW", 1, 86_400), settings.NumberIfSet($"{Prefix}{name}_OPEN", 1, 86_400));
        }

        return read;
    }

    /// <summary>What a breaker's feature says, with the operator's numbers.</summary>
    public BreakerOptions Apply(string name, BreakerOptions options)
    {
        options = Common.Apply(options);
        return _own.TryGetValue(name, out var own) ? own.Apply(options) : options;
    }

    private sealed record Numbers(int? Failures, int? Window, int? Open)
    {
        public BreakerOptions Apply(BreakerOptions options) => options with
        {
            Failures = Failures ?? options.Failures,
            Window = Window is { } window ? TimeSpan.FromSeconds(window) : options.Window,
            OpenFor = Open is { } open ? TimeSpan.FromSeconds(open) : options.OpenFor,
        };
    }
}
