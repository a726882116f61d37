using System.Net;
using Lintel.Infrastructure;

namespace Lintel.Platform.RateLimits;

public sealed class FixedWindowTests
{
    private readonly ManualTime _time = new();
    private readonly RateLimitPolicy _policy = new("test", 3, TimeSpan.FromSeconds(10));

    [Fact]
    public void A_window_allows_its_number_and_tells_exactly_what_is_left()
    {
        var window = new FixedWindow(_policy, _time);

        Assert.Equal([(true, 2), (true, 1), (true, 0), (false, 0), (false, 0)], Enumerable.Range(0, 5).Select(_ => Take(window)));
    }

    [Fact]
    public void A_window_begins_with_the_first_request_and_ends_to_the_tick()
    {
        var window = new FixedWindow(_policy, _time);
        _time.Advance(TimeSpan.FromSeconds(7.25));
        var reset = (_time.GetUtcNow() + _policy.Window).ToUnixTimeSeconds() + 1;
        for (var i = 0; i < 4; i++)
        {
            window.TryTake(1, out _);
        }

        _time.Advance(_policy.Window - TimeSpan.FromTicks(1));
        window.TryTake(1, out var last);
        Assert.Equal((false, TimeSpan.FromTicks(1)), (last.IsAllowed, last.ResetAfter));
        Assert.Equal(reset, long.Parse(last.Reset));

        _time.Advance(TimeSpan.FromTicks(1));
        Assert.Equal((true, 2), Take(window));
    }

    [Fact]
    public void Who_waits_as_long_as_told_is_let_in()
    {
        var window = new FixedWindow(_policy, _time);
        window.TryTake(3, out _);
        _time.Advance(TimeSpan.FromSeconds(3.3));
        window.TryTake(1, out var refused);

        _time.Advance(refused.ResetAfter);

        Assert.Equal((true, 2), Take(window));
    }

    [Fact]
    public void Refused_requests_do_not_use_up_the_next_window()
    {
        var window = new FixedWindow(_policy, _time);
        for (var i = 0; i < 1000; i++)
        {
            window.TryTake(1, out _);
        }

        _time.Advance(_policy.Window);
        Assert.Equal((true, 2), Take(window));
    }

    [Fact]
    public async Task No_number_of_threads_gets_more_than_the_limit()
    {
        var policy = new RateLimitPolicy("test", 5000, TimeSpan.FromSeconds(10));
        var partitions = new RateLimitPartitions(_time, 100);
        var partition = RateLimitPartition.OfCaller(policy, "one");
        var allowed = 0;
        await Parallel.ForAsync(0, 20_000, TestContext.Current.CancellationToken, (_, _) =>
        {
            if (Take(partitions, partition).IsAllowed)
            {
                Interlocked.Increment(ref allowed);
            }

            return ValueTask.CompletedTask;
        });

        Assert.Equal(5000, allowed);
    }

    [Fact]
    public void Partitions_and_policies_are_counted_apart()
    {
        var other = new RateLimitPolicy("test", 3, TimeSpan.FromSeconds(10));
        var partitions = new RateLimitPartitions(_time, 100);
        for (var i = 0; i < 5; i++)
        {
            Take(partitions, RateLimitPartition.OfCaller(_policy, "one"));
        }

        Assert.False(Take(partitions, RateLimitPartition.OfCaller(_policy, "one")).IsAllowed);
        Assert.True(Take(partitions, RateLimitPartition.OfCaller(_policy, "two")).IsAllowed);
        Assert.True(Take(partitions, RateLimitPartition.OfCaller(other, "one")).IsAllowed);
    }

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1", true)]
    [InlineData("192.0.2.1", "192.0.2.2", false)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    [InlineData("::", "0.0.0.0", false)]
    public void Ipv6_is_counted_by_its_network(string one, string other, bool isSame)
    {
        Assert.Equal(isSame, RateLimitPartition.OfAddress(_policy, IPAddress.Parse(one)) == RateLimitPartition.OfAddress(_policy, IPAddress.Parse(other)));
    }

    [Fact]
    public void Ended_windows_are_forgotten_and_running_ones_are_not()
    {
        var partitions = new RateLimitPartitions(_time, 1000);
        for (var i = 0; i < 500; i++)
        {
            Take(partitions, RateLimitPartition.OfCaller(_policy, $"old {i}"));
        }

        _time.Advance(TimeSpan.FromSeconds(29));
        for (var i = 0; i < 4; i++)
        {
            Take(partitions, RateLimitPartition.OfCaller(_policy, "young"));
        }

        _time.Advance(TimeSpan.FromSeconds(2));
        Take(partitions, RateLimitPartition.OfCaller(_policy, "now"));

        Assert.Equal(2, partitions.CallerCount);
        Assert.False(Take(partitions, RateLimitPartition.OfCaller(_policy, "young")).IsAllowed);
    }

    [Fact]
    public void A_flood_of_addresses_is_bounded_and_frees_nobody()
    {
        var partitions = new RateLimitPartitions(_time, 100);
        var victim = RateLimitPartition.OfCaller(_policy, "known");
        Take(partitions, victim, 3);

        var allowed = Enumerable.Range(0, 10_000).Count(i => Take(partitions, RateLimitPartition.OfCaller(_policy, $"flood {i}")).IsAllowed);

        Assert.Equal(100, partitions.CallerCount);
        Assert.Equal(99 + _policy.Requests, allowed);
        Assert.False(Take(partitions, victim).IsAllowed);

        // Once the flood is over there is room again.
        _time.Advance(_policy.Window);
        Assert.True(Take(partitions, RateLimitPartition.OfCaller(_policy, "newcomer")).IsAllowed);
        Assert.Equal(1, partitions.CallerCount);
    }

    [Fact]
    public void A_flood_of_one_kind_is_in_nobody_else_s_way()
    {
        var other = new RateLimitPolicy("other", 3, TimeSpan.FromSeconds(10));
        var partitions = new RateLimitPartitions(_time, 100);

        // Many sites, many networks each.
        for (var i = 0; i < 20_000; i++)
        {
            Take(partitions, RateLimitPartition.OfAddress(_policy, IPAddress.Parse($"2001:db8:{i / 100:x}:{i % 100:x}::1")));
        }

        Assert.True(Take(partitions, RateLimitPartition.OfCaller(_policy, "somebody")).IsAllowed);
        Assert.True(Take(partitions, RateLimitPartition.OfAddress(other, IPAddress.Parse("192.0.2.1"))).IsAllowed);

        // Under the same policy newcomers share the window of their part of the internet, and of no other.
        for (var i = 0; i < 3; i++)
        {
            Assert.True(Take(partitions, RateLimitPartition.OfAddress(_policy, IPAddress.Parse($"192.0.2.{i}"))).IsAllowed);
        }

        Assert.False(Take(partitions, RateLimitPartition.OfAddress(_policy, IPAddress.Parse("192.0.3.1"))).IsAllowed);
        Assert.True(Take(partitions, RateLimitPartition.OfAddress(_policy, IPAddress.Parse("198.51.100.1"))).IsAllowed);
    }

    [Fact]
    public void The_networks_of_one_site_have_sixteen_limits_together_and_what_one_is_refused_costs_its_neighbours_nothing()
    {
        var partitions = new RateLimitPartitions(_time, 100_000);
        for (var i = 0; i < 1000; i++)
        {
            Take(partitions, RateLimitPartition.OfAddress(_policy, IPAddress.Parse("2001:db8:1:1::1")));
        }

        var allowed = Enumerable.Range(2, 5000).Count(i => Take(partitions, RateLimitPartition.OfAddress(_policy, IPAddress.Parse($"2001:db8:1:{i:x}::1"))).IsAllowed);
        Assert.Equal((16 * _policy.Requests) - _policy.Requests, allowed);
        Assert.True(Take(partitions, RateLimitPartition.OfAddress(_policy, IPAddress.Parse("2001:db8:2:1::1"))).IsAllowed);

        // Given back, it is there for all.
        partitions.GiveBack(RateLimitPartition.OfAddress(_policy, IPAddress.Parse("2001:db8:1:1::1")));
        Assert.True(Take(partitions, RateLimitPartition.OfAddress(_policy, IPAddress.Parse("2001:db8:1:ffff::1"))).IsAllowed);

        _time.Advance(_policy.Window);
        Assert.True(Take(partitions, RateLimitPartition.OfAddress(_policy, IPAddress.Parse("2001:db8:1:2::1"))).IsAllowed);
    }

    [Fact]
    public async Task Windows_that_are_retired_while_others_take_from_them_lose_no_count()
    {
        var policy = new RateLimitPolicy("test", 1_000_000, TimeSpan.FromSeconds(40));
        var brief = new RateLimitPolicy("brief", 1, TimeSpan.FromSeconds(1));
        var partitions = new RateLimitPartitions(_time, 1000);
        var one = RateLimitPartition.OfCaller(policy, "one");

        // Sweeps run all the time beside the takers, over many windows that end; the one that runs on must stay exact.
        var start = Take(partitions, one).Remaining;
        var taken = 0;
        await Parallel.ForAsync(0, 4000, TestContext.Current.CancellationToken, (i, _) =>
        {
            Take(partitions, RateLimitPartition.OfCaller(brief, $"brief {i}"));
            if (i % 100 == 0)
            {
                _time.Advance(TimeSpan.FromSeconds(0.9));
            }

            Take(partitions, one);
            Interlocked.Increment(ref taken);
            return ValueTask.CompletedTask;
        });

        Assert.Equal(4000, taken);
        var rest = Take(partitions, one).Remaining;
        Assert.Equal(start - 4001, rest);
    }

    private static RateLimitOutcome Take(RateLimitPartitions partitions, RateLimitPartition partition, int requests = 1)
    {
        // What this node counts alone is known at once.
        var taken = partitions.TakeAsync(partition, requests).AsTask();
        Assert.True(taken.IsCompletedSuccessfully);
        return taken.Result;
    }

    private static (bool IsAllowed, int Remaining) Take(FixedWindow window)
    {
        Assert.Equal(TakeStatus.Decided, window.TryTake(1, out var outcome));
        return (outcome.IsAllowed, outcome.Remaining);
    }
}
