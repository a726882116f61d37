using System.Diagnostics;
using System.Net;

namespace Lintel.Bench.Client;

/// <summary>All the members of a room, driven by one thread.</summary>
internal sealed class RoomCrowd : IDisposable
{
    private static readonly TimeSpan DrainLimit = TimeSpan.FromSeconds(30);

    private readonly RoomMember[] members;
    private readonly Epoll epoll;
    private readonly List<long> latencies = [];

    public RoomCrowd(IPEndPoint server, int count, string path, string? bearer)
    {
        members = [.. Enumerable.Range(0, count).Select(_ => new RoomMember(server, path, bearer))];
        epoll = new Epoll(count);
        for (var i = 0; i < count; i++)
        {
            epoll.Watch(members[i].Descriptor, i);
        }
    }

    private long Delivered => members.Sum(static member => member.Delivered);

    /// <summary>Reads for a while and sends nothing.</summary>
    public void Idle(TimeSpan window)
    {
        var end = Stopwatch.GetTimestamp() + Ticks(window);
        while (Stopwatch.GetTimestamp() < end)
        {
            ReceiveReady(10, null);
        }
    }

    /// <summary>One member says so many messages a second; the 99th of a hundred deliveries took so many milliseconds, from sending to being read.</summary>
    public double Paced(TimeSpan window, int perSecond)
    {
        latencies.Clear();
        var before = Delivered;
        var interval = Stopwatch.Frequency / perSecond;
        var now = Stopwatch.GetTimestamp();
        var (next, end, said) = (now, now + Ticks(window), 0);
        while (now < end)
        {
            if (now >= next)
            {
                members[0].Send(0);
                said++;
                next += interval;
            }

            ReceiveReady(now + (Stopwatch.Frequency / 500) >= next ? 0 : 1, latencies);
            now = Stopwatch.GetTimestamp();
        }

        Drain(before + ((long)said * members.Length), latencies);
        latencies.Sort();
        return Stopwatch.GetElapsedTime(0, latencies[(int)Math.Ceiling(0.99 * latencies.Count) - 1]).TotalMilliseconds;
    }

    /// <summary>Some members each say the next message as soon as their last has come back; how many deliveries a second that makes.</summary>
    public double FlatOut(TimeSpan window, int senders)
    {
        var before = Delivered;
        var said = 0L;
        var begun = Stopwatch.GetTimestamp();
        var end = begun + Ticks(window);
        while (Stopwatch.GetTimestamp() < end)
        {
            for (var i = 0; i < senders; i++)
            {
                if (members[i].IsAnswered(i))
                {
                    members[i].Send(i);
                    said++;
                }
            }

            ReceiveReady(1, null);
        }

        // What was said is delivered to all, and its time counts.
        Drain(before + (said * members.Length), null);
        return (Delivered - before) / Stopwatch.GetElapsedTime(begun).TotalSeconds;
    }

    public void Dispose()
    {
        epoll.Dispose();
        foreach (var member in members)
        {
            member.Dispose();
        }
    }

    private void Drain(long expected, List<long>? times)
    {
        var end = Stopwatch.GetTimestamp() + Ticks(DrainLimit);
        while (Delivered < expected)
        {
            ReceiveReady(10, times);
            if (Stopwatch.GetTimestamp() > end)
            {
                throw new TimeoutException($"{expected - Delivered} of {expected} deliveries never came.");
            }
        }
    }

    private void ReceiveReady(int timeoutMilliseconds, List<long>? times)
    {
        var ready = epoll.Wait(timeoutMilliseconds);
        for (var i = 0; i < ready; i++)
        {
            members[epoll.KeyAt(i)].Receive(times);
        }
    }

    private static long Ticks(TimeSpan time) => (long)(time.TotalSeconds * Stopwatch.Frequency);
}
