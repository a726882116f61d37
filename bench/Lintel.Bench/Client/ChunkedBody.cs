using System.Buffers.Text;

namespace Lintel.Bench.Client;

/// <summary>A chunked body put together, still able to say where each byte stood in what was received.</summary>
internal sealed class ChunkedBody
{
    private readonly List<(int Start, int ReceivedStart)> chunks = [];
    private readonly byte[] bytes;
    private readonly int length;

    public ChunkedBody(ReadOnlySpan<byte> received, int head)
    {
        bytes = new byte[received.Length];
        var at = head;
        while (true)
        {
            var line = received[at..].IndexOf("\r\n"u8);
            if (line < 0 || !Utf8Parser.TryParse(received.Slice(at, line), out int size, out _, 'x'))
            {
                throw new IOException("A chunk has no size.");
            }

            at += line + 2;
            chunks.Add((length, at));
            received.Slice(at, size).CopyTo(bytes.AsSpan(length));
            length += size;
            at += size + 2;
            if (size == 0)
            {
                break;
            }
        }

        if (at != received.Length)
        {
            throw new IOException("The stream went on after its last chunk.");
        }
    }

    public ReadOnlySpan<byte> Bytes => bytes.AsSpan(0, length);

    public int ReceivedPosition(int position)
    {
        var (start, receivedStart) = chunks.FindLast(chunk => chunk.Start <= position);
        return receivedStart + position - start;
    }
}
