using Lintel.Platform.Storage;

namespace Lintel.Features.Jobs.Running;

/// <summary>A job that this node has taken.</summary>
/// <param name="EventsSoFar">How many events earlier attempts left in its log.</param>
internal sealed record ClaimedJob(Job Job, byte[] Input, long EventsSoFar)
{
    /// <summary>The number of this lease: an append or update under an older one changes nothing.</summary>
    public long Fence => Job.LeaseEpoch;
}

/// <summary>What a node learns when it says that it lives.</summary>
/// <param name="IsKnown">False when the others had given it up: its leases are lost.</param>
/// <param name="Held">The jobs that the database says are running here.</param>
internal sealed record Heartbeat(bool IsKnown, List<HeldLease> Held);

/// <summary>A lease of this node as the database has it.</summary>
internal readonly record struct HeldLease(Guid JobId, long Fence, bool CancelRequested);

/// <summary>Which node runs which job: nodes and their heartbeats, claims and leases.</summary>
internal sealed class JobLeases(Database database, JobInputs inputs, JobOptions options, TimeProvider time)
{
    private const long ClaimLock = 0x4C696E74_6A6F62; // One node claims at a time, so that the caps hold over all of them.

    // The owner with fewest running jobs comes first, and one owner's hundred jobs leave a place for the next owner's first.
    private const string Claim =
        """
        WITH busy AS (
            SELECT owner_id, count(*) FILTER (WHERE kind = $1 OR $7 NOT LIKE '%,' || kind || ',%') AS running, count(*) FILTER (WHERE kind = $1) AS alike
            FROM job WHERE state = 'running' GROUP BY owner_id),
        waiting AS (
            SELECT job.id, coalesce(busy.running, 0) + row_number() OVER own AS turn, coalesce(busy.alike, 0) + row_number() OVER own AS alike_turn
            FROM job LEFT JOIN busy ON busy.owner_id = job.owner_id
            WHERE job.state = 'queued' AND job.kind = $1 AND job.run_at <= $2 AND (job.node_id IS NULL OR job.node_id = $3)
            WINDOW own AS (PARTITION BY job.owner_id ORDER BY job.run_at, job.id))
        UPDATE job SET
            state = 'running', lease_owner = $3, lease_epoch = lease_epoch + 1, attempt = attempt + 1,
            started_at = coalesce(started_at, $2)
        WHERE state = 'queued' AND id IN (SELECT id FROM waiting WHERE turn <= $4 AND alike_turn <= $6 ORDER BY turn, id LIMIT $5)
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

    /// <summary>Says that this node is going away: what it still holds may be taken from it at once.</summary>
    public Task UnregisterNodeAsync(CancellationToken cancellationToken) =>
        database.WriteAsync(async session => { await session.ExecuteAsync("DELETE FROM node WHERE id = $1", NodeId); }, cancellationToken);

    /// <summary>Takes up to <paramref name="free"/> waiting jobs of a kind.</summary>
    /// <param name="apart">The kinds whose jobs do not count among those that an owner has running.</param>
    public async Task<List<ClaimedJob>> ClaimAsync(JobKind kind, int free, CancellationToken cancellationToken, params string[] apart) =>
        await database.WriteAsync(
            async session =>
            {
                if (session.Kind == DatabaseKind.Postgres)
                {
                    await session.ExecuteAsync("SELECT pg_advisory_xact_lock($1)", ClaimLock);
                }

                List<ClaimedJob> claimed = [];
                if (!await BeatAsync(session))
                {
                    // The others have given this node up: what it took now would be taken from it.
                    return claimed;
                }

                var jobs = await session.QueryAsync(
                    $"{Claim} RETURNING {Job.Columns}",
                    Job.Map,
                    kind.Name,
                    time.GetMicroseconds(),
                    NodeId,
                    kind.RunsApart ? long.MaxValue : options.ConcurrencyPerOwner,
                    (long)free,
                    (long)kind.MaxConcurrentPerOwner,
                    $",{string.Join(',', apart)},");
                foreach (var job in jobs)
                {
                    claimed.Add(await TakeAsync(session, job));
                }

                return claimed;
            },
            cancellationToken);

    /// <summary>Says that this node lives, by the database's clock, and hears which jobs the database believes to run here.</summary>
    public Task<Heartbeat> BeatAsync(CancellationToken cancellationToken) =>
        database.WriteAsync(
            async session => new Heartbeat(
                await BeatAsync(session),
                await session.QueryAsync(
                    "SELECT id, lease_epoch, cancel_requested_at FROM job WHERE lease_owner = $1 AND state = 'running'",
                    static row => new HeldLease(row.GetGuid(0), row.GetInt64(1), !row.IsDBNull(2)),
                    NodeId)),
            cancellationToken);

    private async ValueTask<bool> BeatAsync(DbSession session) =>
        await session.ExecuteAsync($"UPDATE node SET beat_at = {session.Now} WHERE id = $1", NodeId) == 1;

    private async ValueTask<ClaimedJob> TakeAsync(DbSession session, Job job)
    {
        // From this commit on the stream takes events of this lease alone.
        var nextSeq = await session.QueryFirstAsync(
            "UPDATE stream SET fence = $2, fence_seq = next_seq WHERE id = $1 RETURNING next_seq", static row => row.GetInt64(0), job.StreamId, job.LeaseEpoch);
        session.AfterCommit(() => inputs.Forget(job.Id));
        var input = inputs.Find(job.Id)
            ?? await session.QueryFirstAsync("SELECT data FROM job_input WHERE job_id = $1", static row => row.GetBytes(0), job.Id);
        return new ClaimedJob(job, input ?? [], nextSeq - 1);
    }
}
