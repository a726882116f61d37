using System.Collections.Concurrent;
using Lintel.Features.Jobs.Running;
using Lintel.Infrastructure;
using Lintel.Platform.Errors;
using Lintel.Platform.Storage;

namespace Lintel.Features.Jobs;

/// <summary>Who gets a place, who waits, and who is refused.</summary>
public abstract class JobQueueTests : EngineTests
{
    [Fact]
    public async Task One_owner_s_hundred_jobs_do_not_delay_another_owner_s_first()
    {
        var gate = new Gate();
        var order = new ConcurrentQueue<long>();
        var kind = Waiting(gate, order);
        var node = await StartAsync([kind], EngineNode.QuickOptions with { Concurrency = 4, ConcurrencyPerOwner = 4 });
        for (var i = 0; i < 100; i++)
        {
            await node.SubmitAsync(kind, owner: 1);
        }

        for (var i = 0; i < 4; i++)
        {
            await gate.WaitForArrivalAsync();
        }

        var late = await node.SubmitAsync(kind, owner: 2);
        var second = await node.SubmitAsync(kind, owner: 2);
        gate.Open(2);
        await gate.WaitForArrivalAsync();
        await gate.WaitForArrivalAsync();

        // The two places that became free went to the owner who had none.
        Assert.Equal([1, 1, 1, 1, 2, 2], order);
        Assert.Equal(JobStates.Running, (await node.FindAsync(late)).State);
        Assert.Equal(JobStates.Running, (await node.FindAsync(second)).State);
    }

    [Fact]
    public async Task An_owner_runs_no_more_at_once_than_the_cap()
    {
        var gate = new Gate();
        var order = new ConcurrentQueue<long>();
        var kind = Waiting(gate, order);
        var node = await StartAsync([kind], EngineNode.QuickOptions with { Concurrency = 10, ConcurrencyPerOwner = 3 });
        for (var i = 0; i < 8; i++)
        {
            await node.SubmitAsync(kind, owner: 1);
        }

        for (var i = 0; i < 3; i++)
        {
            await gate.WaitForArrivalAsync();
        }

        await node.Get<JobClaims>().ClaimAsync(Cancel);
        Assert.Equal(3, node.Get<RunningJobs>().Count);
        gate.Open();
        await gate.WaitForArrivalAsync();
        Assert.Equal(4, gate.Arrivals);
        Assert.InRange(node.Get<RunningJobs>().Count, 3, 4);
    }

    [Fact]
    public async Task A_kind_runs_no_more_at_once_than_it_allows()
    {
        var gate = new Gate();
        var order = new ConcurrentQueue<long>();
        var kind = Waiting(gate, order) with { MaxConcurrent = 2 };
        var other = TestKind.Of((_, _) => Task.FromResult(JobOutcome.Complete()), "other");
        var node = await StartAsync([kind, other], EngineNode.QuickOptions with { Concurrency = 10 });
        for (var i = 0; i < 5; i++)
        {
            await node.SubmitAsync(kind, owner: i);
        }

        await gate.WaitForArrivalAsync();
        await gate.WaitForArrivalAsync();
        await node.WaitForEndAsync(await node.SubmitAsync(other));
        Assert.Equal(2, gate.Arrivals);
    }

    [Fact]
    public async Task An_owner_runs_no_more_of_a_kind_at_once_than_it_allows()
    {
        var gate = new Gate();
        var order = new ConcurrentQueue<long>();
        var kind = Waiting(gate, order) with { MaxConcurrentPerOwner = 2 };
        var other = TestKind.Of((_, _) => Task.FromResult(JobOutcome.Complete()), "other");
        var node = await StartAsync([kind, other], EngineNode.QuickOptions with { Concurrency = 10, ConcurrencyPerOwner = 10 });
        for (var i = 0; i < 5; i++)
        {
            await node.SubmitAsync(kind, owner: 1);
        }

        await node.SubmitAsync(kind, owner: 2);
        for (var i = 0; i < 3; i++)
        {
            await gate.WaitForArrivalAsync();
        }

        // The owner's other kinds have their places still.
        await node.WaitForEndAsync(await node.SubmitAsync(other, owner: 1));
        await node.Get<JobClaims>().ClaimAsync(Cancel);
        Assert.Equal([1, 1, 2], order.Order());
    }

    [Fact]
    public async Task Of_fifty_submissions_with_one_key_one_is_a_job_and_all_get_it()
    {
        var kind = TestKind.Of((_, _) => Task.FromResult(JobOutcome.Complete()));
        var node = await StartAsync([kind]);
        var request = new JobRequest(kind, 1, "{\"n\":1}"u8.ToArray(), 0, "key");

        var results = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => node.Queue.SubmitAsync(request, Cancel)));

        Assert.Single(results, static result => result.Status == SubmitStatus.Created);
        Assert.Equal(49, results.Count(static result => result.Status == SubmitStatus.Repeated));
        Assert.Single(results.Select(static result => result.Job!.Id).Distinct());
        Assert.Single(await node.Queue.ListAsync(1, null, null, null, [], 100, Cancel));
        Assert.Equal(1, await CountAsync(node, "SELECT count(*) FROM stream"));

        // The key is the owner's, and stands for one request.
        Assert.Equal(SubmitStatus.KeyReused, (await node.Queue.SubmitAsync(request with { Input = "{\"n\":2}"u8.ToArray() }, Cancel)).Status);
        Assert.Equal(SubmitStatus.Created, (await node.Queue.SubmitAsync(request with { OwnerId = 2 }, Cancel)).Status);
    }

    [Fact]
    public async Task A_full_queue_refuses_new_jobs_repeats_old_ones_and_takes_more_when_there_is_room()
    {
        var gate = new Gate();
        var kind = Waiting(gate, []);
        var node = await StartAsync([], EngineNode.QuickOptions with { QueuedPerOwner = 3, Queued = 5 });
        var keyed = new JobRequest(kind, 1, "{}"u8.ToArray(), 0, "key");
        var first = await node.Queue.SubmitAsync(keyed, Cancel);
        await node.SubmitAsync(kind, owner: 1);
        var third = await node.SubmitAsync(kind, owner: 1);

        var refusal = await Assert.ThrowsAsync<ServiceUnavailableException>(() => node.SubmitAsync(kind, owner: 1));
        Assert.NotNull(refusal.RetryAfter);
        Assert.Equal(first.Job!.Id, (await node.Queue.SubmitAsync(keyed, Cancel)).Job!.Id);

        await node.SubmitAsync(kind, owner: 2);
        await node.SubmitAsync(kind, owner: 2);
        await Assert.ThrowsAsync<ServiceUnavailableException>(() => node.SubmitAsync(kind, owner: 3));
        Assert.Equal(5, await CountAsync(node, "SELECT count(*) FROM job"));
        Assert.Equal(5, await CountAsync(node, "SELECT count(*) FROM stream"));

        await node.Queue.CancelAsync(third.Id, 1, Cancel);
        await node.SubmitAsync(kind, owner: 1);
    }

    [Fact]
    public async Task What_an_owner_s_unfinished_jobs_hold_is_bounded()
    {
        var gate = new Gate();
        var kind = Waiting(gate, []);
        var node = await StartAsync([kind], EngineNode.QuickOptions with { InputBytesPerOwner = 1000, ConcurrencyPerOwner = 1 });
        var large = new JobRequest(kind, 1, new byte[400], 0, "key");
        var running = (await node.Queue.SubmitAsync(large, Cancel)).Job!;
        await gate.WaitForArrivalAsync();
        var waiting = (await node.Queue.SubmitAsync(large with { IdempotencyKey = null }, Cancel)).Job!;

        // The one that runs counts too, a repetition does not, and everybody has a bound of their own.
        var refusal = await Assert.ThrowsAsync<ServiceUnavailableException>(() => node.Queue.SubmitAsync(large with { IdempotencyKey = null }, Cancel));
        Assert.NotNull(refusal.RetryAfter);
        Assert.Equal(SubmitStatus.Repeated, (await node.Queue.SubmitAsync(large, Cancel)).Status);
        Assert.Equal(SubmitStatus.Created, (await node.Queue.SubmitAsync(large with { OwnerId = 2 }, Cancel)).Status);
        await node.Queue.SubmitAsync(large with { IdempotencyKey = null, Input = new byte[200] }, Cancel);
        Assert.Equal(1400, await CountAsync(node, "SELECT sum(length(data)) FROM job_input"));

        await node.Queue.CancelAsync(waiting.Id, 1, Cancel);
        await node.Queue.SubmitAsync(large with { IdempotencyKey = null }, Cancel);
        Assert.Equal(JobStates.Running, (await node.FindAsync(running)).State);
    }

    [Fact]
    public async Task A_submission_that_fails_leaves_neither_job_nor_stream()
    {
        var kind = TestKind.Of((_, _) => Task.FromResult(JobOutcome.Complete()));
        var node = await StartAsync([kind]);

        await Assert.ThrowsAsync<FormatException>(() => node.Queue.SubmitAsync(
            new JobRequest(kind, 1, "{}"u8.ToArray(), 0), Cancel, static (_, _) => throw new FormatException()));

        Assert.Equal(0, await CountAsync(node, "SELECT (SELECT count(*) FROM job) + (SELECT count(*) FROM stream) + (SELECT count(*) FROM job_input)"));
    }

    [Fact]
    public async Task What_is_finished_for_long_enough_is_forgotten_with_all_it_left_and_nothing_else_is()
    {
        var gate = new Gate();
        var clock = new ManualTime();
        var kind = TestKind.Of(async (job, cancel) =>
        {
            await TestKind.CountAsync(job, 3, cancel);
            if (job.OwnerId == 2)
            {
                await gate.PassAsync(cancel);
            }

            return JobOutcome.Complete();
        });
        var node = await StartAsync([kind], EngineNode.QuickOptions with { Retention = TimeSpan.FromDays(2) }, clock);
        var old = await node.SubmitAsync(kind);
        await node.WaitForEndAsync(old);
        var running = await node.SubmitAsync(kind, owner: 2);
        await gate.WaitForArrivalAsync();
        clock.Advance(TimeSpan.FromDays(1.5));
        var recent = await node.SubmitAsync(kind);
        await node.WaitForEndAsync(recent);
        clock.Advance(TimeSpan.FromDays(1));

        // Inputs do not wait for that: only the job that runs has one.
        Assert.Equal(1, await CountAsync(node, "SELECT count(*) FROM job_input"));
        await node.Get<JobRetentionWorker>().ForgetAsync(Cancel);

        Assert.Null(await node.Queue.FindAsync(old.Id, 1, Cancel));
        Assert.Null(await node.Log.FindAsync(old.StreamId, Cancel));
        Assert.Null(await node.Log.ReadAsync(old.StreamId, 0, Cancel));
        Assert.Equal(0, await CountAsync(node, "SELECT count(*) FROM job_input WHERE job_id NOT IN (SELECT id FROM job)"));
        Assert.Equal(4, (await node.WaitForEndAsync(recent)).Reader.Events.Length);
        Assert.Equal(JobStates.Running, (await node.FindAsync(running)).State);
    }

    [Fact]
    public async Task An_owner_s_oldest_jobs_are_forgotten_when_their_events_are_too_many_and_the_newest_is_not()
    {
        var text = "{\"text\":\"" + new string('x', 400) + "\"}";
        var kind = TestKind.Of(async (job, _) =>
        {
            for (var i = 0; i < 5; i++)
            {
                await job.EmitAsync("text", System.Text.Encoding.UTF8.GetBytes(text));
            }

            return JobOutcome.Complete();
        });
        var node = await StartAsync([kind], EngineNode.QuickOptions with { OutputBytesPerOwner = 5000 });
        var other = await node.SubmitAsync(kind, owner: 2);
        await node.WaitForEndAsync(other);
        List<Job> jobs = [];
        for (var i = 0; i < 3; i++)
        {
            jobs.Add(await node.SubmitAsync(kind));
            await node.WaitForEndAsync(jobs[^1]);
        }

        // Without a word from anybody: so much output in a short time is looked at soon. Two have less than 5,000 bytes, three have more.
        await Eventually.HoldsAsync(async () => await node.Queue.FindAsync(jobs[0].Id, 1, Cancel) is null);
        Assert.Null(await node.Log.FindAsync(jobs[0].StreamId, Cancel));
        Assert.Equal(0, await CountAsync(node, $"SELECT count(*) FROM event WHERE stream_id = {jobs[0].StreamId}"));
        await node.Get<JobRetentionWorker>().ForgetAsync(Cancel);
        Assert.NotNull(await node.Queue.FindAsync(jobs[1].Id, 1, Cancel));
        Assert.NotNull(await node.Queue.FindAsync(other.Id, 2, Cancel));

        await node.Database.WriteAsync(async session => { await session.ExecuteAsync("UPDATE stream SET bytes = 6000 WHERE id = $1", jobs[2].StreamId); }, Cancel);
        await node.Get<JobRetentionWorker>().ForgetAsync(Cancel);
        Assert.Null(await node.Queue.FindAsync(jobs[1].Id, 1, Cancel));
        Assert.NotNull(await node.Queue.FindAsync(jobs[2].Id, 1, Cancel));
    }

    [Fact]
    public async Task A_claim_from_a_long_queue_takes_as_many_of_each_owner()
    {
        var kind = TestKind.Of((_, _) => Task.FromResult(JobOutcome.Complete()));
        var node = await StartAsync([], EngineNode.QuickOptions with { QueuedPerOwner = 10_000 });
        for (var owner = 1; owner <= 3; owner++)
        {
            await Task.WhenAll(Enumerable.Range(0, 500).Select(_ => node.SubmitAsync(kind, owner)));
        }

        var claimed = await node.Leases.ClaimAsync(kind, 6, Cancel);

        // Two of each, the oldest first.
        Assert.Equal([1, 1, 2, 2, 3, 3], claimed.Select(static claim => claim.Job.OwnerId).Order());
    }

    private static JobKind Waiting(Gate gate, ConcurrentQueue<long> order) => TestKind.Of(async (job, cancel) =>
    {
        order.Enqueue(job.OwnerId);
        await gate.PassAsync(cancel);
        return JobOutcome.Complete();
    });

    private static Task<long> CountAsync(EngineNode node, string sql) =>
        node.Database.ReadAsync(session => session.QueryFirstAsync(sql, static row => row.GetInt64(0)), Cancel);
}

public sealed class SqliteJobQueueTests : JobQueueTests
{
    private protected override Task<DatabaseUnderTest> CreateAsync() => Task.FromResult<DatabaseUnderTest>(new SqliteUnderTest());
}

public sealed class PostgresJobQueueTests : JobQueueTests
{
    private protected override async Task<DatabaseUnderTest> CreateAsync() => await PostgresUnderTest.CreateAsync();
}
