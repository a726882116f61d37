using Lintel.Features.Streams;
using Lintel.Infrastructure;
using Lintel.Platform.Storage;

namespace Lintel.Features.Jobs;

/// <summary>What handlers emit on its way into the log, with a database that is slow, away or refuses.</summary>
public abstract class JobEmissionTests : EngineTests
{
    // With a database that is away for a while, and no wish to give anything up.
    private static readonly JobOptions Patient = EngineNode.QuickOptions with
    {
        HeartbeatInterval = TimeSpan.FromMinutes(3),
        StopAfter = TimeSpan.FromMinutes(5),
        DeadAfter = TimeSpan.FromMinutes(10),
    };

    [Fact]
    public async Task Events_that_the_database_refuses_for_good_end_the_attempt_and_not_the_engine()
    {
        var kind = TestKind.Of(async (job, cancel) =>
        {
            await job.EmitAsync("cursed", "{}"u8);
            await Task.Delay(Timeout.Infinite, cancel);
            return JobOutcome.Complete();
        }) with
        { RetryDelay = TimeSpan.Zero, MaxAttempts = 2 };
        var node = await StartAsync([kind]);
        await RefuseKindAsync(node, "cursed");

        var (job, reader) = await node.WaitForEndAsync(await node.SubmitAsync(kind));

        Assert.Equal((JobStates.Failed, 2), (job.State, job.Attempt));
        Assert.Equal(["failed"], reader.Kinds);
    }

    [Fact]
    public async Task An_end_that_the_database_refuses_for_good_becomes_a_failure()
    {
        var kind = TestKind.Of((job, cancel) => TestKind.CountAsync(job, 3, cancel));
        var node = await StartAsync([kind]);
        await RefuseKindAsync(node, "complete");

        var (job, reader) = await node.WaitForEndAsync(await node.SubmitAsync(kind));

        Assert.Equal(JobStates.Failed, job.State);
        Assert.Equal("failed", reader.Kinds[^1]);
    }

    [Fact]
    public async Task A_last_event_that_is_too_large_is_an_error_of_the_handler()
    {
        var kind = TestKind.Of((_, _) => Task.FromResult(JobOutcome.Complete(new byte[StreamLog.MaxEventBytes + 1])), maxAttempts: 1);
        var node = await StartAsync([kind]);

        Assert.Equal(JobStates.Failed, (await node.WaitForEndAsync(await node.SubmitAsync(kind))).Job.State);
    }

    [Theory]
    [InlineData("")]
    [InlineData("two words")]
    [InlineData("line\nbreak")]
    [InlineData("\"quoted\"")]
    public async Task A_kind_of_event_that_would_break_a_message_is_refused(string name)
    {
        var refused = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var kind = TestKind.Of(async (job, _) =>
        {
            refused.TrySetResult(await Record.ExceptionAsync(async () => await job.EmitAsync(name, "{}"u8)));
            return JobOutcome.Complete();
        });
        var node = await StartAsync([kind]);

        await node.WaitForEndAsync(await node.SubmitAsync(kind));

        Assert.IsType<ArgumentException>(await refused.Task);
    }

    [Fact]
    public async Task Line_breaks_in_an_event_become_spaces()
    {
        var kind = TestKind.Of(async (job, _) =>
        {
            await job.EmitAsync("number", "{\r\n  \"n\": 1\n}"u8);
            return JobOutcome.Complete("{\n}"u8.ToArray());
        });
        var node = await StartAsync([kind]);

        var (_, reader) = await node.WaitForEndAsync(await node.SubmitAsync(kind));

        Assert.Equal(["{    \"n\": 1 }", "{ }"], reader.Events.Select(static item => System.Text.Encoding.UTF8.GetString(item.Data.Span)));
    }

    [Fact]
    public async Task A_handler_that_outruns_the_log_waits_for_it()
    {
        var gate = new Gate();
        var waitedAt = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var kind = TestKind.Of(async (job, cancel) =>
        {
            await job.EmitAsync("number", TestEvent.Of(1).Data.Span);
            await gate.PassAsync(cancel);
            for (var i = 2; i <= 5000; i++)
            {
                var emitting = job.EmitAsync("number", TestEvent.Of(i).Data.Span).AsTask();
                if (!emitting.IsCompleted)
                {
                    waitedAt.TrySetResult(i);
                }

                await emitting;
            }

            return JobOutcome.Complete();
        });
        var node = await StartAsync([kind], Patient);
        var submitted = await node.SubmitAsync(kind);
        await gate.WaitForArrivalAsync();
        await Eventually.HoldsAsync(async () => (await node.Log.GetAsync(submitted.StreamId, Cancel)).Tail == 1);
        node.Database.Sever();
        gate.Open();

        // What waits is one batch under way and one that fills up.
        Assert.InRange(await waitedAt.Task.WaitAsync(TimeSpan.FromSeconds(20), Cancel), 1000, 2100);
        node.Database.Mend();
        var (_, reader) = await node.WaitForEndAsync(submitted);
        Assert.Equal(TestKind.Numbers(5000), reader.Texts[..^1]);
    }

    [Fact]
    public async Task A_fast_handler_s_first_few_events_do_not_wait_for_a_thousand_more()
    {
        var gate = new Gate();
        var emitted = 0;
        var kind = TestKind.Of(async (job, cancel) =>
        {
            await gate.PassAsync(cancel);
            while (emitted < 5000)
            {
                await job.EmitAsync("number", TestEvent.Of(++emitted).Data.Span);
            }

            return JobOutcome.Complete();
        });
        var node = await StartAsync([kind], Patient);
        var submitted = await node.SubmitAsync(kind);
        await gate.WaitForArrivalAsync();
        node.Database.Sever();
        gate.Open();
        await node.Database.WaitForRefusalAsync();
        await Eventually.HoldsAsync(() => emitted > 1);

        Assert.InRange(emitted, 1, 16);
        node.Database.Mend();
        var (_, reader) = await node.WaitForEndAsync(submitted);
        Assert.Equal(TestKind.Numbers(5000), reader.Texts[..^1]);
    }

    [Fact]
    public async Task While_the_database_is_away_events_wait_and_none_is_lost_or_doubled()
    {
        var gate = new Gate();
        var kind = TestKind.Of((job, cancel) => TestKind.CountAsync(job, 300, cancel, i => i == 100 ? gate.PassAsync(cancel) : Task.CompletedTask));
        var node = await StartAsync([kind], Patient);
        var submitted = await node.SubmitAsync(kind);
        await gate.WaitForArrivalAsync();

        node.Database.Sever();
        gate.Open();
        await node.Database.WaitForRefusalAsync();
        node.Database.Mend();

        var (job, reader) = await node.WaitForEndAsync(submitted);
        Assert.Equal((JobStates.Complete, 1), (job.State, job.Attempt));
        Assert.Equal(TestKind.Numbers(300), reader.Texts[..^1]);
    }

    [Fact]
    public async Task A_commit_whose_answer_was_lost_is_not_repeated()
    {
        var gate = new Gate();
        var kind = TestKind.Of((job, cancel) => TestKind.CountAsync(job, 20, cancel, i => i == 10 ? gate.PassAsync(cancel) : Task.CompletedTask));
        var node = await StartAsync([kind], Patient);
        var submitted = await node.SubmitAsync(kind);
        await gate.WaitForArrivalAsync();
        await (await node.FollowAsync(submitted)).WaitForAsync(9);

        node.Database.LoseNextAnswer();
        gate.Open();

        var (job, reader) = await node.WaitForEndAsync(submitted);
        Assert.Equal((JobStates.Complete, 1), (job.State, job.Attempt));
        Assert.Equal(TestKind.Numbers(20), reader.Texts[..^1]);
    }

    [Fact]
    public async Task The_stored_progress_tells_of_nothing_that_the_log_does_not_have()
    {
        var started = new Gate();
        var ahead = new Gate();
        var writes = new Gate();
        var kind = TestKind.Of(async (job, cancel) =>
        {
            await started.PassAsync(cancel);
            job.ReportProgress(1, 3, 0);
            await job.EmitAsync("number", TestEvent.Of(1).Data.Span);
            await ahead.PassAsync(cancel);
            job.ReportProgress(2, 3, 0);
            await job.EmitAsync("number", TestEvent.Of(2).Data.Span);
            await ahead.PassAsync(cancel);
            return JobOutcome.Complete();
        });
        var node = await StartAsync([kind], Patient);
        var submitted = await node.SubmitAsync(kind);
        await started.WaitForArrivalAsync();

        // The first event is on its way into the database when the second is emitted.
        node.Database.Hold(writes);
        started.Open();
        await ahead.WaitForArrivalAsync();
        await writes.WaitForArrivalAsync();
        ahead.Open();
        await ahead.WaitForArrivalAsync();
        writes.Open();
        await writes.WaitForArrivalAsync();

        var (completed, events) = await node.Database.ReadAsync(
            session => session.QueryFirstAsync(
                "SELECT job.completed, stream.next_seq - 1 FROM job JOIN stream ON stream.id = job.stream_id WHERE job.id = $1",
                static row => (row.GetInt64(0), row.GetInt64(1)),
                submitted.Id),
            Cancel);
        Assert.Equal(events, completed);

        node.Database.LetGo();
        ahead.Open();
        var (job, _) = await node.WaitForEndAsync(submitted);
        Assert.Equal(2, job.Progress.Completed);
    }

    /// <summary>Makes the database refuse events of that kind, as a broken constraint would.</summary>
    private static Task RefuseKindAsync(EngineNode node, string kind) => node.Database.WriteAsync(
        async session =>
        {
            await session.ExecuteAsync(session.Kind == DatabaseKind.Sqlite
                ? $"CREATE TRIGGER refuse BEFORE INSERT ON event WHEN NEW.kind = '{kind}' BEGIN SELECT RAISE(ABORT, 'refused'); END"
                : $"ALTER TABLE event ADD CHECK (kind <> '{kind}')");
        },
        Cancel);
}

public sealed class SqliteJobEmissionTests : JobEmissionTests
{
    private protected override Task<DatabaseUnderTest> CreateAsync() => Task.FromResult<DatabaseUnderTest>(new SqliteUnderTest());
}

public sealed class PostgresJobEmissionTests : JobEmissionTests
{
    private protected override async Task<DatabaseUnderTest> CreateAsync() => await PostgresUnderTest.CreateAsync();
}
