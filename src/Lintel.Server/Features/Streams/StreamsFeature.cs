using Lintel.Platform.Http;

namespace Lintel.Features.Streams;

internal static class StreamsFeature
{
    public static void AddStreams(this IHostApplicationBuilder builder)
    {
        builder.AddJson(StreamsJson.Default);
        builder.Services.AddSingleton<StreamFeeds>();
        builder.Services.AddSingleton<StreamLog>();
        builder.Services.AddSingleton<OrphanStreams>();
        builder.Services.AddSingleton<StreamFollower>();
        builder.Services.AddSingleton<StreamConsumer>();
        builder.Services.AddHostedService<StreamFeedWorker>();
    }
}
