using System.Threading.Channels;
using Lintel.Platform.Security;

namespace Lintel.Platform.Sockets;

/// <summary>
/// Messages for a socket from others than its own reader. Whoever posts never waits: a socket that is so far behind that its queue is full
/// has stopped reading, and is ended.
/// </summary>
internal sealed class SocketOutbox(SocketConnection connection)
{
    private const int Capacity = 256;

    // The result of a check with many load cases may have some hundred KB.
    private const int MaxBytes = 4 * 1024 * 1024;

    private readonly Channel<ReadOnlyMemory<byte>> _queue = Channel.CreateBounded<ReadOnlyMemory<byte>>(
        new BoundedChannelOptions(Capacity) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });

    private int _started;
    private int _bytes;

    public void Post(ReadOnlyMemory<byte> message)
    {
        if (Interlocked.Add(ref _bytes, message.Length) > MaxBytes || !_queue.Writer.TryWrite(message))
        {
            connection.End(EndReason.Stalled);
            return;
        }

        if (Interlocked.Exchange(ref _started, 1) == 0)
        {
            _ = Task.Run(PumpAsync);
        }
    }

    /// <summary>Takes no more; the pump ends.</summary>
    public void Close() => _queue.Writer.TryComplete();

    private async Task PumpAsync()
    {
        await foreach (var message in _queue.Reader.ReadAllAsync())
        {
            if (!await connection.SendAsync(message))
            {
                return;
            }

            Interlocked.Add(ref _bytes, -message.Length);
        }
    }
}
