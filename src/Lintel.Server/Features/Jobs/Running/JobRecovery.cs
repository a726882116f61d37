using Lintel.Platform.Storage;

namespace Lintel.Features.Jobs.Running;

/// <summary>Takes back jobs that nobody runs: those of nodes that died, and those that this node has lost track of.</summary>
internal sealed class JobRecovery(Database database, JobFinish finish, JobLeases leases, JobOptions options, TimeProvider time)
{
    // Crash after crash with an event or two between them is not progress for ever.
    private const int MostAttempts = 100;

    private const string Exhausted = "The server that ran this job stopped, and it was tried as often as it may be.";

    private const string NotBegunTwice = "The job ended with the server that ran it, and one of its kind is not begun twice; run it again.";

    /// <summary>
    /// Gives up the nodes that were not heard of and takes back their jobs. On SQLite every other node is dead: one process owns the file.
    /// </summary>
    /// <returns>How many jobs were taken back.</returns>
    public Task<int> RecoverAsync(CancellationToken cancellationToken) =>
        database.WriteAsync(
            async session =>
            {
                await GiveUpNodesAsync(session);

                // Nothing has happened to the jobs yet: a crash here leaves them to the next node that looks.
                await session.ExecuteAsync("DELETE FROM job_viewer WHERE node_id NOT IN (SELECT id FROM node)");
                await session.ExecuteAsync("UPDATE job SET node_id = NULL WHERE state = 'queued' AND node_id NOT IN (SELECT id FROM node)");
                var orphans = await session.QueryAsync(
                    $"SELECT {Job.Columns} FROM job WHERE state = 'running' AND lease_owner NOT IN (SELECT id FROM node)", Job.Map);
                var recovered = 0;
                foreach (var job in orphans)
                {
                    recovered += await TakeBackAsync(session, job) ? 1 : 0;
                }

                await StartGraceAsync(session);
                return recovered;
            },
            cancellationToken);

    /// <summary>Takes back a job that the database believes to run here and that nobody runs: an attempt was given up, or the answer to its claim was lost.</summary>
    public Task<bool> TakeBackAsync(HeldLease lease, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async session =>
                await session.QueryFirstAsync(
                    $"SELECT {Job.Columns} FROM job WHERE id = $1 AND lease_owner = $2 AND lease_epoch = $3 AND state = 'running'",
                    Job.Map,
                    lease.JobId,
                    leases.NodeId,
                    lease.Fence) is { } job
                && await TakeBackAsync(session, job),
            cancellationToken);

    /// <summary>
    /// Gives every job that lost its viewers while no server was up its whole grace: they had nowhere to come back to. For a server that starts.
    /// </summary>
    public Task RenewGraceAsync(CancellationToken cancellationToken) =>
        database.WriteAsync(
            async session =>
            {
                await session.ExecuteAsync(
                    """
                    UPDATE job SET abandon_at = $1
                    WHERE abandon_at IS NOT NULL AND state IN ('queued', 'running') AND NOT EXISTS (SELECT 1 FROM node WHERE id <> $2)
                    """,
                    GraceEnd(),
                    leases.NodeId);
            },
            cancellationToken);

    private async ValueTask GiveUpNodesAsync(DbSession session)
    {
        if (session.Kind == DatabaseKind.Sqlite)
        {
            await session.ExecuteAsync("DELETE FROM node WHERE id <> $1", leases.NodeId);
        }
        else
        {
            await session.ExecuteAsync(
                $"DELETE FROM node WHERE id <> $1 AND beat_at <= {session.Now} - $2", leases.NodeId, (long)options.DeadAfter.TotalMicroseconds);
        }
    }

    /// <summary>Jobs that end with their viewers lost them with their node.</summary>
    private async ValueTask StartGraceAsync(DbSession session) =>
        await session.ExecuteAsync(
            """
            UPDATE job SET abandon_at = $1
            WHERE cancel_on_disconnect = TRUE AND abandon_at IS NULL AND state IN ('queued', 'running') AND id NOT IN (SELECT job_id FROM job_viewer)
            """,
            GraceEnd());

    private long GraceEnd() => (time.GetUtcNow() + options.ReconnectGrace).ToMicroseconds();

    /// <summary>Ends the lease of <paramref name="job"/> as it was read; false when another has done so in the meantime.</summary>
    private async ValueTask<bool> TakeBackAsync(DbSession session, Job job)
    {
        var maxAttempts = job.MaxAttempts + (await IsForgivenAsync(session, job) ? 1 : 0);
        var state = job.CancelRequested ? JobStates.Cancelled : job.Attempt >= maxAttempts ? JobStates.Failed : JobStates.Queued;
        var error = state == JobStates.Failed ? (job.MaxAttempts == 1 ? NotBegunTwice : Exhausted) : null;
        var now = time.GetMicroseconds();
        var fence = job.LeaseEpoch + 1;

        // The lease in the WHERE: two nodes may have read the same orphan, and a third may run it by now.
        var updated = await session.ExecuteAsync(
            """
            UPDATE job SET state = $3, completed_at = $4, error = $5, run_at = $6, error_count = error_count + 1, lease_owner = NULL, lease_epoch = $7,
                max_attempts = $8
            WHERE id = $1 AND lease_epoch = $2 AND state = 'running'
            """,
            job.Id,
            job.LeaseEpoch,
            state,
            JobStates.IsTerminal(state) ? now : null,
            error,
            now,
            fence,
            maxAttempts);
        if (updated == 0)
        {
            return false;
        }

        await session.ExecuteAsync("UPDATE stream SET fence = $2 WHERE id = $1", job.StreamId, fence);
        if (JobStates.IsTerminal(state))
        {
            var last = error is null ? JobEvents.Cancellation(job.Id, job.Progress) : JobEvents.Failure(job.Id, error);
            await finish.WriteAsync(session, job, [last], fence);
        }

        return true;
    }

    /// <summary>
    /// Whether the attempt uses up none, because it has left events: a job that gets on is not to blame for its servers. One that may be begun only once is never begun again.
    /// </summary>
    private static async ValueTask<bool> IsForgivenAsync(DbSession session, Job job) =>
        job.MaxAttempts is > 1 and < MostAttempts
        && await session.QueryFirstAsync("SELECT next_seq > fence_seq FROM stream WHERE id = $1", static row => row.GetBoolean(0), job.StreamId);
}
