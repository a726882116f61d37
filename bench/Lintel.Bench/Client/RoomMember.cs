using System.Buffers.Text;
using System.ComponentModel;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;

namespace Lintel.Bench.Client;

/// <summary>
/// One socket of a room, or of the peer's fan-out: it counts what it is sent and checks that each sender's messages come in order, without a gap. It looks for its own mark
/// in a frame and reads no JSON.
/// </summary>
internal sealed unsafe class RoomMember : IDisposable
{
    public const int MaxSenders = 16;

    // #sender(2) number(8) time(19), then padding: about as long as people write.
    private const int Digits = 29;
    private const int TextLength = 80;

    private readonly Socket socket;
    private readonly nint descriptor;
    private readonly long[] last = new long[MaxSenders];
    private byte[] buffer = new byte[8 * 1024];
    private int buffered;
    private long sent;

    public RoomMember(IPEndPoint server, string path, string? bearer)
    {
        socket = WebSocketExchange.Open(server, path, bearer, null);
        descriptor = socket.Handle;
    }

    public nint Descriptor => descriptor;

    /// <summary>Messages that came.</summary>
    public long Delivered { get; private set; }

    /// <summary>Whether the last message that this one sent has come back to it.</summary>
    public bool IsAnswered(int sender) => last[sender] == sent;

    public void Send(int sender)
    {
        var text = FormattableString.Invariant($"#{sender:D2}{++sent:D8}{Stopwatch.GetTimestamp():D19}").PadRight(TextLength, '.');
        var frame = WebSocketFrame.Encode(WebSocketFrame.Text, Encoding.ASCII.GetBytes(text));
        Write(frame);
    }

    /// <summary>Takes what is there; times from sending to now go into <paramref name="latencies"/>.</summary>
    public void Receive(List<long>? latencies)
    {
        if (buffered == buffer.Length)
        {
            Array.Resize(ref buffer, buffer.Length * 2);
        }

        nint read;
        fixed (byte* pointer = buffer)
        {
            read = Libc.Receive(descriptor, pointer + buffered, buffer.Length - buffered, Libc.DontWait);
        }

        if (read <= 0)
        {
            if (read < 0 && Marshal.GetLastPInvokeError() is (Libc.TryAgain or Libc.Interrupted))
            {
                return;
            }

            throw new IOException($"The server closed a member's connection (recv gave {read}).");
        }

        buffered += (int)read;
        var start = 0;
        while (WebSocketFrame.TryRead(buffer.AsSpan(start, buffered - start), out var frame))
        {
            Take(frame, latencies);
            start += frame.Length;
        }

        buffer.AsSpan(start, buffered - start).CopyTo(buffer);
        buffered -= start;
    }

    public void Dispose() => socket.Dispose();

    private void Take(in WebSocketFrame frame, List<long>? latencies)
    {
        if (frame.Opcode == WebSocketFrame.Ping)
        {
            Write(WebSocketFrame.Encode(WebSocketFrame.Pong, frame.Payload));
            return;
        }

        var mark = frame.Payload.IndexOf((byte)'#');
        if (mark < 0)
        {
            // What is told beside messages: who is there.
            return;
        }

        var digits = frame.Payload.Slice(mark + 1, Digits);
        if (!Utf8Parser.TryParse(digits[..2], out int sender, out _) || !Utf8Parser.TryParse(digits[2..10], out long number, out _)
            || !Utf8Parser.TryParse(digits[10..], out long sentAt, out _))
        {
            throw new IOException("A message is not what was sent.");
        }

        // A newcomer is not sent what was before it.
        if (last[sender] != 0 && number != last[sender] + 1)
        {
            throw new IOException($"Message {number} of sender {sender} came behind {last[sender]}.");
        }

        last[sender] = number;
        Delivered++;
        latencies?.Add(Stopwatch.GetTimestamp() - sentAt);
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* pointer = bytes)
        {
            if (Libc.Send(descriptor, pointer, bytes.Length, Libc.NoSignal) != bytes.Length)
            {
                throw new Win32Exception();
            }
        }
    }
}
