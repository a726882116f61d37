using System.Diagnostics;

namespace Lintel.Bench.Client;

/// <summary>
/// Drives any number of connections from one thread: wait for answers, record, send again. Server and peer are always loaded
/// by this same loop, so what it costs on a shared machine weighs on both alike.
/// </summary>
internal static class LoadLoop
{
    private static readonly TimeSpan DrainLimit = TimeSpan.FromSeconds(30);

    /// <summary>Keeps one request in flight on every connection for the given time, then waits for the last answers.</summary>
    public static void Run(TimeSpan window, params ReadOnlySpan<LoadGroup> loads)
    {
        var lanes = Lanes(loads);
        using var epoll = Watch(lanes);
        var end = Stopwatch.GetTimestamp() + Ticks(window);
        foreach (var load in loads)
        {
            load.Begin(window);
        }

        foreach (var lane in lanes)
        {
            lane.Send(Stopwatch.GetTimestamp());
        }

        var outstanding = lanes.Length;
        while (outstanding > 0)
        {
            var ready = epoll.Wait(timeoutMilliseconds: 1000);
            for (var i = 0; i < ready; i++)
            {
                outstanding -= lanes[epoll.KeyAt(i)].ReceiveAndSendAgain(end) ? 0 : 1;
            }

            if (ready == 0 && Stopwatch.GetTimestamp() > end + Ticks(DrainLimit))
            {
                throw new TimeoutException($"{outstanding} requests were never answered.");
            }
        }
    }

    /// <summary>Sends nothing; answers pings and notices connections that close.</summary>
    public static void Idle(TimeSpan window, LoadGroup load)
    {
        var lanes = Lanes([load]);
        using var epoll = Watch(lanes);
        var end = Stopwatch.GetTimestamp() + Ticks(window);
        while (Stopwatch.GetTimestamp() < end)
        {
            var ready = epoll.Wait(timeoutMilliseconds: 100);
            for (var i = 0; i < ready; i++)
            {
                lanes[epoll.KeyAt(i)].Receive();
            }
        }
    }

    private static Lane[] Lanes(ReadOnlySpan<LoadGroup> loads)
    {
        var lanes = new List<Lane>();
        foreach (var load in loads)
        {
            lanes.AddRange(load.Exchanges.Select(exchange => new Lane(load, exchange)));
        }

        return [.. lanes];
    }

    private static Epoll Watch(Lane[] lanes)
    {
        var epoll = new Epoll(lanes.Length);
        for (var i = 0; i < lanes.Length; i++)
        {
            epoll.Watch(lanes[i].Descriptor, i);
        }

        return epoll;
    }

    private static long Ticks(TimeSpan time) => (long)(time.TotalSeconds * Stopwatch.Frequency);

    private sealed class Lane(LoadGroup load, Exchange exchange)
    {
        private long sentAt;

        public nint Descriptor => exchange.Descriptor;

        public void Send(long now)
        {
            sentAt = now;
            exchange.Send();
        }

        public void Receive() => exchange.Receive();

        /// <summary>False when the lane has had its last answer. Answers after the end are waited for but not counted.</summary>
        public bool ReceiveAndSendAgain(long end)
        {
            if (!exchange.Receive())
            {
                return true;
            }

            var now = Stopwatch.GetTimestamp();
            if (now > end)
            {
                return false;
            }

            load.Record(now - sentAt);
            Send(now);
            return true;
        }
    }
}
