using System.Threading.Channels;

namespace Lintel.Features.Jobs;

/// <summary>Where a handler waits until the test lets it go on, and the test until a handler has come.</summary>
internal sealed class Gate
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Channel<bool> _arrived = Channel.CreateUnbounded<bool>();
    private readonly Channel<bool> _open = Channel.CreateUnbounded<bool>();
    private int _arrivals;

    /// <summary>How many handlers have come here so far.</summary>
    public int Arrivals => Volatile.Read(ref _arrivals);

    /// <summary>For handlers: says that it is here, and waits.</summary>
    public async Task PassAsync(CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _arrivals);
        _arrived.Writer.TryWrite(true);
        await _open.Reader.ReadAsync(cancellationToken);
    }

    /// <summary>For tests: waits until one more handler is here.</summary>
    public async Task WaitForArrivalAsync() => await _arrived.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Patience);

    /// <summary>Lets handlers pass, whether they are here yet or not.</summary>
    public void Open(int count = 1)
    {
        for (var i = 0; i < count; i++)
        {
            _open.Writer.TryWrite(true);
        }
    }
}
