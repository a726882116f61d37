using System.Buffers;
using System.Buffers.Binary;

namespace Lintel.Platform.Sockets;

/// <summary>
/// Text messages as they go over the wire: whole unmasked frames (RFC 6455, section 5.2), encoded once for all sockets that get them. Several messages are one write.
/// </summary>
internal sealed class SocketFrames
{
    private const byte FinalText = 0x81;
    private const int MaxHeader = 10;

    private readonly byte[] _bytes;
    private readonly int[] _ends;
    private readonly byte[] _headers;

    private SocketFrames(byte[] bytes, int[] ends, byte[] headers) => (_bytes, _ends, _headers) = (bytes, ends, headers);

    public int Count => _ends.Length;

    /// <summary>Encodes <paramref name="count"/> messages, each of which <paramref name="write"/> puts into the buffer it is given.</summary>
    public static SocketFrames Encode<T>(int count, T state, Action<IBufferWriter<byte>, T, int> write)
    {
        var payload = new ArrayBufferWriter<byte>(512);
        var frames = new ArrayBufferWriter<byte>(512);
        var ends = new int[count];
        var headers = new byte[count];
        for (var i = 0; i < count; i++)
        {
            payload.ResetWrittenCount();
            write(payload, state, i);
            headers[i] = (byte)WriteHeader(frames, payload.WrittenCount);
            frames.Write(payload.WrittenSpan);
            ends[i] = frames.WrittenCount;
        }

        return new SocketFrames(frames.WrittenSpan.ToArray(), ends, headers);
    }

    /// <summary>One message as a frame.</summary>
    public static SocketFrames Of(ReadOnlyMemory<byte> message) => Encode(1, message, static (buffer, text, _) => buffer.Write(text.Span));

    /// <summary>The message alone, for a connection that can take no frames.</summary>
    public ReadOnlyMemory<byte> MessageAt(int index) => _bytes.AsMemory((StartOf(index) + _headers[index])..EndOf(index));

    /// <summary>Whole frames from message <paramref name="index"/> on: as many as have <paramref name="most"/> bytes, and at least one.</summary>
    public (ReadOnlyMemory<byte> Bytes, int Next) Take(int index, int end, int most)
    {
        var start = StartOf(index);
        var next = index + 1;
        while (next < end && EndOf(next) - start <= most)
        {
            next++;
        }

        return (_bytes.AsMemory(start..EndOf(next - 1)), next);
    }

    private int StartOf(int index) => index == 0 ? 0 : _ends[index - 1];

    private int EndOf(int index) => _ends[index];

    private static int WriteHeader(ArrayBufferWriter<byte> frames, int length)
    {
        var header = frames.GetSpan(MaxHeader);
        header[0] = FinalText;
        var size = length switch { < 126 => 2, <= ushort.MaxValue => 4, _ => MaxHeader };
        switch (size)
        {
            case 2:
                header[1] = (byte)length;
                break;
            case 4:
                header[1] = 126;
                BinaryPrimitives.WriteUInt16BigEndian(header[2..], (ushort)length);
                break;
            default:
                header[1] = 127;
                BinaryPrimitives.WriteUInt64BigEndian(header[2..], (ulong)length);
                break;
        }

        frames.Advance(size);
        return size;
    }
}
