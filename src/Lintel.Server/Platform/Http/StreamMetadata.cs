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
    /// <summary>Marks a route whose response does not end by itself: it answers no HEAD, and the API description tells its kind.</summary>
    public static TBuilder Streams<TBuilder>(this TBuilder builder, StreamKind kind)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new StreamMetadata(kind));
}
