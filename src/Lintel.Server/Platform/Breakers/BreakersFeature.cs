using Lintel.Platform.Health;

namespace Lintel.Platform.Breakers;

internal static class BreakersFeature
{
    public static void AddBreakers(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<Breakers>();
        builder.Services.AddSingleton<IReadinessCheck, BreakersCheck>();
    }

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
