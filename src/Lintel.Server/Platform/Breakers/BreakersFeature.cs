using Lintel.Platform.Configuration;
using Lintel.Platform.Health;
using Lintel.Platform.Http;
using Lintel.Platform.OpenApi;

namespace Lintel.Platform.Breakers;

internal static class BreakersFeature
{
    public static void AddBreakers(this IHostApplicationBuilder builder)
    {
        builder.AddSettings(BreakerSettings.Read);
        builder.AddJson(BreakersJson.Default);
        builder.DescribeTag("Administration", "For operators: what needs the scope `admin`.");
        builder.Services.AddSingleton<BreakerMetrics>();
        builder.Services.AddSingleton<Breakers>();
        builder.Services.AddHostedService<BreakerSharing>();
        builder.Services.AddSingleton<IReadinessCheck, BreakersCheck>();
    }

    /// <summary>Defines a breaker, which is then in <see cref="Breakers"/> from the start.</summary>
    public static void AddBreaker(this IHostApplicationBuilder builder, string name, BreakerOptions options) =>
        builder.Services.AddSingleton(new BreakerDefinition(name, options));

    /// <summary>Tells each breaker's state. An open one does not take the node out of service: the others have the same dependency.</summary>
    private sealed class BreakersCheck(Breakers breakers) : IReadinessCheck
    {
        public string Name => "breakers";

        public ValueTask<Readiness> CheckAsync(CancellationToken cancellationToken)
        {
            var all = breakers.All.ToArray();
            if (all.Length == 0)
            {
                return new(Readiness.Ready);
            }

            var states = string.Join(", ", all.Select(static breaker => $"{breaker.Name} {breaker.State}")) + ".";
            return new(Array.TrueForAll(all, static breaker => breaker.IsClosed) ? Readiness.ReadyWith(states) : Readiness.Degraded(states));
        }
    }
}
