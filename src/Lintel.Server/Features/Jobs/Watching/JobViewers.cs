using System.Collections.Concurrent;
using Lintel.Features.Jobs.Running;
using Lintel.Features.Streams;
using Lintel.Platform.Storage;

namespace Lintel.Features.Jobs.Watching;

/// <summary>
/// Watches over jobs that end with their viewers. Which nodes have viewers is kept in the database, so the grace outlives this server and holds
/// when a client comes back through another one.
/// </summary>
internal sealed partial class JobViewers(Database database, JobQueue queue, JobLeases leases, JobOptions options, TimeOrderedIds ids, TimeProvider time, ILogger<JobViewers> logger)
{
    // Whose row is to be in the database, and whose is still to be taken out of it.
    private readonly ConcurrentDictionary<Guid, Guid> _here = new();
    private readonly ConcurrentDictionary<Guid, Guid> _leaving = new();

    public Guid NewViewer() => ids.Next();

    /// <summary>Counts the viewer for whom a job is being submitted, in the submission's own unit of work.</summary>
    public async ValueTask EnterAsync(DbSession session, Guid jobId, Guid viewerId)
    {
        await InsertAsync(session, jobId, viewerId);
        session.AfterCommit(() => _here[viewerId] = jobId);
    }

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

    /// <summary>Counts a viewer out; the last one's leaving starts the grace.</summary>
    /// <param name="end">A viewer who saw the job's end needs no counting out: the viewers ended with the job.</param>
    public async Task LeaveAsync(Guid jobId, Guid viewerId, FollowEnd end = FollowEnd.Disconnected)
    {
        _here.TryRemove(viewerId, out _);
        if (end == FollowEnd.Completed)
        {
            return;
        }

        _leaving[viewerId] = jobId;
        try
        {
            // The work of a connection that is gone: it has nobody left to cancel it.
            await WriteLeaveAsync(jobId, viewerId, CancellationToken.None);
        }
        catch (StorageUnavailableException failure)
        {
            Log.Delayed(logger, jobId, failure.Message);
        }
    }

    /// <summary>Puts this node's viewers back, after the other nodes had taken it for dead and them for gone.</summary>
    public Task EnterAgainAsync(CancellationToken cancellationToken) =>
        database.WriteAsync(
            async session =>
            {
                foreach (var (viewerId, jobId) in _here)
                {
                    if (await session.ExecuteAsync("UPDATE job SET abandon_at = NULL WHERE id = $1", jobId) == 1)
                    {
                        await InsertAsync(session, jobId, viewerId);
                    }
                }
            },
            cancellationToken);

    /// <summary>Cancels the jobs whose grace has passed.</summary>
    public async Task CancelAbandonedAsync(CancellationToken cancellationToken)
    {
        foreach (var (viewerId, jobId) in _leaving)
        {
            await WriteLeaveAsync(jobId, viewerId, cancellationToken);
        }

        var abandoned = await database.ReadAsync(
            session => session.QueryAsync(
                """
                SELECT id, owner_id FROM job
                WHERE abandon_at <= $1 AND cancel_requested_at IS NULL AND state IN ('queued', 'running')
                    AND NOT EXISTS (SELECT 1 FROM job_viewer WHERE job_id = job.id)
                """,
                static row => (Id: row.GetGuid(0), OwnerId: row.GetInt64(1)),
                time.GetMicroseconds()),
            cancellationToken);
        foreach (var (id, ownerId) in abandoned)
        {
            Log.Abandoned(logger, id);
            await queue.CancelAsync(id, ownerId, cancellationToken);
        }
    }

    private async ValueTask InsertAsync(DbSession session, Guid jobId, Guid viewerId) =>
        await session.ExecuteAsync(
            "INSERT INTO job_viewer (id, job_id, node_id) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING", viewerId, jobId, leases.NodeId);

    private async Task WriteLeaveAsync(Guid jobId, Guid viewerId, CancellationToken cancellationToken)
    {
        await database.WriteAsync(session => LeaveAsync(session, jobId, viewerId), cancellationToken);
        _leaving.TryRemove(viewerId, out _);
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

        [LoggerMessage(2, LogLevel.Warning, "That a viewer of job {JobId} left waits for the database: {Reason}")]
        public static partial void Delayed(ILogger logger, Guid jobId, string reason);
    }
}
