using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Lintel.Bench.Client;

/// <summary>
/// Receives one whole streamed answer and notes when each piece came. While the clock runs nothing is parsed, so that twenty
/// thousand events cost the client only the copying; what came, and when, is worked out afterwards.
/// </summary>
internal sealed class StreamRecording
{
    private const int Capacity = 64 * 1024 * 1024;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    // Cleared at once so that its pages exist before they are timed; the same buffer serves every run.
    private readonly byte[] buffer = [.. Enumerable.Repeat((byte)0, Capacity)];
    private readonly List<(int End, long At)> pieces = [];
    private int length;
    private long started;

    /// <summary>Sends the request on a connection of its own and takes everything up to the last chunk.</summary>
    public StreamedEvents Run(IPEndPoint server, byte[] request)
    {
        using var socket = Exchange.Connect(server);
        socket.ReceiveTimeout = (int)Limit.TotalMilliseconds;
        pieces.Clear();
        length = 0;

        started = Stopwatch.GetTimestamp();
        socket.Send(request);
        while (!buffer.AsSpan(0, length).EndsWith("\r\n0\r\n\r\n"u8))
        {
            var read = socket.Receive(buffer.AsSpan(length), SocketFlags.None);
            if (read == 0)
            {
                throw new IOException($"The stream broke off after {length} bytes: {Encoding.UTF8.GetString(buffer, 0, Math.Min(length, 400))}");
            }

            length += read;
            pieces.Add((length, Stopwatch.GetTimestamp()));
        }

        return Parse();
    }

    private StreamedEvents Parse()
    {
        var received = buffer.AsSpan(0, length);
        if (!HttpAnswer.TryReadHead(received, out var status, out var head) || status != (int)HttpStatusCode.OK)
        {
            throw new IOException($"Not a stream: {Encoding.UTF8.GetString(received[..Math.Min(length, 400)])}");
        }

        var body = new ChunkedBody(received, head);
        return StreamedEvents.Read(body.Bytes, position => ArrivalOf(body.ReceivedPosition(position)));
    }

    private TimeSpan ArrivalOf(int position) =>
        Stopwatch.GetElapsedTime(started, pieces.First(piece => piece.End > position).At);
}
