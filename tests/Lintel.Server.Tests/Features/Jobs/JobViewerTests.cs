using Lintel.Infrastructure;
using Lintel.Platform.Storage;

namespace Lintel.Features.Jobs;

/// <summary>Jobs that were submitted to be watched end with their viewers, after their grace and not before; all others never do.</summary>
public abstract class JobViewerTests : EngineTests
{
    private protected static readonly TimeSpan Grace = new JobOptions().ReconnectGrace;
    private protected static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(100);

    private protected ManualTime Clock { get; } = new();

    private protected Gate Gate { get; } = new();

    private protected JobKind Kind => TestKind.Of(async (_, cancel) =>
    {
        await Gate.PassAsync(cancel);
        return JobOutcome.Complete();
    });

    [Fact]
    public async Task Without_a_viewer_the_job_is_cancelled_when_its_grace_has_passed_and_not_before()
    {
        var node = await StartAsync();
        var (job, viewer) = await WatchAsync(node);
        await node.Viewers.LeaveAsync(job.Id, viewer);

        Clock.Advance(Grace - Moment);
        await node.Viewers.CancelAbandonedAsync(Cancel);
        Assert.False((await node.FindAsync(job)).CancelRequested);

        Clock.Advance(2 * Moment);
        await node.Viewers.CancelAbandonedAsync(Cancel);
        Assert.Equal(JobStates.Cancelled, (await node.WaitForEndAsync(job)).Job.State);
    }

    [Fact]
    public async Task A_viewer_who_comes_back_in_time_keeps_the_job_and_has_the_whole_grace_again()
    {
        var node = await StartAsync();
        var (job, viewer) = await WatchAsync(node);
        await node.Viewers.LeaveAsync(job.Id, viewer);
        Clock.Advance(Grace - Moment);
        var again = await node.Viewers.EnterAsync(job, Cancel);
        Clock.Advance(100 * Grace);
        await node.Viewers.CancelAbandonedAsync(Cancel);
        Assert.False((await node.FindAsync(job)).CancelRequested);

        await node.Viewers.LeaveAsync(job.Id, again!.Value);
        Clock.Advance(Grace - Moment);
        await node.Viewers.CancelAbandonedAsync(Cancel);
        Assert.False((await node.FindAsync(job)).CancelRequested);

        Gate.Open();
        Assert.Equal(JobStates.Complete, (await node.WaitForEndAsync(job)).Job.State);
    }

    [Fact]
    public async Task Only_the_last_viewer_s_leaving_counts()
    {
        var node = await StartAsync();
        var (job, first) = await WatchAsync(node);
        var second = await node.Viewers.EnterAsync(job, Cancel);
        await node.Viewers.LeaveAsync(job.Id, first);
        Clock.Advance(2 * Grace);
        await node.Viewers.CancelAbandonedAsync(Cancel);
        Assert.False((await node.FindAsync(job)).CancelRequested);

        await Task.WhenAll(node.Viewers.LeaveAsync(job.Id, second!.Value), node.Viewers.LeaveAsync(job.Id, first));
        Clock.Advance(Grace + Moment);
        await node.Viewers.CancelAbandonedAsync(Cancel);
        Assert.Equal(JobStates.Cancelled, (await node.WaitForEndAsync(job)).Job.State);
    }

    [Fact]
    public async Task A_job_that_was_simply_submitted_does_not_care_who_watches()
    {
        var node = await StartAsync();
        var job = await node.SubmitAsync(Kind);
        await Gate.WaitForArrivalAsync();

        Assert.Null(await node.Viewers.EnterAsync(await node.FindAsync(job), Cancel));
        Clock.Advance(TimeSpan.FromDays(1));
        await node.Viewers.CancelAbandonedAsync(Cancel);
        await node.Recovery.RecoverAsync(Cancel);
        Clock.Advance(TimeSpan.FromDays(1));
        await node.Viewers.CancelAbandonedAsync(Cancel);

        Assert.False((await node.FindAsync(job)).CancelRequested);
        Gate.Open();
        Assert.Equal(JobStates.Complete, (await node.WaitForEndAsync(job)).Job.State);
    }

    [Fact]
    public async Task A_job_that_still_waits_is_cancelled_without_ever_running()
    {
        var node = await StartAsync(EngineNode.QuickOptions with { Concurrency = 1 });
        var first = await node.SubmitAsync(Kind);
        await Gate.WaitForArrivalAsync();
        var viewer = node.Viewers.NewViewer();
        var job = await node.SubmitAsync(Kind, cancelOnDisconnect: true, viewer: viewer);
        await node.Viewers.LeaveAsync(job.Id, viewer);
        Clock.Advance(Grace + Moment);
        await node.Viewers.CancelAbandonedAsync(Cancel);

        var (ended, reader) = await node.WaitForEndAsync(job);
        Assert.Equal((JobStates.Cancelled, 0), (ended.State, ended.Attempt));
        Assert.Equal(["cancelled"], reader.Kinds);
        Gate.Open();
        await node.WaitForEndAsync(first);
    }

    [Fact]
    public async Task After_the_death_of_its_server_the_job_waits_its_whole_grace_for_its_viewer()
    {
        var node = await StartAsync();
        var (job, _) = await WatchAsync(node);
        await node.DieAsync();

        node = await StartAsync();
        await Gate.WaitForArrivalAsync();
        Clock.Advance(Grace - Moment);
        await node.Viewers.CancelAbandonedAsync(Cancel);
        Assert.False((await node.FindAsync(job)).CancelRequested);

        Clock.Advance(2 * Moment);
        await node.Viewers.CancelAbandonedAsync(Cancel);
        Assert.Equal(JobStates.Cancelled, (await node.WaitForEndAsync(job)).Job.State);
    }

    [Fact]
    public async Task A_viewer_who_comes_back_to_the_restarted_server_keeps_the_job()
    {
        var node = await StartAsync();
        var (job, _) = await WatchAsync(node);
        await node.DieAsync();

        node = await StartAsync();
        await Gate.WaitForArrivalAsync();
        Assert.NotNull(await node.Viewers.EnterAsync(await node.FindAsync(job), Cancel));
        Clock.Advance(5 * Grace);
        await node.Viewers.CancelAbandonedAsync(Cancel);

        Gate.Open();
        Assert.Equal(JobStates.Complete, (await node.WaitForEndAsync(job)).Job.State);
    }

    [Fact]
    public async Task Time_in_which_no_server_ran_is_no_part_of_the_grace()
    {
        var node = await StartAsync();
        var (job, viewer) = await WatchAsync(node);

        // As a stopping server does when it ends its responses.
        await node.Viewers.LeaveAsync(job.Id, viewer);
        await node.DisposeAsync();
        Clock.Advance(20 * Grace);

        node = await StartAsync();
        await node.Viewers.CancelAbandonedAsync(Cancel);
        Assert.False((await node.FindAsync(job)).CancelRequested);
        await Gate.WaitForArrivalAsync();
        Clock.Advance(Grace + Moment);
        await node.Viewers.CancelAbandonedAsync(Cancel);
        Assert.Equal(JobStates.Cancelled, (await node.WaitForEndAsync(job)).Job.State);
    }

    [Fact]
    public async Task A_viewer_who_left_while_the_database_was_away_is_counted_out_later()
    {
        var node = await StartAsync(EngineNode.QuickOptions with { StopAfter = TimeSpan.FromMinutes(1) });
        var (job, viewer) = await WatchAsync(node);
        node.Database.Sever();
        await node.Viewers.LeaveAsync(job.Id, viewer);
        node.Database.Mend();

        await node.Viewers.CancelAbandonedAsync(Cancel);
        Clock.Advance(Grace + Moment);
        await node.Viewers.CancelAbandonedAsync(Cancel);
        Assert.Equal(JobStates.Cancelled, (await node.WaitForEndAsync(job)).Job.State);
    }

    private protected Task<EngineNode> StartAsync(JobOptions? options = null) => StartAsync([Kind], options, Clock);

    /// <summary>Submits a job that runs as long as the test wants, with one viewer.</summary>
    private protected async Task<(Job Job, Guid Viewer)> WatchAsync(EngineNode node)
    {
        var viewer = node.Viewers.NewViewer();
        var job = await node.SubmitAsync(Kind, cancelOnDisconnect: true, viewer: viewer);
        await Gate.WaitForArrivalAsync();
        return (job, viewer);
    }
}

public sealed class SqliteJobViewerTests : JobViewerTests
{
    private protected override Task<DatabaseUnderTest> CreateAsync() => Task.FromResult<DatabaseUnderTest>(new SqliteUnderTest());
}

public sealed class PostgresJobViewerTests : JobViewerTests
{
    // The clock of the nodes stands, that by which they judge each other's beats does not.
    private static readonly JobOptions NeverDead = EngineNode.QuickOptions with { DeadAfter = TimeSpan.FromMinutes(10), StopAfter = TimeSpan.FromMinutes(5) };

    [Fact]
    public async Task A_viewer_who_comes_back_through_another_node_keeps_the_job()
    {
        var first = await StartAsync(NeverDead);
        var (job, viewer) = await WatchAsync(first);
        var second = await StartAsync(NeverDead);
        await first.Viewers.LeaveAsync(job.Id, viewer);
        Clock.Advance(Grace - Moment);
        var again = await second.Viewers.EnterAsync(await second.FindAsync(job), Cancel);
        Clock.Advance(3 * Grace);
        await first.Viewers.CancelAbandonedAsync(Cancel);
        await second.Viewers.CancelAbandonedAsync(Cancel);
        Assert.False((await second.FindAsync(job)).CancelRequested);

        // And leaves through that one for good; either node may be the one to notice.
        await second.Viewers.LeaveAsync(job.Id, again!.Value);
        Clock.Advance(Grace + Moment);
        await first.Viewers.CancelAbandonedAsync(Cancel);
        Assert.Equal(JobStates.Cancelled, (await first.WaitForEndAsync(job)).Job.State);
    }

    [Fact]
    public async Task The_viewers_of_a_node_that_was_taken_for_dead_and_lives_are_counted_again()
    {
        var first = await StartAsync(NeverDead);
        var second = await StartAsync(NeverDead);
        var (job, _) = await WatchAsync(first);
        await second.Database.WriteAsync(async session => { await session.ExecuteAsync("DELETE FROM node WHERE id = $1", first.Leases.NodeId); }, Cancel);
        await second.Recovery.RecoverAsync(Cancel);

        await first.WaitUntilAsync(job, now => ViewersOf(first, now.Id) == 1);
        Clock.Advance(5 * Grace);
        await first.Viewers.CancelAbandonedAsync(Cancel);
        await second.Viewers.CancelAbandonedAsync(Cancel);
        Assert.False((await second.FindAsync(job)).CancelRequested);
    }

    private protected override async Task<DatabaseUnderTest> CreateAsync() => await PostgresUnderTest.CreateAsync();

    private static long ViewersOf(EngineNode node, Guid jobId) => node.Database.ReadAsync(
        session => session.QueryFirstAsync("SELECT count(*) FROM job_viewer WHERE job_id = $1", static row => row.GetInt64(0), jobId), Cancel).GetAwaiter().GetResult();
}
