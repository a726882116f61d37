using System.Diagnostics.Metrics;
using Lintel.Platform.Configuration;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lintel.Platform.Breakers;

/// <summary>Breakers without a server.</summary>
internal static class TestBreakers
{
    public static Breakers Create(TimeProvider time, params (string Name, string Value)[] settings) => Create(time, Meters(), settings);

    public static Breakers Create(TimeProvider time, IMeterFactory meters, params (string Name, string Value)[] settings)
    {
        var reader = Reader(settings);
        var read = BreakerSettings.Read(reader);
        reader.ThrowIfInvalid();
        return new([], read, new BreakerMetrics(meters), time, NullLogger<Breaker>.Instance);
    }

    public static IMeterFactory Meters() => new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<IMeterFactory>();

    private static SettingsReader Reader((string Name, string Value)[] settings) => new(
        new ConfigurationBuilder().AddInMemoryCollection(settings.Select(static setting => KeyValuePair.Create<string, string?>(setting.Name, setting.Value))).Build(),
        new HostingEnvironment());
}
