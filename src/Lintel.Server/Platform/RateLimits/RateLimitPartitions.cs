using System.Collections.Concurrent;

namespace Lintel.Platform.RateLimits;

/// <summary>
/// The windows of all partitions. Nodes of one PostgreSQL share them, by way of <see cref="SharedRateLimits"/>. Ended windows are taken out now and then.
/// Their number is bounded: once it is reached, newcomers share one window a policy, so that whoever has many addresses
/// can neither fill the memory nor make the server forget what others have used.
/// </summary>
internal sealed class RateLimitPartitions(TimeProvider time, int capacity, SharedRateLimits? shared = null)
{
    public const int DefaultCapacity = 50_000;

    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan FullSweepInterval = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<RateLimitPartition, FixedWindow> _windows = new();
    private readonly ConcurrentDictionary<RateLimitPolicy, FixedWindow> _crowds = new();
    private int _count;
    private int _isSweeping;
    private long _lastSweep = time.GetTimestamp();

    public int Count => Volatile.Read(ref _count);

    /// <summary>Counts <paramref name="requests"/>, or none of them where they are too many. Nearly always the answer is there at once.</summary>
    public ValueTask<RateLimitOutcome> TakeAsync(in RateLimitPartition partition, int requests = 1)
    {
        SweepAfter(SweepInterval);
        while (true)
        {
            var window = WindowOf(partition);
            switch (window.TryTake(requests, out var outcome))
            {
                case TakeStatus.Decided:
                    return new(outcome);
                case TakeStatus.NeedsGrant:
                    return TakeLaterAsync(partition, requests, window);
            }
        }
    }

    /// <summary>Counts one request of the partition less.</summary>
    public void GiveBack(in RateLimitPartition partition)
    {
        if (_windows.TryGetValue(partition, out var window) || _crowds.TryGetValue(partition.Policy, out window))
        {
            window.GiveBack();
        }
    }

    private async ValueTask<RateLimitOutcome> TakeLaterAsync(RateLimitPartition partition, int requests, FixedWindow window)
    {
        while (true)
        {
            await window.AskAsync(requests, least => shared!.TakeAsync(partition, least));
            switch (window.TryTake(requests, out var outcome))
            {
                case TakeStatus.Decided:
                    return outcome;
                case TakeStatus.Retired:
                    window = WindowOf(partition);
                    break;
            }
        }
    }

    private FixedWindow NewWindow(RateLimitPolicy policy) => new(policy, time, shared is not null);

    private FixedWindow WindowOf(in RateLimitPartition partition)
    {
        while (true)
        {
            if (_windows.TryGetValue(partition, out var window))
            {
                return window;
            }

            if (Count >= capacity)
            {
                SweepAfter(FullSweepInterval);
                if (Count >= capacity)
                {
                    // Of this node alone: what it has forgotten, the others have too.
                    return _crowds.GetOrAdd(partition.Policy, static (policy, time) => new FixedWindow(policy, time), time);
                }
            }

            window = NewWindow(partition.Policy);
            if (_windows.TryAdd(partition, window))
            {
                Interlocked.Increment(ref _count);
                return window;
            }
        }
    }

    private void SweepAfter(TimeSpan interval)
    {
        if (time.GetElapsedTime(Volatile.Read(ref _lastSweep)) < interval || Interlocked.Exchange(ref _isSweeping, 1) != 0)
        {
            return;
        }

        foreach (var (partition, window) in _windows)
        {
            if (window.TryRetire() && _windows.TryRemove(partition, out _))
            {
                Interlocked.Decrement(ref _count);
            }
        }

        Volatile.Write(ref _lastSweep, time.GetTimestamp());
        Volatile.Write(ref _isSweeping, 0);
    }
}
