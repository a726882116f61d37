using System.Collections.Concurrent;
using Lintel.Platform.Storage;

namespace Lintel.Features.Streams;

/// <summary>What the log promises, each time with an attempt to break it.</summary>
public abstract class StreamLogTests : IAsyncLifetime
{
    private long _streamId;

    private protected DatabaseUnderTest Test { get; private set; } = null!;

    private protected LogNode Node { get; private set; } = null!;

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Test = await CreateAsync();
        Node = await LogNode.StartAsync(Test);
        _streamId = await Node.CreateStreamAsync("test");
    }

    public async ValueTask DisposeAsync()
    {
        if (Node is not null)
        {
            await Node.DisposeAsync();
        }

        if (Test is not null)
        {
            await Test.DisposeAsync();
        }

        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Sixteen_concurrent_writers_make_one_order_without_holes_that_all_readers_see()
    {
        const int writers = 16;
        const int appends = 30;
        var readers = await FollowManyAsync(4);

        var results = await Task.WhenAll(Enumerable.Range(0, writers).Select(writer => Task.Run(async () =>
        {
            var own = new List<long>();
            for (var i = 0; i < appends; i++)
            {
                own.Add((await Node.AppendAsync(_streamId, TestEvent.Many((writer * 1000) + (i * 3), 1 + (i % 3)))).LastSeq);
            }

            return own;
        })));

        const int total = writers * appends * 2;
        var all = await Node.ReadAllAsync(_streamId);
        Assert.Equal(Enumerable.Range(1, total).Select(static seq => (long)seq), all.Select(static item => item.Seq));

        // Each writer finds its own events in the order in which it wrote them, and its batches are not torn.
        Assert.All(results, static own => Assert.Equal(own.Order(), own));
        for (var writer = 0; writer < writers; writer++)
        {
            var expected = Enumerable.Range(0, appends).SelectMany(i => Enumerable.Range(0, 1 + (i % 3)).Select(j => ((writer * 1000) + (i * 3) + j).ToString()));
            Assert.Equal(expected, all.Select(static item => item.Text).Where(text => int.Parse(text) / 1000 == writer));
        }

        foreach (var reader in readers)
        {
            await reader.WaitForAsync(total);
            Assert.Equal(all.Select(static item => item.Text), reader.Texts);
            await reader.LeaveAsync();
        }
    }

    [Fact]
    public async Task A_unit_that_fails_after_it_has_appended_is_seen_by_nobody()
    {
        var reader = (await FollowManyAsync(1))[0];
        await Node.AppendAsync(_streamId, TestEvent.Many(1, 2));
        await Assert.ThrowsAsync<FormatException>(() => Node.Database.WriteAsync<int>(
            async session =>
            {
                await Node.Log.AppendAsync(session, _streamId, [TestEvent.Of("never")]);
                throw new FormatException();
            },
            Cancel));
        await Node.AppendAsync(_streamId, TestEvent.Many(3, 1));

        await reader.WaitForAsync(3);
        Assert.Equal(["1", "2", "3"], reader.Texts);
        Assert.Equal(3, (await Node.InfoAsync(_streamId)).Tail);
        await reader.LeaveAsync();
    }

    [Fact]
    public async Task Nobody_is_told_of_an_event_before_it_is_durable()
    {
        // Each time a reader gets an event, the database must have it already, as another connection sees it.
        var early = new ConcurrentBag<long>();
        var sink = new AuditingSink(async seq =>
        {
            if ((await Node.InfoAsync(_streamId)).Tail < seq)
            {
                early.Add(seq);
            }
        });
        var following = Node.Follower.RunAsync(await Node.InfoAsync(_streamId), 0, sink);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(writer => Task.Run(async () =>
        {
            for (var i = 0; i < 25; i++)
            {
                await Node.AppendAsync(_streamId, TestEvent.Many(i, 1));
            }
        })));
        await Node.AppendAsync(_streamId, [], close: true);

        Assert.Equal(FollowEnd.Completed, await following.WaitAsync(TimeSpan.FromSeconds(20), Cancel));
        Assert.Equal(200, sink.Last);
        Assert.Empty(early);
    }

    [Fact]
    public async Task A_slow_reader_of_a_fast_stream_gets_everything_though_the_feed_keeps_only_the_newest()
    {
        // One whose next event is long gone from the feed, one that is at the edge of what the feed keeps, and one that keeps up.
        var info = await Node.InfoAsync(_streamId);
        var slow = Reader.Follow(Node.Follower, info, 0, stalled: true);
        var edge = Reader.Follow(Node.Follower, info, 0);
        var quick = Reader.Follow(Node.Follower, info, 0);
        const int batches = 700;
        for (var i = 0; i < batches; i++)
        {
            if (i == 200)
            {
                edge.Stall();
            }

            await Node.AppendAsync(_streamId, i % 50 == 0 ? [TestEvent.OfSize(i, 60_000)] : TestEvent.Many(i, 1));
        }

        edge.GoOn();
        slow.GoOn();
        await Node.AppendAsync(_streamId, TestEvent.Many(batches, 3), close: true);

        var expected = (await Node.ReadAllAsync(_streamId)).Select(static item => item.Text).ToList();
        Assert.Equal(batches + 3, expected.Count);
        foreach (var reader in new[] { slow, edge, quick })
        {
            Assert.Equal(FollowEnd.Completed, await reader.WaitForEndAsync());
            Assert.Null(reader.Reset);
            Assert.Equal(expected, reader.Texts);
        }
    }

    [Fact]
    public async Task Readers_that_come_and_go_while_events_pour_in_miss_none()
    {
        var writing = Task.Run(
            async () =>
            {
                for (var i = 0; i < 400; i++)
                {
                    await Node.AppendAsync(_streamId, TestEvent.Many(i * 2, 2));
                }
            },
            Cancel);

        // Each goes on where it was, with a cursor and nothing else, until the writer is done.
        var seen = await Task.WhenAll(Enumerable.Range(0, 4).Select(who => Task.Run(async () =>
        {
            var texts = new List<string>();
            do
            {
                var reader = Reader.Follow(Node.Follower, await Node.InfoAsync(_streamId), texts.Count);
                await reader.WaitForAsync(Math.Min(texts.Count + 1 + who, 800));
                await reader.LeaveAsync();
                texts.AddRange(reader.Texts);
            }
            while (texts.Count < 800);
            return texts;
        })));
        await writing;

        Assert.All(seen, texts => Assert.Equal(Enumerable.Range(0, 800).Select(static i => i.ToString()), texts));
    }

    [Fact]
    public async Task A_reader_goes_on_after_a_restart_of_the_server()
    {
        var reader = (await FollowManyAsync(1))[0];
        await Node.AppendAsync(_streamId, TestEvent.Many(1, 5));
        await reader.WaitForAsync(5);
        var cursor = new StreamCursor("test", (await Node.InfoAsync(_streamId)).Epoch, 3);
        await reader.LeaveAsync();
        await Node.DisposeAsync();

        Node = await LogNode.StartAsync(Test);
        var info = await Node.InfoAsync(_streamId);
        Assert.Null(info.Validate(cursor));
        var again = Reader.Follow(Node.Follower, info, cursor.Seq);
        await Node.AppendAsync(_streamId, TestEvent.Many(6, 2));

        await again.WaitForAsync(7);
        Assert.Equal(["4", "5", "6", "7"], again.Texts);
        await again.LeaveAsync();
    }

    [Fact]
    public async Task A_cursor_that_cannot_be_served_is_refused_with_the_reason()
    {
        await Node.AppendAsync(_streamId, TestEvent.Many(1, 10));
        await Node.Log.PruneAsync(_streamId, 5, Cancel);
        var info = await Node.InfoAsync(_streamId);

        Assert.Equal((10, 5), (info.Tail, info.FloorSeq));
        Assert.Equal(ResetReason.TooOld, info.Validate(new StreamCursor("test", info.Epoch, 3)));
        Assert.Null(info.Validate(new StreamCursor("test", info.Epoch, 4)));
        Assert.Null(info.Validate(new StreamCursor("test", info.Epoch, 10)));
        Assert.Equal(ResetReason.TooNew, info.Validate(new StreamCursor("test", info.Epoch, 11)));
        Assert.Equal(ResetReason.Epoch, info.Validate(new StreamCursor("test", info.Epoch - 1, 7)));
        Assert.Equal(ResetReason.Unknown, info.Validate(new StreamCursor("other", info.Epoch, 7)));
        Assert.Equal(ResetReason.Unknown, info.Validate(default));
    }

    [Fact]
    public async Task Many_events_are_forgotten_in_steps_and_neither_more_nor_fewer_than_were_to_be()
    {
        for (var first = 1; first <= 9000; first += 1000)
        {
            await Node.AppendAsync(_streamId, TestEvent.Many(first, 1000));
        }

        await Node.Log.PruneAsync(_streamId, 8501, Cancel);
        Assert.Equal((8501, 9000), ((await Node.InfoAsync(_streamId)).FloorSeq, (await Node.InfoAsync(_streamId)).Tail));
        Assert.Equal(8501, (await Node.Log.ReadAsync(_streamId, 0, Cancel))!.FirstSeq);
        Assert.Equal(500, await CountAsync());

        await Node.Log.EmptyAsync(_streamId, Cancel);
        Assert.Equal(0, await CountAsync());

        Task<long> CountAsync() => Node.Database.ReadAsync(
            session => session.QueryFirstAsync("SELECT count(*) FROM event WHERE stream_id = $1", static row => row.GetInt64(0), _streamId), Cancel);
    }

    [Fact]
    public async Task A_stream_that_is_made_anew_under_its_old_name_is_another_stream()
    {
        await Node.AppendAsync(_streamId, TestEvent.Many(1, 3));
        var old = await Node.InfoAsync(_streamId);
        await Node.Database.WriteAsync(
            async session =>
            {
                await session.ExecuteAsync("DELETE FROM event WHERE stream_id = $1", _streamId);
                await session.ExecuteAsync("DELETE FROM stream WHERE id = $1", _streamId);
            },
            Cancel);
        _streamId = await Node.CreateStreamAsync("test");
        await Node.AppendAsync(_streamId, TestEvent.Many(1, 3));

        Assert.Equal(ResetReason.Epoch, (await Node.InfoAsync(_streamId)).Validate(new StreamCursor("test", old.Epoch, 2)));
    }

    [Fact]
    public async Task A_reader_whose_next_event_is_pruned_away_is_told_to_start_again_and_gets_nothing_more()
    {
        await Node.AppendAsync(_streamId, TestEvent.Many(1, 20));
        var reader = Reader.Follow(Node.Follower, await Node.InfoAsync(_streamId), 0, stalled: true);

        // It holds its first page while what follows that is pruned, and is no longer among the newest that the feed keeps.
        await Node.AppendAsync(_streamId, [.. Enumerable.Range(21, 500).Select(static i => TestEvent.OfSize(i, 3000))]);
        await Node.AppendAsync(_streamId, [.. Enumerable.Range(521, 500).Select(static i => TestEvent.OfSize(i, 3000))]);
        await Node.Log.PruneAsync(_streamId, 1000, Cancel);
        reader.GoOn();

        Assert.Equal(FollowEnd.Reset, await reader.WaitForEndAsync());
        Assert.Equal(ResetReason.TooOld, reader.Reset?.Reason);
        Assert.Equal((1000, 1020), (reader.Reset?.Stream.FloorSeq, reader.Reset?.Stream.Tail));
        Assert.InRange(reader.Last, 0, 998);
    }

    [Fact]
    public async Task A_superseded_writer_appends_nothing_and_is_told_so()
    {
        await TakeOverAsync(fence: 7);
        Assert.Equal(1, (await Node.AppendAsync(_streamId, TestEvent.Many(1, 1), fence: 7)).LastSeq);
        await TakeOverAsync(fence: 8);

        Assert.True((await Node.AppendAsync(_streamId, TestEvent.Many(2, 3), fence: 7)).Refused);
        Assert.True((await Node.AppendAsync(_streamId, [], fence: 7, close: true)).Refused);
        Assert.True((await Node.AppendAsync(_streamId, TestEvent.Many(2, 3))).Refused);

        Assert.Equal([(1, "1")], await Node.ReadAllAsync(_streamId));
        Assert.Equal((1, false), (await Node.InfoAsync(_streamId)) is var info ? (info.Tail, info.Closed) : default);
    }

    [Fact]
    public async Task A_takeover_in_the_midst_of_appends_splits_them_cleanly()
    {
        await TakeOverAsync(fence: 1);
        var old = Enumerable.Range(0, 60).Select(i => Node.AppendAsync(_streamId, [TestEvent.Of($"old-{i}")], fence: 1)).ToList();
        await TakeOverAsync(fence: 2);
        var first = await Node.AppendAsync(_streamId, [TestEvent.Of("new")], fence: 2);
        await Task.WhenAll(old);

        var texts = (await Node.ReadAllAsync(_streamId)).ConvertAll(static item => item.Text);
        Assert.Equal("new", texts[(int)first.LastSeq - 1]);
        Assert.Equal(first.LastSeq, texts.Count);
        Assert.Equal(texts.Count - 1, old.Count(static append => !append.Result.Refused));
    }

    [Fact]
    public async Task A_unit_whose_last_events_are_not_taken_does_not_happen()
    {
        await Node.AppendAsync(_streamId, TestEvent.Many(1, 1), close: true);

        await Assert.ThrowsAsync<InvalidOperationException>(() => Node.Database.WriteAsync(
            async session =>
            {
                Node.Log.AppendLast(session, "another", TestEvent.Many(2, 1)[0]);
                Node.Log.AppendLast(session, "test", TestEvent.Many(3, 1)[0]);
                await Node.Log.CreateAsync(session, "beside");
            },
            Cancel));

        Assert.Null(await Node.Log.FindAsync("another", Cancel));
        Assert.Null(await Node.Log.FindAsync("beside", Cancel));
        Assert.Equal(1, (await Node.InfoAsync(_streamId)).Tail);
    }

    [Fact]
    public async Task A_closed_stream_takes_nothing_more_and_its_readers_end()
    {
        var reader = (await FollowManyAsync(1))[0];
        await Node.AppendAsync(_streamId, TestEvent.Many(1, 2));
        await reader.WaitForAsync(2);
        await Node.AppendAsync(_streamId, [], close: true);

        Assert.Equal(FollowEnd.Completed, await reader.WaitForEndAsync());
        Assert.True((await Node.AppendAsync(_streamId, TestEvent.Many(3, 1))).Refused);
        Assert.Equal(FollowEnd.Completed, await Reader.Follow(Node.Follower, await Node.InfoAsync(_streamId), 2).WaitForEndAsync());
    }

    [Fact]
    public async Task An_event_that_is_too_large_is_refused_and_leaves_no_hole()
    {
        var large = new StreamEvent("note", new byte[StreamLog.MaxEventBytes + 1]);
        await Assert.ThrowsAsync<ArgumentException>(() => Node.AppendAsync(_streamId, [TestEvent.Of(1), large]));
        var most = new StreamEvent("note", new byte[StreamLog.MaxEventBytes]);
        await Node.AppendAsync(_streamId, [TestEvent.Of(1), most, TestEvent.Of(3)]);

        var page = await Node.Log.ReadAsync(_streamId, 1, Cancel);
        Assert.Equal(StreamLog.MaxEventBytes, page!.Events[0].Data.Length);
        Assert.Equal(3, (await Node.InfoAsync(_streamId)).Tail);
    }

    [Fact]
    public async Task A_page_is_bounded_by_rows_and_by_bytes()
    {
        await Node.AppendAsync(_streamId, TestEvent.Many(1, 2000));
        var many = await Node.Log.ReadAsync(_streamId, 0, Cancel);
        Assert.InRange(many!.Events.Length, 100, 1000);

        await Node.AppendAsync(_streamId, [.. Enumerable.Range(0, 20).Select(static i => TestEvent.OfSize(i, 200_000))]);
        var large = await Node.Log.ReadAsync(_streamId, 2000, Cancel);
        Assert.InRange(large!.Bytes, 1, 1024 * 1024);
    }

    private protected abstract Task<DatabaseUnderTest> CreateAsync();

    private protected async Task<Reader[]> FollowManyAsync(int count)
    {
        var info = await Node.InfoAsync(_streamId);
        return [.. Enumerable.Range(0, count).Select(_ => Reader.Follow(Node.Follower, info))];
    }

    private Task TakeOverAsync(long fence) =>
        Node.Database.WriteAsync(async session => { await session.ExecuteAsync("UPDATE stream SET fence = $2 WHERE id = $1", _streamId, fence); }, Cancel);
}

public sealed class SqliteStreamLogTests : StreamLogTests
{
    private protected override Task<DatabaseUnderTest> CreateAsync() => Task.FromResult<DatabaseUnderTest>(new SqliteUnderTest());
}
