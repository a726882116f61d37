using System.Threading.Tasks.Sources;

namespace Lintel.Platform.Threading;

/// <summary>An auto-reset event for one waiter that allocates nothing while it waits: what ten thousand idle followers sleep on.</summary>
/// <param name="resumesInline">The waiter goes on within <see cref="Set"/>, on the thread of whoever calls it: for one that soon waits again.</param>
internal sealed class AsyncSignal(bool resumesInline = false) : IValueTaskSource
{
    private const int Idle = 0;
    private const int Signalled = 1;
    private const int Waiting = 2;

    private ManualResetValueTaskSourceCore<bool> _core = new() { RunContinuationsAsynchronously = !resumesInline };
    private int _state;

    /// <summary>Lets the waiter go on, or the next wait return at once.</summary>
    public void Set()
    {
        while (true)
        {
            switch (Interlocked.CompareExchange(ref _state, Signalled, Idle))
            {
                case Idle or Signalled:
                    return;
                default:
                    if (Interlocked.CompareExchange(ref _state, Idle, Waiting) == Waiting)
                    {
                        _core.SetResult(true);
                        return;
                    }

                    break;
            }
        }
    }

    /// <summary>Waits for <see cref="Set"/>. Only one wait may be under way.</summary>
    public ValueTask WaitAsync()
    {
        if (Interlocked.CompareExchange(ref _state, Idle, Signalled) == Signalled)
        {
            return ValueTask.CompletedTask;
        }

        _core.Reset();
        if (Interlocked.CompareExchange(ref _state, Waiting, Idle) == Idle)
        {
            return new ValueTask(this, _core.Version);
        }

        // It was set between the two looks.
        Volatile.Write(ref _state, Idle);
        return ValueTask.CompletedTask;
    }

    void IValueTaskSource.GetResult(short token) => _core.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
