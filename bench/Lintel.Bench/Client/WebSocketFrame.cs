using System.Buffers.Binary;

namespace Lintel.Bench.Client;

/// <summary>RFC 6455 frames: whole messages only, since neither server here splits one.</summary>
internal readonly ref struct WebSocketFrame
{
    public const int Text = 1;
    public const int Close = 8;
    public const int Ping = 9;
    public const int Pong = 10;

    private WebSocketFrame(int opcode, ReadOnlySpan<byte> payload, int length)
    {
        Opcode = opcode;
        Payload = payload;
        Length = length;
    }

    public int Opcode { get; }

    public ReadOnlySpan<byte> Payload { get; }

    /// <summary>Bytes of the frame, header included.</summary>
    public int Length { get; }

    /// <summary>Encodes a client's frame. The mask may be the same each time: no proxy is here to be protected.</summary>
    public static byte[] Encode(int opcode, ReadOnlySpan<byte> payload)
    {
        ReadOnlySpan<byte> mask = [0x5a, 0xc3, 0x11, 0x7e];
        var extended = payload.Length < 126 ? 0 : payload.Length <= ushort.MaxValue ? 2 : 8;
        var frame = new byte[2 + extended + mask.Length + payload.Length];
        frame[0] = (byte)(0x80 | opcode);
        frame[1] = (byte)(0x80 | (extended == 0 ? payload.Length : extended == 2 ? 126 : 127));
        if (extended == 2)
        {
            BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(2), (ushort)payload.Length);
        }
        else if (extended == 8)
        {
            BinaryPrimitives.WriteUInt64BigEndian(frame.AsSpan(2), (ulong)payload.Length);
        }

        mask.CopyTo(frame.AsSpan(2 + extended));
        var data = frame.AsSpan(2 + extended + mask.Length);
        for (var i = 0; i < payload.Length; i++)
        {
            data[i] = (byte)(payload[i] ^ mask[i & 3]);
        }

        return frame;
    }

    public static bool TryRead(ReadOnlySpan<byte> received, out WebSocketFrame frame)
    {
        frame = default;
        if (received.Length < 2)
        {
            return false;
        }

        if ((received[0] & 0x80) == 0 || (received[1] & 0x80) != 0)
        {
            throw new IOException("A fragment or a masked frame from a server.");
        }

        var header = received[1] switch { < 126 => 2, 126 => 4, _ => 10 };
        if (received.Length < header)
        {
            return false;
        }

        var size = header switch
        {
            2 => received[1],
            4 => BinaryPrimitives.ReadUInt16BigEndian(received[2..]),
            _ => checked((int)BinaryPrimitives.ReadUInt64BigEndian(received[2..])),
        };
        if (received.Length < header + size)
        {
            return false;
        }

        frame = new WebSocketFrame(received[0] & 0x0f, received.Slice(header, size), header + size);
        return true;
    }
}
