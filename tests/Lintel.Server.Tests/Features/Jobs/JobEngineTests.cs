using Lintel.Features.Jobs.Running;
using Lintel.Features.Streams;
using Lintel.Infrastructure;
using Lintel.Platform.Storage;

namespace Lintel.Features.Jobs;

/// <summary>The life of a job on one node: attempts, retries, cancellation, ends.</summary>
public abstract class JobEngineTests : EngineTests
{
    [Fact]
    public async Task A_job_runs_once_and_its_last_event_comes_with_its_state()
    {
        var kind = TestKind.Of((job, cancel) => TestKind.CountAsync(job, 2000, cancel));
        var node = await StartAsync([kind]);

        var (job, reader) = await node.WaitForEndAsync(await node.SubmitAsync(kind));

        Assert.Equal((JobStates.Complete, 1, 0), (job.State, job.Attempt, job.ErrorCount));
        Assert.Equal(new JobProgress(2000, 2000, 0), job.Progress);
        Assert.Equal(TestKind.Numbers(2000), reader.Texts[..^1]);
    }

    [Fact]
    public async Task A_handler_that_throws_is_tried_again_after_waits_that_double_and_then_has_failed()
    {
        var attempts = new Gate();
        var clock = new ManualTime();
        var kind = TestKind.Of(async (job, cancel) =>
        {
            await job.EmitAsync("number", TestEvent.Of(job.Attempt).Data.Span);
            await attempts.PassAsync(cancel);
            throw new FormatException("a secret");
        }) with
        { RetryDelay = TimeSpan.FromSeconds(10) };
        var node = await StartAsync([kind], time: clock);
        var submitted = await node.SubmitAsync(kind);

        foreach (var wait in new[] { 10, 20 })
        {
            await attempts.WaitForArrivalAsync();
            attempts.Open();
            var waiting = await node.WaitUntilAsync(submitted, static job => job.State == JobStates.Queued);
            Assert.NotNull(waiting.Error);
            clock.Advance(TimeSpan.FromSeconds(wait - 1));
            await node.Get<JobClaims>().ClaimAsync(Cancel);
            Assert.Equal(JobStates.Queued, (await node.FindAsync(submitted)).State);
            clock.Advance(TimeSpan.FromSeconds(1));
        }

        await attempts.WaitForArrivalAsync();
        attempts.Open();
        var (job, reader) = await node.WaitForEndAsync(submitted);

        Assert.Equal((JobStates.Failed, 3, 3), (job.State, job.Attempt, job.ErrorCount));
        Assert.Equal(["number", "number", "number", "failed"], reader.Kinds);
        Assert.DoesNotContain("secret", job.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", System.Text.Encoding.UTF8.GetString(reader.Events[^1].Data.Span), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Work_that_cannot_succeed_is_not_tried_again()
    {
        var kind = TestKind.Of((_, _) => Task.FromResult(JobOutcome.Fail("There is no such beam.")));
        var node = await StartAsync([kind]);

        var (job, _) = await node.WaitForEndAsync(await node.SubmitAsync(kind));

        Assert.Equal((JobStates.Failed, 1, "There is no such beam."), (job.State, job.Attempt, job.Error));
    }

    [Fact]
    public async Task A_running_job_is_cancelled_and_keeps_what_it_emitted()
    {
        var gate = new Gate();
        var kind = TestKind.Of((job, cancel) => TestKind.CountAsync(job, 10, cancel, i => i == 6 ? gate.PassAsync(cancel) : Task.CompletedTask));
        var node = await StartAsync([kind]);
        var submitted = await node.SubmitAsync(kind);
        await gate.WaitForArrivalAsync();

        var asked = await node.Queue.CancelAsync(submitted.Id, 1, Cancel);
        Assert.True(asked!.CancelRequested);
        var (job, reader) = await node.WaitForEndAsync(submitted);

        Assert.Equal(JobStates.Cancelled, job.State);
        Assert.Equal(TestKind.Numbers(5), reader.Texts[..^1]);
        Assert.Equal(5, job.Progress.Completed);
    }

    [Fact]
    public async Task A_waiting_job_is_cancelled_at_once_and_a_finished_one_stays_as_it_is()
    {
        var gate = new Gate();
        var kind = TestKind.Of(async (_, cancel) =>
        {
            await gate.PassAsync(cancel);
            return JobOutcome.Complete();
        });
        var node = await StartAsync([kind], EngineNode.QuickOptions with { Concurrency = 1 });
        var running = await node.SubmitAsync(kind);
        await gate.WaitForArrivalAsync();
        var waiting = await node.SubmitAsync(kind);

        Assert.Equal(JobStates.Cancelled, (await node.Queue.CancelAsync(waiting.Id, 1, Cancel))!.State);
        var (_, reader) = await node.WaitForEndAsync(waiting);
        Assert.Equal(["cancelled"], reader.Kinds);

        gate.Open();
        var (finished, _) = await node.WaitForEndAsync(running);
        Assert.Equal(finished, await node.Queue.CancelAsync(running.Id, 1, Cancel));
        Assert.Equal(JobStates.Complete, (await node.FindAsync(running)).State);
        Assert.Equal(1, gate.Arrivals);
    }

    [Fact]
    public async Task A_job_that_waits_for_another_attempt_is_cancelled_at_once()
    {
        var kind = TestKind.Of((_, _) => throw new FormatException()) with { RetryDelay = TimeSpan.FromMinutes(1) };
        var node = await StartAsync([kind]);
        var submitted = await node.SubmitAsync(kind);
        await node.WaitUntilAsync(submitted, static job => job is { State: JobStates.Queued, Attempt: 1 });

        await node.Queue.CancelAsync(submitted.Id, 1, Cancel);

        var (job, reader) = await node.WaitForEndAsync(submitted);
        Assert.Equal(JobStates.Cancelled, job.State);
        Assert.Equal(["cancelled"], reader.Kinds);
    }

    [Fact]
    public async Task A_handler_that_fails_because_it_was_cancelled_leaves_a_cancelled_job()
    {
        var gate = new Gate();
        var kind = TestKind.Of(async (_, cancel) =>
        {
            try
            {
                await gate.PassAsync(cancel);
                return JobOutcome.Complete();
            }
            catch (OperationCanceledException cancelled)
            {
                throw new FormatException("It does not take it well.", cancelled);
            }
        });
        var node = await StartAsync([kind]);
        var submitted = await node.SubmitAsync(kind);
        await gate.WaitForArrivalAsync();
        await node.Queue.CancelAsync(submitted.Id, 1, Cancel);

        var (job, _) = await node.WaitForEndAsync(submitted);

        Assert.Equal((JobStates.Cancelled, 1), (job.State, job.Attempt));
    }

    [Fact]
    public async Task A_handler_that_does_not_stop_is_left_behind_and_its_place_given_to_others()
    {
        var gate = new Gate();
        var late = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var stubborn = TestKind.Of(
            async (job, _) =>
            {
                await gate.PassAsync(CancellationToken.None);
                late.SetResult(await Record.ExceptionAsync(async () => await job.EmitAsync("number", "{}"u8)));
                return JobOutcome.Complete();
            },
            "stubborn");
        var quick = TestKind.Of((_, _) => Task.FromResult(JobOutcome.Complete()));
        var node = await StartAsync([stubborn, quick], EngineNode.QuickOptions with { Concurrency = 1 });
        var submitted = await node.SubmitAsync(stubborn);
        await gate.WaitForArrivalAsync();
        await node.Queue.CancelAsync(submitted.Id, 1, Cancel);

        var (job, _) = await node.WaitForEndAsync(submitted);
        Assert.Equal(JobStates.Cancelled, job.State);
        await node.WaitForEndAsync(await node.SubmitAsync(quick));

        // It still runs; whatever it does now must change nothing.
        gate.Open();
        Assert.IsAssignableFrom<OperationCanceledException>(await late.Task.WaitAsync(TimeSpan.FromSeconds(20), Cancel));
        var (after, reader) = await node.WaitForEndAsync(submitted);
        Assert.Equal(job, after);
        Assert.Equal(["cancelled"], reader.Kinds);
    }
}

public sealed class SqliteJobEngineTests : JobEngineTests
{
    private protected override Task<DatabaseUnderTest> CreateAsync() => Task.FromResult<DatabaseUnderTest>(new SqliteUnderTest());
}

public sealed class PostgresJobEngineTests : JobEngineTests
{
    private protected override async Task<DatabaseUnderTest> CreateAsync() => await PostgresUnderTest.CreateAsync();
}
