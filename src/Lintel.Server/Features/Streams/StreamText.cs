using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Lintel.Features.Streams;

/// <summary>Streams as JSON.</summary>
internal static class StreamText
{
    /// <summary>The facts of a reset.</summary>
    public static byte[] Reset(StreamInfo stream, ResetReason reason) => Write(json =>
    {
        json.WriteString("reason"u8, Name(reason));
        json.WriteNumber("floor"u8, stream.FloorSeq);
        json.WriteNumber("tail"u8, stream.Tail);
    });

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
    public static byte[] ResetMessage(StreamInfo stream, ResetReason reason) => Write(json =>
    {
        json.WriteString("type"u8, "reset"u8);
        json.WriteString("reason"u8, Name(reason));
        json.WriteNumber("floor"u8, stream.FloorSeq);
        json.WriteNumber("tail"u8, stream.Tail);
    });

    /// <summary>An object that <paramref name="write"/> fills.</summary>
    public static byte[] Write(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

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

    private static string Name(ResetReason reason) => reason switch
    {
        ResetReason.TooOld => "too_old",
        ResetReason.TooNew => "too_new",
        ResetReason.Epoch => "epoch",
        _ => "unknown",
    };
}
