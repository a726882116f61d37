using Lintel.Features.Jobs;
using Lintel.Platform.Http;

namespace Lintel.Features.Beams;

internal static class BeamsFeature
{
    public static void AddBeams(this IHostApplicationBuilder builder)
    {
        builder.AddJson(BeamsJson.Default);
        builder.AddJobKind<BatchDesign>(BatchDesign.Kind);
        builder.Services.AddSingleton<BatchStreams>();
        builder.Services.AddSingleton<DesignSessions>();
        builder.Services.AddSingleton<DesignSocket>();
    }
}
