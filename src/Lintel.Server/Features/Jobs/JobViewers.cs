using Lintel.Platform.Storage;

namespace Lintel.Features.Jobs;

/// <summary>
/// Watches over jobs that end with their viewers. Which nodes have viewers is kept in the database, so the grace outlives this server and holds
/// when a client comes back through another one.
/// </summary>
internal sealed partial class JobViewers(Database database, JobQueue queue, JobLeases leases, JobOptions options, TimeProvider time, ILogger<JobViewers> logger)
{
    /// <summary>Counts the viewer for whom a job is being submitted, in the submission's own unit of work.</summary>
    public async ValueTask EnterAsync(DbSession session, Guid jobId, Guid viewerId) =>
        await session.ExecuteAsync("INSERT INTO job_viewer (id, job_id, node_id) VALUES ($1, $2, $3)", viewerId, jobId, leases.NodeId);

    /// <summary>Counts a viewer who comes back, and ends the grace.</summary>
    /// <returns>The viewer's id, to leave with; null for a job that does not end with its viewers.</returns>
    public async Task<Guid?> EnterAsync(Job job, CancellationToken cancellationToken)
    {
        if (!job.CancelOnDisconnect || JobStates.IsTerminal(job.State))
        {
            return null;
        }

        var viewerId = NewViewer();
        await database.WriteAsync(
            async session =>
            {
                await session.ExecuteAsync("UPDATE job SET abandon_at = NULL WHERE id = $1", job.Id);
                await EnterAsync(session, job.Id, viewerId);
            },
            cancellationToken);
        return viewerId;
    }

    public Guid NewViewer() => Guid.CreateVersion7(time.GetUtcNow());

    /// <summary>Counts a viewer out; the last one's leaving starts the grace.</summary>
    public async Task LeaveAsync(Guid jobId, Guid viewerId)
    {
        try
        {
            // The work of a connection that is gone: it has nobody left to cancel it.
            await database.WriteAsync(session => LeaveAsync(session, jobId, viewerId), CancellationToken.None);
        }
        catch (StorageUnavailableException failure)
        {
            Log.Unavailable(logger, jobId, failure.Message);
        }
    }

    /// <summary>Cancels the jobs whose grace has passed.</summary>
    public async Task CancelAbandonedAsync(CancellationToken cancellationToken)
    {
        try
        {
            var abandoned = await database.ReadAsync(
                session => session.QueryAsync(
                    "SELECT id, owner_id FROM job WHERE abandon_at <= $1 AND cancel_requested_at IS NULL AND state IN ('queued', 'running')",
                    static row => (Id: row.GetGuid(0), OwnerId: row.GetInt64(1)),
                    time.GetMicroseconds()),
                cancellationToken);
            foreach (var (id, ownerId) in abandoned)
            {
                Log.Abandoned(logger, id);
                await queue.CancelAsync(id, ownerId, cancellationToken);
            }
        }
        catch (StorageUnavailableException)
        {
            // The next look is a second away.
        }
    }

    private async ValueTask LeaveAsync(DbSession session, Guid jobId, Guid viewerId)
    {
        await session.ExecuteAsync("DELETE FROM job_viewer WHERE id = $1", viewerId);

        // Holds the job's row first, so that the look for other viewers sees one who is just coming back.
        await session.ExecuteAsync("UPDATE job SET abandon_at = abandon_at WHERE id = $1", jobId);
        await session.ExecuteAsync(
            """
            UPDATE job SET abandon_at = $2
            WHERE id = $1 AND cancel_on_disconnect = TRUE AND state IN ('queued', 'running') AND NOT EXISTS (SELECT 1 FROM job_viewer WHERE job_id = $1)
            """,
            jobId,
            (time.GetUtcNow() + options.ReconnectGrace).ToMicroseconds());
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Job {JobId} has had no viewer for its whole grace and is cancelled.")]
        public static partial void Abandoned(ILogger logger, Guid jobId);

        [LoggerMessage(2, LogLevel.Warning, "That the last viewer of job {JobId} left could not be written: {Reason}")]
        public static partial void Unavailable(ILogger logger, Guid jobId, string reason);
    }
}
