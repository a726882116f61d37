using System.Collections.Concurrent;

namespace Lintel.Platform.RateLimits;

/// <summary>
/// The windows of all partitions, of this node: several nodes each count what they serve. Ended windows are taken out now and then.
/// Their number is bounded: once it is reached, newcomers share one window a policy, so that whoever has many addresses
/// can neither fill the memory nor make the server forget what others have used.
/// </summary>
internal sealed class RateLimitPartitions(TimeProvider time, int capacity)
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

    public RateLimitOutcome Take(in RateLimitPartition partition, int requests = 1)
    {
        SweepAfter(SweepInterval);
        while (true)
        {
            if (WindowOf(partition).TryTake(requests, out var outcome))
            {
                return outcome;
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
                    return _crowds.GetOrAdd(partition.Policy, static (policy, time) => new FixedWindow(policy, time), time);
                }
            }

            window = new FixedWindow(partition.Policy, time);
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
