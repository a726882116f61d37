using Lintel.Features.Streams;
using Lintel.Platform.Storage;

namespace Lintel.Features.Jobs;

/// <summary>A job that this node has taken.</summary>
/// <param name="EventsSoFar">How many events earlier attempts left in its log.</param>
internal sealed record ClaimedJob(Job Job, byte[] Input, long EventsSoFar)
{
    /// <summary>The number of this lease: an append or update under an older one changes nothing.</summary>
    public long Fence => Job.LeaseEpoch;
}

/// <summary>What a node learns when it says that it lives.</summary>
/// <param name="IsKnown">False when the others had given it up: its leases are lost.</param>
internal sealed record Heartbeat(bool IsKnown, List<Guid> CancelRequested);

/// <summary>Who runs what: nodes, claims, and what happens to the jobs of a node that died.</summary>
internal sealed class JobLeases(Database database, StreamLog log, JobKinds kinds, JobOptions options, TimeProvider time)
{
    private const long ClaimLock = 0x4C696E74_6A6F62; // One node claims at a time, so that the caps hold over all of them.

    // The owner with fewest running jobs comes first, and one owner's hundred jobs leave a place for the next owner's first.
    private const string Claim =
        """
        WITH busy AS (
            SELECT owner_id, count(*) AS running FROM job WHERE state = 'running' GROUP BY owner_id),
        waiting AS (
            SELECT job.id, job.priority,
                coalesce(busy.running, 0) + row_number() OVER (PARTITION BY job.owner_id ORDER BY job.priority DESC, job.run_at, job.id) AS turn
            FROM job LEFT JOIN busy ON busy.owner_id = job.owner_id
            WHERE job.state = 'queued' AND job.queue = $1 AND job.run_at <= $2)
        UPDATE job SET
            state = 'running', lease_owner = $3, lease_epoch = lease_epoch + 1, attempt = attempt + 1,
            started_at = coalesce(started_at, $2)
        WHERE state = 'queued' AND id IN (SELECT id FROM waiting WHERE turn <= $4 ORDER BY turn, priority DESC, id LIMIT $5)
        """;

    /// <summary>This node's name among the others; a restarted server is another node.</summary>
    public Guid NodeId { get; } = Guid.CreateVersion7(time.GetUtcNow());

    public Task RegisterNodeAsync(CancellationToken cancellationToken) =>
        database.WriteAsync(
            async session =>
            {
                await session.ExecuteAsync(
                    $"INSERT INTO node (id, started_at, beat_at) VALUES ($1, {session.Now}, {session.Now}) ON CONFLICT (id) DO UPDATE SET beat_at = excluded.beat_at", NodeId);
            },
            cancellationToken);

    /// <summary>Takes up to <paramref name="free"/> waiting jobs of a kind.</summary>
    public async Task<List<ClaimedJob>> ClaimAsync(JobKind kind, int free, CancellationToken cancellationToken) =>
        await database.WriteAsync(
            async session =>
            {
                if (session.Kind == DatabaseKind.Postgres)
                {
                    await session.ExecuteAsync("SELECT pg_advisory_xact_lock($1)", ClaimLock);
                }

                var jobs = await session.QueryAsync(
                    $"{Claim} RETURNING {Job.Columns}", Job.Map, kind.Name, time.GetMicroseconds(), NodeId, (long)options.ConcurrencyPerOwner, (long)free);
                List<ClaimedJob> claimed = [];
                foreach (var job in jobs)
                {
                    claimed.Add(await TakeAsync(session, job));
                }

                return claimed;
            },
            cancellationToken);

    /// <summary>Says that this node lives, by the database's clock, and hears which of its jobs are to stop.</summary>
    public Task<Heartbeat> BeatAsync(CancellationToken cancellationToken) =>
        database.WriteAsync(
            async session =>
            {
                var known = await session.ExecuteAsync($"UPDATE node SET beat_at = {session.Now} WHERE id = $1", NodeId) == 1;
                var cancelled = await session.QueryAsync(
                    "SELECT id FROM job WHERE lease_owner = $1 AND state = 'running' AND cancel_requested_at IS NOT NULL", static row => row.GetGuid(0), NodeId);
                return new Heartbeat(known, cancelled);
            },
            cancellationToken);

    /// <summary>Gives up the nodes that were not heard of and takes back their jobs. On SQLite every other node is dead: one process owns the file.</summary>
    /// <returns>How many jobs were taken back.</returns>
    public Task<int> RecoverAsync(CancellationToken cancellationToken) =>
        database.WriteAsync(
            async session =>
            {
                var deadline = session.Kind == DatabaseKind.Sqlite ? session.Now : $"{session.Now} - $2";
                object?[] values = session.Kind == DatabaseKind.Sqlite
                    ? [NodeId]
                    : [NodeId, (long)options.DeadAfter.TotalMicroseconds];
                await session.ExecuteAsync($"DELETE FROM node WHERE id <> $1 AND beat_at <= {deadline}", values);

                // Nothing has happened to the jobs yet: a crash here leaves them to the next node that looks.
                await session.ExecuteAsync("DELETE FROM job_viewer WHERE node_id NOT IN (SELECT id FROM node)");
                var orphans = await session.QueryAsync(
                    $"SELECT {Job.Columns} FROM job WHERE state = 'running' AND lease_owner NOT IN (SELECT id FROM node)", Job.Map);
                foreach (var job in orphans)
                {
                    await RecoverAsync(session, job);
                }

                // Jobs that end with their viewers lost them with their node.
                await session.ExecuteAsync(
                    """
                    UPDATE job SET abandon_at = $1
                    WHERE cancel_on_disconnect = TRUE AND abandon_at IS NULL AND state IN ('queued', 'running') AND id NOT IN (SELECT job_id FROM job_viewer)
                    """,
                    (time.GetUtcNow() + options.ReconnectGrace).ToMicroseconds());
                return orphans.Count;
            },
            cancellationToken);

    private static async ValueTask<ClaimedJob> TakeAsync(DbSession session, Job job)
    {
        // From this commit on the stream takes events of this lease alone.
        var nextSeq = await session.QueryFirstAsync(
            "UPDATE stream SET fence = $2 WHERE id = $1 RETURNING next_seq", static row => row.GetInt64(0), job.StreamId, job.LeaseEpoch);
        var input = await session.QueryFirstAsync("SELECT data FROM job_input WHERE job_id = $1", static row => row.GetBytes(0), job.Id);
        return new ClaimedJob(job, input ?? [], nextSeq - 1);
    }

    private async ValueTask RecoverAsync(DbSession session, Job job)
    {
        var exhausted = job.Attempt >= job.MaxAttempts || !kinds.Contains(job.Kind);
        var now = time.GetMicroseconds();
        var fence = job.LeaseEpoch + 1;
        await session.ExecuteAsync("UPDATE stream SET fence = $2 WHERE id = $1", job.StreamId, fence);
        if (job.CancelRequested || exhausted)
        {
            var state = job.CancelRequested ? JobStates.Cancelled : JobStates.Failed;
            const string message = "The server that ran this job stopped, and it was tried as often as it may be.";
            await session.ExecuteAsync(
                "UPDATE job SET state = $2, completed_at = $3, error = $4, error_count = error_count + 1, lease_owner = NULL, lease_epoch = $5 WHERE id = $1",
                job.Id,
                state,
                now,
                job.CancelRequested ? null : message,
                fence);
            var last = job.CancelRequested ? JobEvents.Cancellation(job.Id, job.Progress) : JobEvents.Failure(job.Id, message);
            await log.AppendAsync(session, job.StreamId, [last], fence, close: true);
        }
        else
        {
            await session.ExecuteAsync(
                "UPDATE job SET state = 'queued', run_at = $2, error_count = error_count + 1, lease_owner = NULL, lease_epoch = $3 WHERE id = $1", job.Id, now, fence);
        }
    }
}
