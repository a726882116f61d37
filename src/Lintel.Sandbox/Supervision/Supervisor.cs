using System.Diagnostics;
using Lintel.Sandbox.Native;

namespace Lintel.Sandbox.Supervision;

/// <summary>
/// The one thread that starts sandboxes, reads what they print and sees to their limits. It lives as long as the launcher:
/// the kernel ends a guest when the *thread* that started it ends, and pool threads retire. And limits on hostile programs
/// must hold when the pool is busy with something else.
/// </summary>
internal sealed class Supervisor : IAsyncDisposable
{
    // A start is the dearest of them, at a few milliseconds; between two turns every run's limits are seen to.
    private const int OrdersPerTurn = 16;

    private readonly Lock _lock = new();
    private readonly Queue<Action> _orders = new();
    private readonly List<SupervisedProcess> _live = [];
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Descriptor _wake = new(Libc.Check(Libc.eventfd(0, Libc.O_CLOEXEC | Libc.O_NONBLOCK), "eventfd"));
    private Libc.PollFd[] _slots = new Libc.PollFd[1 + SupervisedProcess.Slots];
    private bool _stopping;

    public Supervisor()
    {
        new Thread(Work) { IsBackground = true, Name = "Sandbox supervisor" }.Start();
    }

    public void Wake()
    {
        lock (_lock)
        {
            if (_wake.IsOpen)
            {
                _ = _wake.Write(BitConverter.GetBytes(1UL));
            }
        }
    }

    /// <summary>Does it on the supervisor's thread, soon; false when that thread is ending.</summary>
    public bool Post(Action order)
    {
        lock (_lock)
        {
            if (_stopping)
            {
                return false;
            }

            _orders.Enqueue(order);
        }

        Wake();
        return true;
    }

    public bool Post(SupervisedProcess process, Action order) => Post(() => Guard(process, order));

    public Task StartAsync(SupervisedProcess process, int maxRuns)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        var posted = Post(() =>
        {
            try
            {
                if (_live.Count >= maxRuns)
                {
                    throw new SandboxException($"{maxRuns} programs are running already, which is the most this server runs at one time.");
                }

                process.Start();
                _live.Add(process);
                started.TrySetResult();
            }
            catch (Exception failure)
            {
                started.TrySetException(failure);
            }
        });

        return posted ? started.Task : throw new ObjectDisposedException(nameof(SandboxLauncher));
    }

    /// <summary>Ends all that still runs, then the thread.</summary>
    public async ValueTask DisposeAsync()
    {
        Post(() => _live.ForEach(process => process.Stop(SandboxVerdict.Cancelled, "The server is stopping.")));

        lock (_lock)
        {
            _stopping = true;
        }

        Wake();
        await _ended.Task;
    }

    private void Work()
    {
        while (true)
        {
            var ordered = RunOrders();
            var next = Tick();

            lock (_lock)
            {
                if (_stopping && _live.Count == 0 && _orders.Count == 0)
                {
                    _wake.Dispose();
                    break;
                }
            }

            WaitAndDispatch(ordered ? 0 : next);
        }

        _ended.TrySetResult();
    }

    /// <summary>Some of what was asked for, so that those who ask for much do not keep the limits waiting. False when there was nothing.</summary>
    private bool RunOrders()
    {
        for (var count = 0; count < OrdersPerTurn; count++)
        {
            Action? order;

            lock (_lock)
            {
                if (!_orders.TryDequeue(out order))
                {
                    return count > 0;
                }
            }

            order();
        }

        return true;
    }

    /// <summary>When something must be seen to next, or null when only events count.</summary>
    private long? Tick()
    {
        var now = Stopwatch.GetTimestamp();
        long? next = null;

        for (var index = _live.Count - 1; index >= 0; index--)
        {
            var process = _live[index];
            long? due = null;
            Guard(process, () => due = process.Tick(now));

            if (process.Completion.IsCompleted)
            {
                _live.RemoveAt(index);
            }
            else
            {
                next = Math.Min(next ?? long.MaxValue, due ?? now);
            }
        }

        return next;
    }

    private unsafe void WaitAndDispatch(long? next)
    {
        var count = 1 + (SupervisedProcess.Slots * _live.Count);

        if (_slots.Length < count)
        {
            _slots = new Libc.PollFd[count * 2];
        }

        var slots = _slots.AsSpan(0, count);
        slots[0] = new Libc.PollFd { Fd = _wake.Number, Events = Libc.POLLIN };

        for (var index = 0; index < _live.Count; index++)
        {
            _live[index].FillSlots(slots.Slice(1 + (index * SupervisedProcess.Slots), SupervisedProcess.Slots));
        }

        fixed (Libc.PollFd* entries = slots)
        {
            if (Libc.poll(entries, (nuint)count, Milliseconds(next)) < 0)
            {
                return;     // interrupted
            }
        }

        if (slots[0].Ready != 0)
        {
            Span<byte> counter = stackalloc byte[8];
            _ = _wake.Read(counter);
        }

        for (var index = 0; index < _live.Count; index++)
        {
            var process = _live[index];
            var at = 1 + (index * SupervisedProcess.Slots);

            if (slots.Slice(at, SupervisedProcess.Slots).ContainsAnyReady())
            {
                Guard(process, () => process.OnReady(_slots.AsSpan(at, SupervisedProcess.Slots)));
            }
        }
    }

    /// <summary>An error with one sandbox is that sandbox's: the others' limits go on being kept.</summary>
    private static void Guard(SupervisedProcess process, Action action)
    {
        try
        {
            action();
        }
        catch (Exception failure)
        {
            process.Fail(failure);
        }
    }

    private static int Milliseconds(long? due)
    {
        if (due is not { } at)
        {
            return -1;
        }

        var remaining = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), at).TotalMilliseconds;
        return (int)Math.Clamp(Math.Ceiling(remaining), 0, 60_000);
    }
}

file static class PollSlots
{
    public static bool ContainsAnyReady(this Span<Libc.PollFd> slots)
    {
        foreach (var slot in slots)
        {
            if (slot.Ready != 0)
            {
                return true;
            }
        }

        return false;
    }
}
