using System.Collections.Concurrent;
using Lintel.Platform.Http;

namespace Lintel.Platform.RateLimits;

/// <summary>
/// Windows, so many at most. Ended ones are taken out now and then. Once there are too many, newcomers share the windows of the part of the internet that they come from, so that whoever has many
/// addresses can neither fill the memory nor make the server forget what others have used, and is in the way of few.
/// </summary>
/// <param name="isShared">Other nodes count too.</param>
internal sealed class RateLimitWindows(TimeProvider time, int capacity, bool isShared)
{
    private const int MaxCrowds = 4096;

    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan FullSweepInterval = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<RateLimitPartition, FixedWindow> _windows = new();
    private readonly ConcurrentDictionary<RateLimitPartition, FixedWindow> _crowds = new();
    private int _count;
    private int _crowdCount;
    private int _isSweeping;
    private long _lastSweep = time.GetTimestamp();

    public int Count => Volatile.Read(ref _count);

    /// <summary>The window of a partition, made where there is none. It may be taken out of use at any time: then there is another.</summary>
    public FixedWindow Of(in RateLimitPartition partition)
    {
        SweepAfter(SweepInterval);
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
                    return CrowdOf(partition);
                }
            }

            window = new FixedWindow(partition.Policy, time, isShared);
            if (_windows.TryAdd(partition, window))
            {
                Interlocked.Increment(ref _count);
                return window;
            }
        }
    }

    /// <summary>The window of a partition, if there is one.</summary>
    public FixedWindow? Find(in RateLimitPartition partition) =>
        _windows.TryGetValue(partition, out var window) || _crowds.TryGetValue(Crowd(partition), out window) ? window : null;

    private static RateLimitPartition Crowd(in RateLimitPartition partition) =>
        new(partition.Policy, null, partition.Caller is null ? ClientNetwork.RegionOf(partition.Address) : UInt128.MaxValue);

    /// <summary>Of this node alone.</summary>
    private FixedWindow CrowdOf(in RateLimitPartition partition)
    {
        var crowd = Crowd(partition);
        while (true)
        {
            if (_crowds.TryGetValue(crowd, out var window))
            {
                return window;
            }

            if (Volatile.Read(ref _crowdCount) >= MaxCrowds)
            {
                // The last resort, which takes no room of the others.
                crowd = crowd with { Address = UInt128.MaxValue };
            }

            window = new FixedWindow(partition.Policy, time);
            if (_crowds.TryAdd(crowd, window))
            {
                Interlocked.Increment(ref _crowdCount);
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

        Sweep(_windows, ref _count);
        Sweep(_crowds, ref _crowdCount);
        Volatile.Write(ref _lastSweep, time.GetTimestamp());
        Volatile.Write(ref _isSweeping, 0);
    }

    private static void Sweep(ConcurrentDictionary<RateLimitPartition, FixedWindow> windows, ref int count)
    {
        foreach (var (partition, window) in windows)
        {
            if (window.TryRetire() && windows.TryRemove(partition, out _))
            {
                Interlocked.Decrement(ref count);
            }
        }
    }
}
