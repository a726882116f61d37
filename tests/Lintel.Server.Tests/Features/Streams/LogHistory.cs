using System.Globalization;
using Lintel.Platform.Storage;

namespace Lintel.Features.Streams;

/// <summary>
/// Does to a real log what a random history says, and to lists the same. In the end, and whenever the history says so, every reader must have got exactly what its list holds
/// after its cursor, or one reset that says why not.
/// </summary>
internal sealed class LogHistory : IAsyncDisposable
{
    private const int Streams = 3;

    // More than a feed keeps, now and then, so that readers go from the feed to the database and back.
    private const int LargeEvent = 200_000;

    private readonly DatabaseUnderTest _test;
    private readonly int _nodeCount;
    private readonly List<LogNode> _nodes = [];
    private readonly List<OracleStream> _streams = [];
    private readonly List<(OracleStream Stream, Reader Reader)> _readers = [];
    private readonly List<(OracleStream Stream, long Last)> _left = [];
    private long _number;

    private LogHistory(DatabaseUnderTest test, int nodes)
    {
        _test = test;
        _nodeCount = nodes;
    }

    public static async Task RunAsync(DatabaseUnderTest test, int nodes, string name, IEnumerable<Step> steps)
    {
        await using var history = new LogHistory(test, nodes);
        await history.StartAsync();
        for (var i = 0; i < Streams; i++)
        {
            var streamName = string.Create(CultureInfo.InvariantCulture, $"{name}-{i}");
            history._streams.Add(new OracleStream(await history._nodes[0].CreateStreamAsync(streamName), streamName));
        }

        foreach (var step in steps)
        {
            await history.DoAsync(step);
        }

        await history.SettleAsync(everyone: true);
        await history.CompareAsync();
    }

    public async ValueTask DisposeAsync() => await StopAsync();

    private async Task StartAsync()
    {
        for (var i = 0; i < _nodeCount; i++)
        {
            _nodes.Add(await LogNode.StartAsync(_test));
        }
    }

    private async Task StopAsync()
    {
        foreach (var (stream, reader) in _readers)
        {
            await reader.LeaveAsync();
            _left.Add((stream, reader.Last));
        }

        _readers.Clear();
        foreach (var node in _nodes)
        {
            await node.DisposeAsync();
        }

        _nodes.Clear();
    }

    private async Task DoAsync(Step step)
    {
        var stream = _streams[step.Which % Streams];
        var node = _nodes[step.Place % _nodes.Count];
        switch (step.Deed)
        {
            case Deed.Append:
                await AppendAsync(node, stream, step, close: false);
                break;
            case Deed.Close:
                await AppendAsync(node, stream, step with { Amount = step.Amount % 3 }, close: true);
                break;
            case Deed.AppendBeside:
                await AppendBesideAsync(stream, 2 + (step.Amount % 14));
                break;
            case Deed.AppendAndFail:
                await AppendAndFailAsync(node, stream, 1 + (step.Amount % 5));
                break;
            case Deed.AppendLate:
                var late = await node.AppendAsync(stream.Id, TestEvent.Many(-1, 2), stream.Fence - 1);
                Assert.True(late.Refused);
                break;
            case Deed.TakeOver:
                stream.Fence++;
                await node.Database.WriteAsync(
                    async session => { await session.ExecuteAsync("UPDATE stream SET fence = $2 WHERE id = $1", stream.Id, stream.Fence); }, CancellationToken.None);
                break;
            case Deed.Prune:
                // Also below the floor and beyond the end, where nothing must happen.
                var floor = (step.Amount % (stream.Tail + 4)) - 1;
                await node.Log.PruneAsync(stream.Id, floor, CancellationToken.None);
                stream.Floor = floor <= stream.Tail + 1 ? Math.Max(floor, stream.Floor) : stream.Floor;
                break;
            case Deed.Follow:
                await FollowAsync(node, stream, Cursor(stream, step), stalled: step.Amount % 5 == 0);
                break;
            case Deed.Resume when _left.Count > 0:
                var (left, last) = _left[step.Which % _left.Count];
                await FollowAsync(node, left, info => new StreamCursor(left.Name, info.Epoch, last), stalled: false);
                break;
            case Deed.Settle:
                await SettleAsync(everyone: false);
                break;
            case Deed.Restart:
                await StopAsync();
                await StartAsync();
                break;
            default:
                await DoToReaderAsync(step);
                break;
        }
    }

    private async Task DoToReaderAsync(Step step)
    {
        if (_readers.Count == 0)
        {
            return;
        }

        var index = step.Which % _readers.Count;
        var (stream, reader) = _readers[index];
        switch (step.Deed)
        {
            case Deed.Stall:
                reader.Stall();
                break;
            case Deed.GoOn:
                reader.GoOn();
                break;
            case Deed.Leave:
                await reader.LeaveAsync();
                Check(stream, reader);
                _readers.RemoveAt(index);
                _left.Add((stream, reader.Last));
                break;
        }
    }

    private async Task AppendAsync(LogNode node, OracleStream stream, Step step, bool close)
    {
        var count = close ? step.Amount : 1 + (step.Amount % 7);
        var large = step.Amount % 11 == 0;
        var events = new StreamEvent[count];
        for (var i = 0; i < count; i++)
        {
            events[i] = large ? TestEvent.OfSize(++_number, LargeEvent) : TestEvent.Of(++_number);
        }

        var result = await node.AppendAsync(stream.Id, events, stream.Fence, close);
        Assert.Equal(stream.IsClosed, result.Refused);
        if (!result.Refused)
        {
            stream.Events.AddRange(events.Select(TestEvent.TextOf));
            stream.IsClosed = close;
            Assert.Equal(stream.Tail, result.LastSeq);
        }
    }

    /// <summary>Many at once, on all nodes: their numbers tell the order, and must leave no hole.</summary>
    private async Task AppendBesideAsync(OracleStream stream, int writers)
    {
        var appends = Enumerable.Range(0, writers).Select(async i =>
        {
            var events = TestEvent.Many(Interlocked.Add(ref _number, 3) - 2, 1 + (i % 3));
            return (Events: events, Result: await _nodes[i % _nodes.Count].AppendAsync(stream.Id, events, stream.Fence));
        });
        foreach (var (events, result) in (await Task.WhenAll(appends)).OrderBy(static append => append.Result.LastSeq))
        {
            Assert.Equal(stream.IsClosed, result.Refused);
            if (!result.Refused)
            {
                stream.Events.AddRange(events.Select(TestEvent.TextOf));
                Assert.Equal(stream.Tail, result.LastSeq);
            }
        }
    }

    private static async Task AppendAndFailAsync(LogNode node, OracleStream stream, int count) =>
        await Assert.ThrowsAsync<FormatException>(() => node.Database.WriteAsync<int>(
            async session =>
            {
                await node.Log.AppendAsync(session, stream.Id, TestEvent.Many(-100, count), stream.Fence);
                throw new FormatException("The unit fails after it has appended.");
            },
            CancellationToken.None));

    private Func<StreamInfo, StreamCursor> Cursor(OracleStream stream, Step step) => info => (step.Amount % 13) switch
    {
        0 => new StreamCursor(stream.Name, info.Epoch + 1, 1),
        1 => new StreamCursor(_streams[(step.Which + 1) % Streams].Name, info.Epoch, 1),
        2 => new StreamCursor(stream.Name, info.Epoch, stream.Tail + 1 + (step.Place % 3)),
        3 => new StreamCursor(stream.Name, info.Epoch, 0),
        _ => new StreamCursor(stream.Name, info.Epoch, step.Place % (stream.Tail + 1)),
    };

    private async Task FollowAsync(LogNode node, OracleStream stream, Func<StreamInfo, StreamCursor> choose, bool stalled)
    {
        var info = await node.InfoAsync(stream.Id);
        Assert.Equal((stream.Tail, stream.Floor, stream.IsClosed), (info.Tail, info.FloorSeq, info.Closed));
        var cursor = choose(info);
        Assert.True(StreamCursor.TryParse(cursor.ToString(), out var parsed));
        var refusal = info.Validate(parsed);
        Assert.Equal(stream.Expect(cursor, info.Epoch), refusal);
        if (refusal is null)
        {
            _readers.Add((stream, Reader.Follow(node.Follower, info, parsed.Seq, stalled)));
        }
    }

    /// <summary>Waits until all who read have got all there is, or were told why not.</summary>
    private async Task SettleAsync(bool everyone)
    {
        foreach (var (stream, reader) in _readers)
        {
            if (everyone)
            {
                reader.GoOn();
            }

            if (!reader.IsStalled)
            {
                await reader.WaitAsync(it => it.Last >= stream.Tail && (!stream.IsClosed || it.Following.IsCompleted));
            }

            Check(stream, reader);
        }
    }

    private static void Check(OracleStream stream, Reader reader)
    {
        var got = reader.Texts;
        Assert.Equal(stream.Events.Skip((int)reader.After).Take(got.Length), got);
        if (reader.Reset is { } reset)
        {
            // Said only where it is true: what comes next is no longer kept.
            Assert.Equal(ResetReason.TooOld, reset.Reason);
            Assert.True(reader.Last + 1 < stream.Floor, "A reader was told to start again although the log has what comes next.");
            Assert.InRange(reset.Stream.FloorSeq, reader.Last + 2, stream.Floor);
        }
        else if (reader.Following.IsCompletedSuccessfully && !reader.IsEnding)
        {
            Assert.True(stream.IsClosed);
            Assert.Equal(stream.Tail, reader.Last);
        }
    }

    /// <summary>What the database has is what the lists have, no more and no less.</summary>
    private async Task CompareAsync()
    {
        foreach (var stream in _streams)
        {
            var kept = await _nodes[0].ReadAllAsync(stream.Id, stream.Floor - 1);
            Assert.Equal(stream.Events.Skip((int)stream.Floor - 1), kept.Select(static item => item.Text));
            Assert.Equal((stream.Tail, stream.Floor, stream.IsClosed), (await _nodes[0].InfoAsync(stream.Id)) is var info ? (info.Tail, info.FloorSeq, info.Closed) : default);
        }
    }
}
