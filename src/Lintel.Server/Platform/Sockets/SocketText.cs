using System.Text.Json;

namespace Lintel.Platform.Sockets;

/// <summary>The messages that every socket sends.</summary>
internal static class SocketText
{
    public static byte[] Error(string message) =>
        [.. """{"type":"error","""u8, .. JsonSerializer.SerializeToUtf8Bytes(new SocketError(message), SocketsJson.Default.SocketError).AsSpan(1)];

    public static byte[] Pong(DateTimeOffset now) =>
        [.. """{"type":"pong","""u8, .. JsonSerializer.SerializeToUtf8Bytes(new SocketPong(now), SocketsJson.Default.SocketPong).AsSpan(1)];
}
