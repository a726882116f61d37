using System.Buffers;
using System.Text.Json;

namespace Lintel.Platform.Sockets;

/// <summary>The messages that every socket sends.</summary>
internal static class SocketText
{
    public static byte[] Error(string message) => Write(json =>
    {
        json.WriteString("type"u8, "error"u8);
        json.WriteString("message"u8, message);
    });

    public static byte[] Pong(DateTimeOffset now) => Write(json =>
    {
        json.WriteString("type"u8, "pong"u8);
        json.WriteString("timestamp"u8, now.UtcDateTime);
    });

    private static byte[] Write(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(128);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
