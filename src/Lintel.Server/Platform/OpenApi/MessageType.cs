namespace Lintel.Platform.OpenApi;

/// <summary>One type of event or message, for the API description.</summary>
/// <param name="Name">The event's name, which as a message of a socket is its <c>type</c>.</param>
/// <param name="Facts">The contract of what it carries, known to one of the generated JSON contexts; null where it carries nothing.</param>
/// <param name="IsLogged">Whether it is an event of a durable stream, which has an <c>id</c> to resume from.</param>
public sealed record MessageType(string Name, Type? Facts = null, bool IsLogged = false);

/// <summary>Everything that can come over one connection in one direction.</summary>
/// <param name="Name">The name of its schema.</param>
/// <param name="Description">What it is, for readers.</param>
/// <param name="Types">Each type; the same one may be listed twice.</param>
internal sealed record MessageUnion(string Name, string Description, IReadOnlyList<MessageType> Types);

/// <summary>Endpoint metadata: the events of a <c>text/event-stream</c>.</summary>
internal sealed record EventStreamMessages(MessageUnion Events);

/// <summary>Endpoint metadata: the messages of a WebSocket.</summary>
/// <param name="Client">What the client sends.</param>
/// <param name="Server">What the server sends.</param>
internal sealed record SocketMessages(MessageUnion Client, MessageUnion Server);

internal static class MessageExtensions
{
    /// <summary>Describes the events of a route that <c>Streams</c>.</summary>
    public static TBuilder DescribeEvents<TBuilder>(this TBuilder builder, MessageUnion events)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new EventStreamMessages(events));

    /// <summary>Describes the messages of a WebSocket route, both ways.</summary>
    public static TBuilder DescribeMessages<TBuilder>(this TBuilder builder, MessageUnion client, MessageUnion server)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new SocketMessages(client, server));
}
