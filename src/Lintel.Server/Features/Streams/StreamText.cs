using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Lintel.Features.Streams;

/// <summary>Streams as JSON.</summary>
internal static class StreamText
{
    /// <summary>The facts of a reset.</summary>
    public static byte[] Reset(StreamInfo stream, ResetReason reason) =>
        JsonSerializer.SerializeToUtf8Bytes(StreamReset.From(stream, reason), StreamsJson.Default.StreamReset);

    /// <summary>An event as a socket's message: its own facts, with <c>type</c> and <c>id</c> before them.</summary>
    public static void WriteMessage(IBufferWriter<byte> buffer, StreamInfo stream, long seq, in StreamEvent item)
    {
        var head = string.Create(CultureInfo.InvariantCulture, $"{{\"type\":\"{item.Kind}\",\"id\":\"{stream.Name}.{stream.Epoch}.{seq}\"");
        buffer.Write(Encoding.UTF8.GetBytes(head));
        var facts = item.Data.Span[1..];
        if (facts.TrimStart((byte)' ')[0] != (byte)'}')
        {
            buffer.Write(","u8);
        }

        buffer.Write(facts);
    }

    /// <summary>A reset as a socket's message.</summary>
    public static byte[] ResetMessage(StreamInfo stream, ResetReason reason) =>
        [.. Encoding.UTF8.GetBytes($"{{\"type\":\"{StreamReset.EventName}\","), .. Reset(stream, reason).AsSpan(1)];

    /// <summary>
    /// Puts JSON text on one line, as Server-Sent Events need it: between its values a line break means no more than a space, and inside a value it must not stand.
    /// </summary>
    public static void JoinLines(Span<byte> json)
    {
        if (json.ContainsAny((byte)'\n', (byte)'\r'))
        {
            json.Replace((byte)'\n', (byte)' ');
            json.Replace((byte)'\r', (byte)' ');
        }
    }
}
