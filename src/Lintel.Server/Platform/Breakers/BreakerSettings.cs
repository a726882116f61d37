using Lintel.Platform.Configuration;

namespace Lintel.Platform.Breakers;

/// <summary>
/// The numbers of all breakers, <c>BREAKER_FAILURES</c>, <c>BREAKER_WINDOW</c> and <c>BREAKER_OPEN</c>, and those that a breaker has of its own, with its name in between:
/// <c>BREAKER_MAIL_OPEN</c>. Both times are in seconds.
/// </summary>
internal sealed class BreakerSettings
{
    private const string Prefix = "BREAKER_";

    private readonly Dictionary<string, Numbers> _own = new(StringComparer.OrdinalIgnoreCase);

    private Numbers Common { get; init; } = new(null, null, null);

    public static BreakerSettings Read(SettingsReader settings)
    {
        var read = new BreakerSettings { Common = Numbers.Read(settings, Prefix) };
        foreach (var name in settings.NamesBetween(Prefix, "_FAILURES", "_WINDOW", "_OPEN"))
        {
            read._own[name.Replace('_', '-')] = Numbers.Read(settings, $"{Prefix}{name}_");
        }

        return read;
    }

    /// <summary>What a feature asks for, with what the operator set instead.</summary>
    public BreakerOptions Apply(string name, BreakerOptions options)
    {
        options = Common.Apply(options);
        return _own.TryGetValue(name, out var own) ? own.Apply(options) : options;
    }

    private sealed record Numbers(int? Failures, int? Window, int? Open)
    {
        public static Numbers Read(SettingsReader settings, string prefix) => new(
            Number(settings, prefix + "FAILURES", 5, 2, 10_000), Number(settings, prefix + "WINDOW", 60, 1, 86_400), Number(settings, prefix + "OPEN", 30, 1, 86_400));

        public BreakerOptions Apply(BreakerOptions options) => options with
        {
            Failures = Failures ?? options.Failures,
            Window = Window is { } window ? TimeSpan.FromSeconds(window) : options.Window,
            OpenFor = Open is { } open ? TimeSpan.FromSeconds(open) : options.OpenFor,
        };

        private static int? Number(SettingsReader settings, string name, int standard, int least, int most) =>
            settings.Text(name) is null ? null : settings.Number(name, standard, least, most);
    }
}
