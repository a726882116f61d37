using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Lintel.Sandbox.Supervision;

/// <summary>
/// Output on its way from the supervisor to its one reader. When the reader is slow the supervisor stops reading, the pipe
/// fills and the program waits: that is the back-pressure, and the server's memory stays where it is.
/// </summary>
internal sealed class OutputQueue(Action drained)
{
    public const int BufferSize = 32 * 1024;
    private const int HighWater = 4 * BufferSize, LowWater = 2 * BufferSize;

    private readonly Channel<(OutputStream Stream, byte[] Buffer, int Count)> _chunks =
        Channel.CreateUnbounded<(OutputStream, byte[], int)>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });

    private readonly ConcurrentBag<byte[]> _free = [];
    private int _waiting;
    private int _reading;
    private volatile bool _abandoned;

    public bool IsFull => Volatile.Read(ref _waiting) >= HighWater && !_abandoned;

    public byte[] Rent() => _free.TryTake(out var buffer) ? buffer : new byte[BufferSize];

    public void Return(byte[] buffer) => _free.Add(buffer);

    public void Add(OutputStream stream, byte[] buffer, int count)
    {
        if (_abandoned)
        {
            Return(buffer);
            return;
        }

        Interlocked.Add(ref _waiting, count);
        _chunks.Writer.TryWrite((stream, buffer, count));
    }

    public void Complete() => _chunks.Writer.TryComplete();

    /// <summary>Nobody will read any more: what comes is dropped.</summary>
    public void Abandon()
    {
        _abandoned = true;
        drained();
    }

    public async IAsyncEnumerable<OutputChunk> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _reading, 1) != 0)
        {
            throw new InvalidOperationException("The output of a run can be read once, by one reader.");
        }

        await foreach (var (stream, buffer, count) in _chunks.Reader.ReadAllAsync(cancellationToken))
        {
            yield return new OutputChunk(stream, buffer.AsMemory(0, count));

            Return(buffer);
            var before = Interlocked.Add(ref _waiting, -count) + count;

            if (before >= LowWater && before - count < LowWater)
            {
                drained();
            }
        }
    }
}
