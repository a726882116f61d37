using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Lintel.Features.Streams;
using Lintel.Platform.Sockets;

namespace Lintel.Features.Chat;

/// <summary>The kinds of what is kept in the lobby's and in rooms' streams, and of what is only sent.</summary>
internal static class ChatEvents
{
    public const string Message = "message";
    public const string Disconnect = "disconnect";
    public const string Edit = "edit";
    public const string Delete = "delete";
    public const string MemberRemoved = "member_removed";
    public const string Muted = "muted";
    public const string Connection = "connection";
    public const string Presence = "presence";
    public const string Typing = "typing";

    /// <summary>An event of a stream.</summary>
    public static StreamEvent Event<T>(string kind, T facts, JsonTypeInfo<T> type) => new(kind, JsonSerializer.SerializeToUtf8Bytes(facts, type));

    /// <summary>A message that is in no stream, encoded once for all who get it.</summary>
    public static SocketFrames Frames<T>(string kind, T facts, JsonTypeInfo<T> type) =>
        SocketFrames.Of((byte[])[.. Encoding.UTF8.GetBytes($"{{\"type\":\"{kind}\","), .. JsonSerializer.SerializeToUtf8Bytes(facts, type).AsSpan(1)]);

    public static string HasLeft(string name) => $"{name} left";
}
