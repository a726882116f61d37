using System.Buffers.Text;
using System.Text;

namespace Lintel.Bench.Client;

/// <summary>An HTTP/1.1 answer cut out of received bytes: as much of the protocol as Kestrel uses on a kept-alive connection.</summary>
internal readonly ref struct HttpAnswer
{
    private HttpAnswer(int status, ReadOnlySpan<byte> head, ReadOnlySpan<byte> body, int length)
    {
        Status = status;
        Head = head;
        Body = body;
        Length = length;
    }

    public int Status { get; }

    public ReadOnlySpan<byte> Head { get; }

    public ReadOnlySpan<byte> Body { get; }

    /// <summary>Bytes of the whole answer, head and framing included.</summary>
    public int Length { get; }

    public static bool TryRead(ReadOnlySpan<byte> received, out HttpAnswer answer)
    {
        answer = default;
        if (!TryReadHead(received, out var status, out var headLength))
        {
            return false;
        }

        var head = received[..headLength];
        var rest = received[headLength..];
        if (head.IndexOf("\r\nTransfer-Encoding: chunked\r\n"u8) >= 0)
        {
            if (!TryReadChunks(rest, out var body, out var framed))
            {
                return false;
            }

            answer = new HttpAnswer(status, head, body, headLength + framed);
            return true;
        }

        var length = ContentLength(head);
        if (rest.Length < length)
        {
            return false;
        }

        answer = new HttpAnswer(status, head, rest[..length], headLength + length);
        return true;
    }

    /// <summary>The status line and headers alone: for streams and for handshakes.</summary>
    public static bool TryReadHead(ReadOnlySpan<byte> received, out int status, out int length)
    {
        status = 0;
        length = received.IndexOf("\r\n\r\n"u8) + 4;
        if (length < 4)
        {
            return false;
        }

        if (!received.StartsWith("HTTP/1.1 "u8) || !Utf8Parser.TryParse(received[9..12], out status, out _))
        {
            throw new IOException($"Not an HTTP answer: {Encoding.UTF8.GetString(received[..Math.Min(received.Length, 40)])}");
        }

        return true;
    }

    private static int ContentLength(ReadOnlySpan<byte> head)
    {
        var name = "\r\nContent-Length: "u8;
        var at = head.IndexOf(name);
        return at >= 0 && Utf8Parser.TryParse(head[(at + name.Length)..], out int length, out _) ? length : 0;
    }

    private static bool TryReadChunks(ReadOnlySpan<byte> framed, out ReadOnlySpan<byte> body, out int length)
    {
        body = default;
        length = 0;
        while (true)
        {
            var rest = framed[length..];
            var line = rest.IndexOf("\r\n"u8);
            if (line < 0)
            {
                return false;
            }

            if (!Utf8Parser.TryParse(rest[..line], out int size, out _, 'x'))
            {
                throw new IOException("A chunk has no size.");
            }

            var data = line + 2;
            if (rest.Length < data + size + 2)
            {
                return false;
            }

            length += data + size + 2;
            if (size == 0)
            {
                return true;
            }

            // Answers of one chunk are the rule and cost no copy.
            body = body.IsEmpty ? rest.Slice(data, size) : (byte[])[.. body, .. rest.Slice(data, size)];
        }
    }
}
