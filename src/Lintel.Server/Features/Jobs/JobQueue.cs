using System.Security.Cryptography;
using Lintel.Features.Streams;
using Lintel.Platform.Errors;
using Lintel.Platform.Storage;

namespace Lintel.Features.Jobs;

/// <summary>What became of a submission.</summary>
internal enum SubmitStatus
{
    Created,

    /// <summary>The idempotency key was used for the same request: here is its job.</summary>
    Repeated,

    /// <summary>The idempotency key was used for another request.</summary>
    KeyReused,
}

internal sealed record SubmitResult(SubmitStatus Status, Job? Job);

/// <summary>Submits, finds and cancels jobs.</summary>
internal sealed class JobQueue(
    Database database, StreamLog log, JobFinish finish, JobInputs inputs, JobSignals signals, JobOptions options, TimeOrderedIds ids, TimeProvider time)
{
    private static readonly TimeSpan RetryWhenFull = TimeSpan.FromSeconds(10);

    /// <summary>Accepts a job durably.</summary>
    /// <param name="also">Runs in the same unit of work, after the job was made.</param>
    /// <exception cref="ServiceUnavailableException">Too many jobs wait already, or the owner's have too much input.</exception>
    public async Task<SubmitResult> SubmitAsync(JobRequest request, CancellationToken cancellationToken, Func<DbSession, Guid, ValueTask>? also = null)
    {
        var hash = request.IdempotencyKey is null ? null : Hash(request);
        var result = await database.WriteAsync(
            session =>
            {
                signals.JobComing(session, request.Kind.Name);
                return InsertAsync(session, request, hash, also);
            },
            cancellationToken);
        if (result.Status == SubmitStatus.Created)
        {
            signals.JobAvailable(request.Kind.Name);
        }

        return result;
    }

    /// <summary>Submits a job of an internal kind as part of <paramref name="session"/>'s unit of work, unless the owner has one of that kind that has not begun yet.</summary>
    public async ValueTask EnsureAsync(DbSession session, JobKind kind, long ownerId)
    {
        // Of the job that is found the beginning waits for this unit's commit, so that its handler sees what the unit wrote. One that is just beginning is not found.
        var waits = await session.QueryFirstAsync(
            "SELECT 1 FROM job WHERE owner_id = $1 AND kind = $2 AND state = 'queued' AND state IN ('queued', 'running') LIMIT 1"
                + session.Lock("FOR SHARE SKIP LOCKED"),
            static row => row.GetInt32(0),
            ownerId,
            kind.Name);
        if (waits == 0)
        {
            await AddAsync(session, new JobRequest(kind, ownerId, "{}"u8.ToArray(), 0));
        }
    }

    /// <summary>Submits a job of an internal kind as part of <paramref name="session"/>'s unit of work.</summary>
    public async ValueTask AddAsync(DbSession session, JobRequest request)
    {
        await InsertAsync(session, request, null, null);
        session.AfterCommit(() => signals.JobAvailable(request.Kind.Name));
    }

    /// <summary>Lets a job that waits for another attempt begin now.</summary>
    public async ValueTask HurryAsync(DbSession session, Guid id)
    {
        var now = time.GetMicroseconds();
        var kind = await session.QueryFirstAsync(
            "UPDATE job SET run_at = $2 WHERE id = $1 AND state = 'queued' AND run_at > $2 RETURNING kind", static row => row.GetString(0), id, now);
        if (kind is not null)
        {
            session.AfterCommit(() => signals.JobAvailable(kind));
        }
    }

    /// <summary>A job as <paramref name="session"/>'s unit of work sees it, whosever it is.</summary>
    public static ValueTask<Job?> FindAsync(DbSession session, Guid id) =>
        session.QueryFirstAsync($"SELECT {Job.Columns} FROM job WHERE id = $1", Job.Map, id);

    /// <summary>A job of that owner; null when there is none, or it is another's.</summary>
    public Task<Job?> FindAsync(Guid id, long ownerId, CancellationToken cancellationToken) =>
        database.ReadAsync(
            session => session.QueryFirstAsync($"SELECT {Job.Columns} FROM job WHERE id = $1 AND owner_id = $2", Job.Map, id, ownerId),
            cancellationToken);

    /// <summary>About where a waiting job stands among those of its kind, 1 being the next; null for a job that does not wait.</summary>
    public async Task<long?> PositionAsync(Job job, CancellationToken cancellationToken) =>
        job.State != JobStates.Queued
            ? null
            : await database.ReadAsync(
                session => session.QueryFirstAsync(
                    """
                    SELECT (
                        SELECT count(*) FROM job AS ahead
                        WHERE ahead.state = 'queued' AND ahead.kind = job.kind AND (ahead.run_at < job.run_at OR (ahead.run_at = job.run_at AND ahead.id <= job.id)))
                    FROM job WHERE id = $1 AND state = 'queued'
                    """,
                    static row => (long?)row.GetInt64(0),
                    job.Id),
                cancellationToken);

    /// <summary>An owner's jobs, newest first.</summary>
    /// <param name="before">Only jobs older than this one.</param>
    /// <param name="hidden">Kinds to leave out.</param>
    public Task<List<Job>> ListAsync(long ownerId, Guid? before, string? state, string? kind, string[] hidden, int limit, CancellationToken cancellationToken) =>
        database.ReadAsync(
            session => session.QueryAsync(
                $"""
                SELECT {Job.Columns} FROM job
                WHERE owner_id = $1 AND id < $2 AND ($3 = '' OR state = $3) AND ($4 = '' OR kind = $4) AND $5 NOT LIKE '%,' || kind || ',%'
                ORDER BY id DESC LIMIT $6
                """,
                Job.Map,
                ownerId,
                before ?? Guid.AllBitsSet,
                state ?? "",
                kind ?? "",
                $",{string.Join(',', hidden)},",
                limit),
            cancellationToken);

    /// <summary>
    /// Cancels a job: one that waits is cancelled with that, one that runs is asked to stop. A finished job stays as it is.
    /// </summary>
    /// <returns>The job as it is now; null when there is none of that owner.</returns>
    public async Task<Job?> CancelAsync(Guid id, long ownerId, CancellationToken cancellationToken)
    {
        var job = await database.WriteAsync(session => CancelAsync(session, id, ownerId), cancellationToken);
        if (job is { State: JobStates.Running })
        {
            signals.CancelRequested(id);
        }

        return job;
    }

    private async ValueTask<SubmitResult> InsertAsync(DbSession session, JobRequest request, string? hash, Func<DbSession, Guid, ValueTask>? also)
    {
        var now = time.GetUtcNow();
        var id = request.Id ?? ids.Next();
        var at = now.ToMicroseconds();
        var streamId = await log.CreateAsync(session, id.ToString());
        var inserted = await session.ExecuteAsync(
            """
            INSERT INTO job (id, kind, owner_id, state, stream_id, total, max_attempts, run_at, created_at, cancel_on_disconnect, idempotency_key, request_hash, input_bytes,
                node_id, completed, failed)
            VALUES ($1, $2, $3, 'queued', $4, $5, $6, 0, $7, $8, $9, $10, $11, $12, $13, $14)
            ON CONFLICT DO NOTHING
            """,
            id,
            request.Kind.Name,
            request.OwnerId,
            streamId,
            request.Total,
            request.Kind.MaxAttempts,
            at,
            request.CancelOnDisconnect,
            request.IdempotencyKey,
            hash,
            (long)request.Input.Length,
            request.NodeId,
            request.Opening.Completed,
            request.Opening.Failed);
        if (inserted == 0)
        {
            return await RepeatAsync(session, request, hash, streamId);
        }

        if (!request.Kind.IsInternal)
        {
            await RefuseWhenFullAsync(session, request.OwnerId);
        }

        await session.ExecuteAsync("INSERT INTO job_input (job_id, data) VALUES ($1, $2)", id, request.Input);
        session.AfterCommit(() => inputs.Keep(id, request.Input));
        if (request.Opening.Events.Length > 0)
        {
            await log.AppendAsync(session, streamId, request.Opening.Events);
        }

        if (also is not null)
        {
            await also(session, id);
        }

        return new SubmitResult(
            SubmitStatus.Created,
            new Job(
                id, request.Kind.Name, request.OwnerId, JobStates.Queued, streamId, new JobProgress(request.Opening.Completed, request.Total, request.Opening.Failed), null, 0, 0, request.Kind.MaxAttempts,
                Instant.FromMicroseconds(at), null, null, false, request.CancelOnDisconnect, 0));
    }

    private static async ValueTask<SubmitResult> RepeatAsync(DbSession session, JobRequest request, string? hash, long unusedStream)
    {
        await session.ExecuteAsync("DELETE FROM stream WHERE id = $1", unusedStream);
        var same = await session.QueryFirstAsync(
            $"SELECT {Job.Columns} FROM job WHERE owner_id = $1 AND idempotency_key = $2 AND request_hash = $3",
            Job.Map,
            request.OwnerId,
            request.IdempotencyKey,
            hash);
        return new SubmitResult(same is null ? SubmitStatus.KeyReused : SubmitStatus.Repeated, same);
    }

    /// <summary>After the insert, which the exception undoes: a request that repeats an accepted one is answered however full the queue is.</summary>
    private async ValueTask RefuseWhenFullAsync(DbSession session, long ownerId)
    {
        var own = await CountAsync(
            session,
            "SELECT count(*) FROM (SELECT 1 FROM job WHERE state = 'queued' AND owner_id = $1 LIMIT $2) AS waiting",
            ownerId,
            options.QueuedPerOwner + 1L);
        var all = await CountAsync(session, "SELECT count(*) FROM (SELECT 1 FROM job WHERE state = 'queued' LIMIT $1) AS waiting", options.Queued + 1L);
        if (own > options.QueuedPerOwner || all > options.Queued)
        {
            throw new ServiceUnavailableException("Too many jobs wait already; try again when some are done.") { RetryAfter = RetryWhenFull };
        }

        var stored = await CountAsync(
            session, "SELECT CAST(sum(input_bytes) AS BIGINT) FROM job WHERE owner_id = $1 AND state IN ('queued', 'running')", ownerId);
        if (stored > options.InputBytesPerOwner)
        {
            throw new ServiceUnavailableException("Your unfinished jobs have as much input as they may; try again when some are done.") { RetryAfter = RetryWhenFull };
        }
    }

    private static ValueTask<long> CountAsync(DbSession session, string sql, params object?[] values) =>
        session.QueryFirstAsync(sql, static row => row.GetInt64(0), values);

    private async ValueTask<Job?> CancelAsync(DbSession session, Guid id, long ownerId)
    {
        var now = time.GetMicroseconds();
        var job = await session.QueryFirstAsync(
            $"""
            UPDATE job SET
                cancel_requested_at = coalesce(cancel_requested_at, $3),
                completed_at = CASE WHEN state = 'queued' THEN $3 END,
                state = CASE WHEN state = 'queued' THEN 'cancelled' ELSE state END
            WHERE id = $1 AND owner_id = $2 AND state IN ('queued', 'running')
            RETURNING {Job.Columns}
            """,
            Job.Map,
            id,
            ownerId,
            now);
        if (job is null)
        {
            return await session.QueryFirstAsync($"SELECT {Job.Columns} FROM job WHERE id = $1 AND owner_id = $2", Job.Map, id, ownerId);
        }

        if (job.State == JobStates.Cancelled)
        {
            // Nobody runs it: its last event is written here, in the transaction that ends it.
            await finish.WriteAsync(session, job, [JobEvents.Cancellation(id, job.Progress)], job.LeaseEpoch);
            session.AfterCommit(() => inputs.Forget(id));
        }

        return job;
    }

    private static string Hash(JobRequest request)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(System.Text.Encoding.UTF8.GetBytes(request.Kind.Name + "\n"));
        hash.AppendData(request.Input);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
