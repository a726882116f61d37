using System.Collections.Concurrent;
using Lintel.Platform.Http;

namespace Lintel.Platform.RateLimits;

/// <summary>
/// Counts the requests of all partitions. Nodes of one PostgreSQL share their windows, by way of <see cref="SharedRateLimits"/>. Callers have room of their own, and so have the addresses of each policy:
/// a flood of one is not in the way of another. An IPv6 network is counted twice, for itself and with all others of its site, which may have sixteen times as much: a
/// customer who is given 65,536 networks has not as many limits.
/// </summary>
/// <param name="capacity">How many windows each room has.</param>
internal sealed class RateLimitPartitions(TimeProvider time, int capacity, SharedRateLimits? shared = null)
{
    public const int DefaultCapacity = 50_000;

    private readonly RateLimitWindows _callers = new(time, capacity, shared is not null);
    private readonly ConcurrentDictionary<RateLimitPolicy, RateLimitWindows> _addresses = new();
    private readonly ConcurrentDictionary<RateLimitPolicy, RateLimitWindows> _sites = new();

    /// <summary>The windows of callers.</summary>
    public int CallerCount => _callers.Count;

    /// <summary>Counts <paramref name="requests"/>, or none of them where they are too many. Nearly always the answer is there at once.</summary>
    public ValueTask<RateLimitOutcome> TakeAsync(in RateLimitPartition partition, int requests = 1)
    {
        if (SiteOf(partition) is not { } site)
        {
            return TakeOneAsync(partition, requests);
        }

        // A network beyond its site's limit gets no window of its own.
        if (WindowsOf(site).Of(site).IsUsedUp(requests, out var refused))
        {
            return new(refused);
        }

        var taken = TakeOneAsync(partition, requests);
        return taken.IsCompletedSuccessfully ? new(CountForSite(partition, site, requests, taken.Result)) : CountForSiteLaterAsync(partition, site, requests, taken);
    }

    /// <summary>Counts one request of the partition less.</summary>
    public void GiveBack(in RateLimitPartition partition)
    {
        WindowsOf(partition).Find(partition)?.GiveBack(1);
        if (SiteOf(partition) is { } site)
        {
            WindowsOf(site).Find(site)?.GiveBack(1);
        }
    }

    private async ValueTask<RateLimitOutcome> CountForSiteLaterAsync(RateLimitPartition partition, RateLimitPartition site, int requests, ValueTask<RateLimitOutcome> taken) =>
        CountForSite(partition, site, requests, await taken);

    /// <summary>What a network is refused does not count for its neighbours.</summary>
    private RateLimitOutcome CountForSite(in RateLimitPartition partition, in RateLimitPartition site, int requests, in RateLimitOutcome taken)
    {
        if (!taken.IsAllowed)
        {
            return taken;
        }

        RateLimitOutcome outcome;
        while (WindowsOf(site).Of(site).TryTake(requests, out outcome) != TakeStatus.Decided)
        {
        }

        if (outcome.IsAllowed)
        {
            return taken;
        }

        WindowsOf(partition).Find(partition)?.GiveBack(requests);
        return outcome;
    }

    private ValueTask<RateLimitOutcome> TakeOneAsync(in RateLimitPartition partition, int requests)
    {
        while (true)
        {
            var window = WindowsOf(partition).Of(partition);
            switch (window.TryTake(requests, out var outcome))
            {
                case TakeStatus.Decided:
                    return new(outcome);
                case TakeStatus.NeedsGrant:
                    return TakeLaterAsync(partition, requests, window);
            }
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
                    window = WindowsOf(partition).Of(partition);
                    break;
            }
        }
    }

    private RateLimitWindows WindowsOf(in RateLimitPartition partition)
    {
        if (partition.Caller is not null)
        {
            return _callers;
        }

        // Sites are counted by each node for itself.
        return partition.IsSite
            ? _sites.GetOrAdd(partition.Policy, static (_, own) => new(own.time, own.capacity, isShared: false), (time, capacity))
            : _addresses.GetOrAdd(partition.Policy, static (_, own) => new(own.time, own.capacity, own.isShared), (time, capacity, isShared: shared is not null));
    }

    private static RateLimitPartition? SiteOf(in RateLimitPartition partition) =>
        partition.Caller is null && !partition.IsSite && ClientNetwork.SiteOf(partition.Address) is { } site ? new(partition.Policy.ForSites, null, site, IsSite: true) : null;
}
