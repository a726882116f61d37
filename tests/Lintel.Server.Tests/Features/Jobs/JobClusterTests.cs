using Lintel.Features.Streams;
using Lintel.Platform.Storage;

namespace Lintel.Features.Jobs;

/// <summary>Several nodes on one database: one of them runs each job, and when it dies another does.</summary>
public sealed class JobClusterTests : EngineTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task When_a_node_loses_the_database_it_stops_its_jobs_before_another_takes_them(bool hangs)
    {
        var gate = new Gate();
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var wasStopped = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        var kind = TestKind.Of((job, cancel) => TestKind.CountAsync(job, 40, cancel, async i =>
        {
            if (job.Attempt == 1 && i == 20)
            {
                using var registration = cancel.Register(() => stopped.TrySetResult());
                await gate.PassAsync(cancel);
            }
            else if (job.Attempt == 2)
            {
                wasStopped.TrySetResult(stopped.Task.IsCompleted);
            }
        }));
        var first = await StartAsync([kind]);
        var submitted = await first.SubmitAsync(kind);
        await gate.WaitForArrivalAsync();
        await (await first.FollowAsync(submitted)).WaitForAsync(19);
        var second = await StartAsync([kind]);
        var watching = await second.FollowAsync(submitted);

        if (hangs)
        {
            first.Database.Hang();
        }
        else
        {
            first.Database.Sever();
        }

        var (job, reader) = await second.WaitForEndAsync(submitted);
        Assert.True(await wasStopped.Task);
        Assert.Equal((JobStates.Complete, 2), (job.State, job.Attempt));
        Assert.Equal(TestKind.Numbers(40), reader.Texts[..^1]);
        await watching.WaitForEndAsync();
        Assert.Equal(reader.Texts, watching.Texts);
    }

    [Fact]
    public async Task A_node_that_was_taken_for_dead_and_comes_back_harms_nothing_and_works_again()
    {
        var gate = new Gate();
        var onlyHere = TestKind.Of((job, cancel) => TestKind.CountAsync(job, 3, cancel), "only-here");
        var kind = TestKind.Of(async (job, cancel) =>
        {
            if (job.Attempt == 1)
            {
                // It does not hear that it is to stop, and emits when all is over.
                await gate.PassAsync(CancellationToken.None);
                await Record.ExceptionAsync(async () => await job.EmitAsync("number", TestEvent.Of("stale").Data.Span));
                return JobOutcome.Fail("stale");
            }

            return await TestKind.CountAsync(job, 10, cancel);
        });
        var first = await StartAsync([kind, onlyHere], EngineNode.QuickOptions with { CancelGrace = TimeSpan.FromMinutes(1) });
        var submitted = await first.SubmitAsync(kind);
        await gate.WaitForArrivalAsync();
        var second = await StartAsync([kind]);
        first.Database.Sever();
        var (job, _) = await second.WaitForEndAsync(submitted);

        first.Database.Mend();
        gate.Open();
        var (own, _) = await first.WaitForEndAsync(await second.SubmitAsync(onlyHere));

        Assert.Equal(JobStates.Complete, own.State);
        var (after, reader) = await second.WaitForEndAsync(submitted);
        Assert.Equal(job, after);
        Assert.Equal(TestKind.Numbers(10), reader.Texts[..^1]);
    }

    [Fact]
    public async Task Two_nodes_share_the_jobs_run_each_once_and_keep_the_owner_s_cap_together()
    {
        var running = 0;
        var most = 0;
        var runs = 0;
        var kind = TestKind.Of(async (job, cancel) =>
        {
            Interlocked.Increment(ref runs);
            InterlockedMax(ref most, Interlocked.Increment(ref running));
            await TestKind.CountAsync(job, 3, cancel);
            await Task.Yield();
            Interlocked.Decrement(ref running);
            return JobOutcome.Complete();
        });
        var options = EngineNode.QuickOptions with { Concurrency = 10, ConcurrencyPerOwner = 3 };
        var nodes = new[] { await StartAsync([kind], options), await StartAsync([kind], options) };

        var jobs = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => nodes[i % 2].SubmitAsync(kind)));
        var ends = await Task.WhenAll(jobs.Select((job, i) => nodes[(i + 1) % 2].WaitForEndAsync(job)));

        Assert.All(ends, static end => Assert.Equal((JobStates.Complete, 1), (end.Job.State, end.Job.Attempt)));
        Assert.Equal(40, runs);
        Assert.InRange(most, 1, 3);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_job_is_cancelled_through_another_node_also_when_the_hint_is_lost(bool hinted)
    {
        var gate = new Gate();
        var kind = TestKind.Of(async (_, cancel) =>
        {
            await gate.PassAsync(cancel);
            return JobOutcome.Complete();
        });
        // Only one of the two ways is quick enough to be the one that worked.
        var options = EngineNode.QuickOptions with { HeartbeatInterval = hinted ? TimeSpan.FromMinutes(1) : TimeSpan.FromMilliseconds(100), StopAfter = TimeSpan.FromMinutes(2) };
        var first = await StartAsync([kind], options);
        var submitted = await first.SubmitAsync(kind);
        await gate.WaitForArrivalAsync();
        var second = await StartAsync([], options, hearsOthers: hinted);
        await second.Queue.CancelAsync(submitted.Id, 1, Cancel);

        Assert.Equal(JobStates.Cancelled, (await first.WaitForEndAsync(submitted)).Job.State);
    }

    [Fact]
    public async Task A_node_that_the_others_have_given_up_takes_no_job()
    {
        var kind = TestKind.Of((job, cancel) => TestKind.CountAsync(job, 3, cancel));
        var node = await StartAsync([], EngineNode.QuickOptions with { HeartbeatInterval = TimeSpan.FromMinutes(1), StopAfter = TimeSpan.FromMinutes(2) });
        await node.SubmitAsync(kind);
        await node.Leases.UnregisterNodeAsync(Cancel);

        Assert.Empty(await node.Leases.ClaimAsync(kind, 1, Cancel));

        await node.Leases.RegisterNodeAsync(Cancel);
        Assert.Single(await node.Leases.ClaimAsync(kind, 1, Cancel));
    }

    [Fact]
    public async Task A_node_that_stops_in_good_order_leaves_its_jobs_to_the_others_at_once()
    {
        var gate = new Gate();
        var kind = TestKind.Of((job, cancel) => TestKind.CountAsync(job, 30, cancel, i => job.EventsSoFar == 0 && i == 10 ? gate.PassAsync(cancel) : Task.CompletedTask));
        var options = EngineNode.QuickOptions with { DeadAfter = TimeSpan.FromMinutes(10), HeartbeatInterval = TimeSpan.FromMinutes(1), StopAfter = TimeSpan.FromMinutes(5) };
        var first = await StartAsync([kind], options);
        var submitted = await first.SubmitAsync(kind);
        await gate.WaitForArrivalAsync();
        var second = await StartAsync([kind], options);
        var watching = await second.FollowAsync(submitted);
        await first.DisposeAsync();

        await watching.WaitForEndAsync();
        var job = await second.FindAsync(submitted);
        Assert.Equal((JobStates.Complete, 1, 0), (job.State, job.Attempt, job.ErrorCount));
        Assert.Equal(TestKind.Numbers(30), watching.Texts[..^1]);
    }

    [Fact]
    public async Task A_job_that_is_bound_to_a_node_runs_there_and_anywhere_once_that_node_is_gone()
    {
        var first = await StartAsync([Saying("first")]);
        var second = await StartAsync([Saying("second")]);
        var there = second.Leases.NodeId;
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal("second", await RunBoundToAsync(first, there));
        }

        await second.DisposeAsync();

        Assert.Equal("first", await RunBoundToAsync(first, there));
    }

    private protected override async Task<DatabaseUnderTest> CreateAsync() => await PostgresUnderTest.CreateAsync();

    private static JobKind Saying(string text) => TestKind.Of(async (job, _) =>
    {
        await job.EmitAsync("note", TestEvent.Of(text).Data.Span);
        return JobOutcome.Complete();
    });

    private static async Task<string> RunBoundToAsync(EngineNode submitting, Guid nodeId)
    {
        var request = new JobRequest(Saying(""), 1, "{}"u8.ToArray(), 0, NodeId: nodeId);
        var submitted = await submitting.Queue.SubmitAsync(request, Cancel);
        return (await submitting.WaitForEndAsync(submitted.Job!)).Reader.Texts[0];
    }

    private static void InterlockedMax(ref int most, int value)
    {
        int seen;
        while ((seen = Volatile.Read(ref most)) < value && Interlocked.CompareExchange(ref most, value, seen) != seen)
        {
        }
    }
}
