using System.Text.Json.Serialization;
using Lintel.Platform.Http;
using Lintel.Platform.OpenApi;

namespace Lintel.Platform.Sockets;

/// <summary>A message was wrong, or the socket is about to be closed for its credentials. After a wrong message it stays open.</summary>
/// <param name="Message">What was wrong and what to do.</param>
/// <param name="Fields">Each bad field with its messages, where the message had fields.</param>
/// <example>{"message":"Unknown message type: x"}</example>
public sealed record SocketError(
    string Message, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyDictionary<string, string[]>? Fields = null);

/// <summary>The answer to a <c>ping</c>.</summary>
/// <param name="Timestamp">The server's clock.</param>
/// <example>{"timestamp":"2026-01-31T12:00:00.123456Z"}</example>
public sealed record SocketPong(DateTimeOffset Timestamp);

/// <summary>Credentials: as the first message, within 5 seconds, where the handshake had none; and later a new access token before the old one ends.</summary>
/// <param name="Token">An access token.</param>
/// <param name="ApiKey">Or an API key; on an open socket only a token counts.</param>
/// <example>{"token":"eyJhbGciOiJIUzI1NiJ9…"}</example>
public sealed record SocketCredentials(string? Token = null, string? ApiKey = null);

/// <summary>The WebSockets that are open on one node.</summary>
/// <param name="Open">How many, those that have not said yet whose they are included.</param>
/// <param name="Routes">The same, route by route; those without an open socket are left out.</param>
/// <example>{"open":3,"routes":[{"route":"/ws/execute","open":1,"owners":1},{"route":"/ws/jobs/{id}","open":2,"owners":1}]}</example>
public sealed record SocketsStatus(int Open, IReadOnlyList<RouteSockets> Routes);

/// <summary>The open sockets of a route.</summary>
/// <param name="Route">The route's pattern.</param>
/// <param name="Open">How many.</param>
/// <param name="Owners">Of how many accounts; the static key counts as one.</param>
public sealed record RouteSockets(string Route, int Open, int Owners);

/// <summary>The messages of every socket, for the API description.</summary>
internal static class CommonMessages
{
    public static readonly MessageType[] Client = [new("ping"), new("auth", typeof(SocketCredentials))];
    public static readonly MessageType[] Server = [new("pong", typeof(SocketPong)), new("error", typeof(SocketError))];
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(SocketError))]
[JsonSerializable(typeof(SocketPong))]
[JsonSerializable(typeof(SocketCredentials))]
[JsonSerializable(typeof(SocketsStatus))]
internal sealed partial class SocketsJson : JsonSerializerContext;
