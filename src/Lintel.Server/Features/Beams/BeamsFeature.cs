using Lintel.Features.Beams.Batches;
using Lintel.Features.Beams.Live;
using Lintel.Features.Beams.Reports;
using Lintel.Features.Jobs;
using Lintel.Platform.Http;
using Lintel.Platform.OpenApi;

namespace Lintel.Features.Beams;

internal static class BeamsFeature
{
    public static void AddBeams(this IHostApplicationBuilder builder)
    {
        builder.AddJson(BeamsJson.Default);
        builder.DescribeTag("Beams", "Reinforced-concrete beams to IS 456:2000: one at a time, live as a person types, and in batches of up to 100,000 whose results stream.");
        builder.AddJobKind<BatchDesign>(BatchDesign.Kind);
        builder.Services.AddSingleton<BatchFiles>();
        builder.Services.AddSingleton<BatchStreams>();
        builder.Services.AddSingleton<DesignSessions>();
        builder.Services.AddSingleton<DesignSocket>();
    }
}
