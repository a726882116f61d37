using System.Reflection;

namespace Lintel.Platform.Http;

/// <summary>How a long-lived endpoint answers.</summary>
internal enum StreamKind
{
    ServerSentEvents,
    WebSocket,
}

/// <summary>Endpoint metadata: the response goes on until one side ends it.</summary>
internal sealed record StreamMetadata(StreamKind Kind);

internal static class StreamExtensions
{
    private static readonly MethodInfo AnyHandler =
        typeof(StreamExtensions).GetMethod(nameof(Serve), BindingFlags.NonPublic | BindingFlags.Static)!;

    /// <summary>Marks a route whose response does not end by itself: it answers no HEAD, and the API description tells its kind.</summary>
    public static TBuilder Streams<TBuilder>(this TBuilder builder, StreamKind kind)
        where TBuilder : IEndpointConventionBuilder
    {
        builder.Add(endpoint =>
        {
            endpoint.Metadata.Add(new StreamMetadata(kind));

            // A plain request delegate holds least while it waits, but the framework describes only endpoints whose method it knows.
            if (!endpoint.Metadata.OfType<MethodInfo>().Any())
            {
                endpoint.Metadata.Add(AnyHandler);
            }
        });
        return builder;
    }

    private static Task Serve(HttpContext context) => context.Response.CompleteAsync();
}
