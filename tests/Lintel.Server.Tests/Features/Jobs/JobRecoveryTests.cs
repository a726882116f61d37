using Lintel.Features.Jobs.Running;
using Lintel.Features.Streams;
using Lintel.Infrastructure;
using Lintel.Platform.Storage;

namespace Lintel.Features.Jobs;

/// <summary>Attempts that die, are superseded or are lost track of: the job runs again, and what the dead do changes nothing.</summary>
public abstract class JobRecoveryTests : EngineTests
{
    [Fact]
    public async Task An_attempt_that_was_superseded_can_neither_emit_nor_end_the_job()
    {
        var gate = new Gate();
        var ended = new Gate();
        var kind = TestKind.Of(async (job, cancel) =>
        {
            if (job.Attempt == 1)
            {
                // It hears of nothing and goes on regardless.
                await gate.PassAsync(CancellationToken.None);
                await Record.ExceptionAsync(async () => await job.EmitAsync("number", TestEvent.Of("stale").Data.Span));
                return JobOutcome.Complete("{\"stale\":true}"u8.ToArray());
            }

            await ended.PassAsync(cancel);
            return await TestKind.CountAsync(job, 3, cancel);
        });
        var node = await StartAsync([kind]);
        var submitted = await node.SubmitAsync(kind);
        await gate.WaitForArrivalAsync();

        // As another node does to one that it takes for dead.
        var first = await node.FindAsync(submitted);
        Assert.True(await node.Recovery.TakeBackAsync(new HeldLease(first.Id, first.LeaseEpoch, false), Cancel));
        await ended.WaitForArrivalAsync();
        gate.Open();
        await Eventually.HoldsAsync(() => node.Get<RunningJobs>().Count == 1);
        Assert.Equal(JobStates.Running, (await node.FindAsync(submitted)).State);

        ended.Open();
        var (job, reader) = await node.WaitForEndAsync(submitted);
        Assert.Equal((JobStates.Complete, 2), (job.State, job.Attempt));
        Assert.Equal(TestKind.Numbers(3), reader.Texts[..^1]);
        Assert.DoesNotContain(reader.Events, static item => TestEvent.TextOf(item).Contains("stale", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_lease_that_was_read_by_two_and_taken_back_by_one_is_not_taken_back_again()
    {
        var gate = new Gate();
        var kind = TestKind.Of(async (_, _) =>
        {
            await gate.PassAsync(CancellationToken.None);
            return JobOutcome.Complete();
        });
        var node = await StartAsync([kind]);
        var submitted = await node.SubmitAsync(kind);
        await gate.WaitForArrivalAsync();
        var lease = await node.FindAsync(submitted) is var job ? new HeldLease(job.Id, job.LeaseEpoch, false) : default;

        Assert.True(await node.Recovery.TakeBackAsync(lease, Cancel));
        await gate.WaitForArrivalAsync();
        Assert.False(await node.Recovery.TakeBackAsync(lease, Cancel));

        var now = await node.FindAsync(submitted);
        Assert.Equal((JobStates.Running, lease.Fence + 2), (now.State, now.LeaseEpoch));
        gate.Open(2);
        Assert.Equal(2, (await node.WaitForEndAsync(submitted)).Job.Attempt);
    }

    [Fact]
    public async Task A_claim_whose_answer_was_lost_is_found_and_made_good()
    {
        var gate = new Gate();
        var kind = TestKind.Of((job, cancel) => TestKind.CountAsync(job, 3, cancel, i => i == 1 ? gate.PassAsync(cancel) : Task.CompletedTask));
        var node = await StartAsync([kind], EngineNode.QuickOptions with { Concurrency = 1 });
        await node.SubmitAsync(kind);
        await gate.WaitForArrivalAsync();

        // From here on the database believes that this one runs here, and nobody runs it.
        var stray = await node.SubmitAsync(kind);
        Assert.Single(await node.Leases.ClaimAsync(kind, 1, Cancel));
        gate.Open(2);

        var (job, reader) = await node.WaitForEndAsync(stray);
        Assert.Equal((JobStates.Complete, 2), (job.State, job.Attempt));
        Assert.Equal(TestKind.Numbers(3), reader.Texts[..^1]);
    }

    [Fact]
    public async Task A_node_that_gave_up_its_leases_and_then_lived_on_takes_its_jobs_back_itself()
    {
        // The database was away for longer than the node may hold leases, but not so long that another took them: nobody else will look after them.
        var gate = new Gate();
        var kind = TestKind.Of((job, cancel) => TestKind.CountAsync(job, 5, cancel, i => job.Attempt == 1 && i == 3 ? gate.PassAsync(cancel) : Task.CompletedTask));
        var node = await StartAsync([kind], EngineNode.QuickOptions with { DeadAfter = TimeSpan.FromMinutes(1) });
        var submitted = await node.SubmitAsync(kind);
        await gate.WaitForArrivalAsync();

        node.Database.Sever();
        await Eventually.HoldsAsync(() => node.Get<RunningJobs>().Count == 0);
        node.Database.Mend();

        var (job, reader) = await node.WaitForEndAsync(submitted);
        Assert.Equal((JobStates.Complete, 2), (job.State, job.Attempt));
        Assert.Equal(TestKind.Numbers(5), reader.Texts[..^1]);
    }

    [Fact]
    public async Task A_stopping_server_hands_its_jobs_back_and_the_next_one_goes_on_with_them()
    {
        var gate = new Gate();
        var kind = TestKind.Of((job, cancel) => TestKind.CountAsync(job, 50, cancel, i => job.EventsSoFar == 0 && i == 20 ? gate.PassAsync(cancel) : Task.CompletedTask));
        var first = await StartAsync([kind]);
        var submitted = await first.SubmitAsync(kind);
        await gate.WaitForArrivalAsync();
        await first.DisposeAsync();

        var second = await StartAsync([kind]);
        var (job, reader) = await second.WaitForEndAsync(submitted);

        // Being stopped with its server is no fault of the job's.
        Assert.Equal((JobStates.Complete, 1, 0), (job.State, job.Attempt, job.ErrorCount));
        Assert.Equal(TestKind.Numbers(50), reader.Texts[..^1]);
    }

    [Fact]
    public async Task A_job_whose_server_died_is_run_again_by_the_next_one_and_repeats_no_event()
    {
        var gate = new Gate();
        var kind = TestKind.Of((job, cancel) => TestKind.CountAsync(job, 50, cancel, i => job.Attempt == 1 && i == 20 ? gate.PassAsync(cancel) : Task.CompletedTask));
        var first = await StartAsync([kind]);
        var submitted = await first.SubmitAsync(kind);
        await gate.WaitForArrivalAsync();
        await (await first.FollowAsync(submitted)).WaitForAsync(19);
        await first.DieAsync();

        var second = await StartAsync([kind]);
        var (job, reader) = await second.WaitForEndAsync(submitted);

        Assert.Equal((JobStates.Complete, 2, 1), (job.State, job.Attempt, job.ErrorCount));
        Assert.Equal(TestKind.Numbers(50), reader.Texts[..^1]);
    }

    [Fact]
    public async Task A_job_that_kills_its_server_each_time_is_failed_in_the_end()
    {
        var gate = new Gate();
        var kind = TestKind.Of(
            async (_, cancel) =>
            {
                await gate.PassAsync(cancel);
                return JobOutcome.Complete();
            },
            maxAttempts: 2);
        var node = await StartAsync([kind]);
        var submitted = await node.SubmitAsync(kind);
        for (var i = 0; i < 2; i++)
        {
            await gate.WaitForArrivalAsync();
            await node.DieAsync();
            node = await StartAsync([kind]);
        }

        var (job, reader) = await node.WaitForEndAsync(submitted);
        Assert.Equal((JobStates.Failed, 2, 2), (job.State, job.Attempt, job.ErrorCount));
        Assert.Equal(["failed"], reader.Kinds);
    }

    [Fact]
    public async Task Crashes_between_which_the_job_got_on_do_not_use_up_its_attempts()
    {
        var gate = new Gate();
        var kind = TestKind.Of((job, cancel) => TestKind.CountAsync(job, 50, cancel, i => i % 10 == 0 && i < 50 ? gate.PassAsync(cancel) : Task.CompletedTask), maxAttempts: 2);
        var node = await StartAsync([kind]);
        var submitted = await node.SubmitAsync(kind);
        for (var stop = 10; stop < 50; stop += 10)
        {
            await gate.WaitForArrivalAsync();
            await (await node.FollowAsync(submitted)).WaitForAsync(stop - 1);
            await node.DieAsync();
            node = await StartAsync([kind]);

            // Where the attempt before it stopped, so that this one goes on to the next.
            await gate.WaitForArrivalAsync();
            gate.Open();
        }

        var (job, reader) = await node.WaitForEndAsync(submitted);
        Assert.Equal((JobStates.Complete, 5, 4), (job.State, job.Attempt, job.ErrorCount));
        Assert.Equal(TestKind.Numbers(50), reader.Texts[..^1]);
    }

    [Fact]
    public async Task After_progress_a_job_that_kills_its_server_without_any_is_failed_in_the_end()
    {
        var gate = new Gate();
        var kind = TestKind.Of((job, cancel) => TestKind.CountAsync(job, 3, cancel, i => i == 3 ? gate.PassAsync(cancel) : Task.CompletedTask), maxAttempts: 2);
        var node = await StartAsync([kind]);
        var submitted = await node.SubmitAsync(kind);
        await gate.WaitForArrivalAsync();
        await (await node.FollowAsync(submitted)).WaitForAsync(2);
        await node.DieAsync();
        for (var i = 0; i < 2; i++)
        {
            node = await StartAsync([kind]);
            await gate.WaitForArrivalAsync();
            await node.DieAsync();
        }

        node = await StartAsync([kind]);
        var (job, reader) = await node.WaitForEndAsync(submitted);
        Assert.Equal((JobStates.Failed, 3, 3), (job.State, job.Attempt, job.ErrorCount));
        Assert.Equal(["1", "2"], reader.Texts[..^1]);
    }

    [Fact]
    public async Task A_job_that_may_be_begun_once_is_failed_by_a_crash_however_far_it_was()
    {
        var gate = new Gate();
        var kind = TestKind.Of((job, cancel) => TestKind.CountAsync(job, 3, cancel, i => i == 3 ? gate.PassAsync(cancel) : Task.CompletedTask), maxAttempts: 1);
        var node = await StartAsync([kind]);
        var submitted = await node.SubmitAsync(kind);
        await gate.WaitForArrivalAsync();
        await (await node.FollowAsync(submitted)).WaitForAsync(2);
        await node.DieAsync();

        node = await StartAsync([kind]);
        Assert.Equal((JobStates.Failed, 1), await node.WaitForEndAsync(submitted) is var (job, _) ? (job.State, job.Attempt) : default);
    }

    [Fact]
    public async Task A_cancelled_job_whose_server_died_before_it_stopped_is_cancelled_by_the_next_one()
    {
        var gate = new Gate();
        var kind = TestKind.Of(async (_, _) =>
        {
            await gate.PassAsync(CancellationToken.None);
            return JobOutcome.Complete();
        });
        var node = await StartAsync([kind], EngineNode.QuickOptions with { CancelGrace = TimeSpan.FromSeconds(5) });
        var submitted = await node.SubmitAsync(kind);
        await gate.WaitForArrivalAsync();
        await node.Queue.CancelAsync(submitted.Id, 1, Cancel);
        node.Database.Sever();
        gate.Open();
        await node.DisposeAsync();

        node = await StartAsync([kind]);
        Assert.Equal(JobStates.Cancelled, (await node.WaitForEndAsync(submitted)).Job.State);
        Assert.Equal(1, gate.Arrivals);
    }
}

public sealed class SqliteJobRecoveryTests : JobRecoveryTests
{
    private protected override Task<DatabaseUnderTest> CreateAsync() => Task.FromResult<DatabaseUnderTest>(new SqliteUnderTest());
}

public sealed class PostgresJobRecoveryTests : JobRecoveryTests
{
    private protected override async Task<DatabaseUnderTest> CreateAsync() => await PostgresUnderTest.CreateAsync();
}
