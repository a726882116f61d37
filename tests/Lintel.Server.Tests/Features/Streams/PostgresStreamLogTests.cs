using Lintel.Platform.Storage;

namespace Lintel.Features.Streams;

/// <summary>The log's promises, and what several nodes on one database add to them.</summary>
public sealed class PostgresStreamLogTests : StreamLogTests
{
    [Fact]
    public async Task A_reader_on_another_node_sees_every_event_in_order_while_both_nodes_write()
    {
        await using var other = await LogNode.StartAsync(Test);
        var id = await Node.CreateStreamAsync("shared");
        var here = Reader.Follow(Node.Follower, await Node.InfoAsync(id));
        var there = Reader.Follow(other.Follower, await other.InfoAsync(id));

        await Task.WhenAll(Enumerable.Range(0, 8).Select(writer => Task.Run(async () =>
        {
            for (var i = 0; i < 40; i++)
            {
                await (writer % 2 == 0 ? Node : other).Log.AppendAsync(id, TestEvent.Many((writer * 1000) + i, 1));
            }
        })));
        await other.AppendAsync(id, [TestEvent.Of("last")], close: true);

        var expected = (await Node.ReadAllAsync(id)).Select(static item => item.Text).ToList();
        Assert.Equal(321, expected.Count);
        Assert.Equal(FollowEnd.Completed, await here.WaitForEndAsync());
        Assert.Equal(FollowEnd.Completed, await there.WaitForEndAsync());
        Assert.Equal(expected, here.Texts);
        Assert.Equal(expected, there.Texts);
    }

    [Fact]
    public async Task A_cursor_from_one_node_is_good_on_another()
    {
        await using var other = await LogNode.StartAsync(Test);
        var id = await Node.CreateStreamAsync("moved");
        await Node.AppendAsync(id, TestEvent.Many(1, 4));
        var reader = Reader.Follow(Node.Follower, await Node.InfoAsync(id));
        await reader.WaitForAsync(4);
        await reader.LeaveAsync();

        var moved = Reader.Follow(other.Follower, await other.InfoAsync(id), reader.Last);
        await Node.AppendAsync(id, TestEvent.Many(5, 2));

        await moved.WaitForAsync(6);
        Assert.Equal(["5", "6"], moved.Texts);
        await moved.LeaveAsync();
    }

    [Fact]
    public async Task When_every_hint_is_lost_readers_elsewhere_are_only_later()
    {
        await using var deaf = await LogNode.StartAsync(Test, hearsOthers: false);
        var id = await Node.CreateStreamAsync("quiet");
        var reader = Reader.Follow(deaf.Follower, await deaf.InfoAsync(id));

        await Node.AppendAsync(id, TestEvent.Many(1, 3), close: true);

        Assert.Equal(FollowEnd.Completed, await reader.WaitForEndAsync());
        Assert.Equal(["1", "2", "3"], reader.Texts);
    }

    [Fact]
    public async Task Events_told_in_another_order_than_they_were_committed_in_are_read_in_theirs()
    {
        var id = await Node.CreateStreamAsync("crossed");
        var info = await Node.InfoAsync(id);
        var reader = Reader.Follow(Node.Follower, info);
        await Node.AppendAsync(id, TestEvent.Many(1, 1));
        await reader.WaitForAsync(1);

        // Two transactions commit one after the other, and the second is told of first.
        var writer = new SilentLog(Node);
        var second = await writer.AppendAsync(id, TestEvent.Many(2, 2));
        var third = await writer.AppendAsync(id, TestEvent.Many(4, 2));
        Node.Feeds.Publish(id, third, closed: true);
        Node.Feeds.Publish(id, second, closed: false);

        await reader.WaitForAsync(5);
        Assert.Equal(["1", "2", "3", "4", "5"], reader.Texts);
        await writer.CloseAsync(id);
        Assert.Equal(FollowEnd.Completed, await reader.WaitForEndAsync());
    }

    private protected override async Task<DatabaseUnderTest> CreateAsync() => await PostgresUnderTest.CreateAsync();

    /// <summary>Appends without telling anybody.</summary>
    private sealed class SilentLog(LogNode node)
    {
        public async Task<EventBatch> AppendAsync(long streamId, StreamEvent[] events)
        {
            var next = await node.Database.WriteAsync(
                session => EventTable.For(DatabaseKind.Postgres).AppendAsync(session, new StreamAppend(streamId, events, 0, Close: false, 0)), Cancel);
            return new EventBatch(next - events.Length, events);
        }

        public Task<AppendResult> CloseAsync(long streamId) => node.AppendAsync(streamId, [], close: true);
    }
}
