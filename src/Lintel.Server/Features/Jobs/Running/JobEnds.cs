using Lintel.Features.Streams;
using Lintel.Platform.Storage;

namespace Lintel.Features.Jobs.Running;

/// <summary>Writes how attempts end: the last events, the state and the lease, in one transaction.</summary>
internal sealed partial class JobEnds(Database database, StreamLog log, JobFinish finish, JobRetentionWorker retention, TimeProvider time, ILogger<JobEnds> logger)
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    /// <summary>Writes <paramref name="end"/> and what the handler emitted last, and tries until that works or the lease is lost.</summary>
    public async Task WriteAsync(RunningJob running, JobEmitter emitter, JobEnd end)
    {
        var job = running.Claim.Job;
        var (rest, progress) = emitter.TakeRest();
        var isFallback = false;
        while (running.Reason != StopReason.LeaseLost)
        {
            try
            {
                if (await database.WriteAsync(session => WriteAsync(session, running.Claim, progress, end, rest), CancellationToken.None) is { } written)
                {
                    retention.Count(emitter.AppendedBytes + StreamEvent.CountBytes(rest));
                    Log.Ended(logger, job.Id, job.Kind, written, (time.GetUtcNow() - (job.StartedAt ?? job.CreatedAt)).TotalMilliseconds);
                    return;
                }

                break;
            }
            catch (StorageUnavailableException failure)
            {
                // If an earlier try did commit, the fence refuses the repetition.
                Log.Delayed(logger, job.Id, failure.Message);
                await Task.Delay(RetryDelay, time, running.LeaseLost).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (Exception failure) when (!isFallback)
            {
                // What cannot be written must not leave the job running for ever.
                Log.Unwritable(logger, failure, job.Id);
                (end, rest, progress, isFallback) = (JobEnd.Failed(job), [], emitter.Appended, true);
            }
        }

        Log.Fenced(logger, job.Id);
    }

    /// <summary>The state that was written; null when the lease was no longer ours.</summary>
    private async ValueTask<string?> WriteAsync(DbSession session, ClaimedJob claim, JobProgress progress, JobEnd end, StreamEvent[] rest)
    {
        var cancelRequested = await session.QueryFirstAsync(
            "UPDATE job SET lease_owner = NULL WHERE id = $1 AND state = 'running' AND lease_epoch = $2 RETURNING coalesce(cancel_requested_at, 0)",
            static row => (long?)row.GetInt64(0),
            claim.Job.Id,
            claim.Fence);
        if (cancelRequested is null)
        {
            return null;
        }

        // Nobody would hear of the request while the job waits for another attempt.
        var actual = end.State == JobStates.Queued && cancelRequested > 0 ? JobEnd.Cancelled(claim.Job, progress) : end;
        await UpdateAsync(session, claim, progress, actual);
        StreamEvent[] events = actual.Last is { } last ? [.. rest, last] : rest;
        if (JobStates.IsTerminal(actual.State))
        {
            await finish.WriteAsync(session, claim.Job, events, claim.Fence);
        }
        else if (events.Length > 0)
        {
            await log.AppendAsync(session, claim.Job.StreamId, events, claim.Fence);
        }

        return actual.State;
    }

    private async ValueTask UpdateAsync(DbSession session, ClaimedJob claim, JobProgress progress, JobEnd end)
    {
        var now = time.GetUtcNow();
        var isHandedBack = end is { State: JobStates.Queued, Error: null };
        await session.ExecuteAsync(
            """
            UPDATE job SET state = $2, completed_at = $3, error = $4, completed = $5, total = $6, failed = $7,
                error_count = error_count + $8, attempt = attempt - $9, run_at = $10
            WHERE id = $1
            """,
            claim.Job.Id,
            end.State,
            JobStates.IsTerminal(end.State) ? now.ToMicroseconds() : null,
            end.Error,
            progress.Completed,
            progress.Total,
            progress.Failed,
            end.Error is null ? 0 : 1,
            isHandedBack ? 1 : 0,
            (now + end.RetryIn).ToMicroseconds());
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Job {JobId} of kind {Kind} ended as {State} after {DurationMs} ms.")]
        public static partial void Ended(ILogger logger, Guid jobId, string kind, string state, double durationMs);

        [LoggerMessage(2, LogLevel.Warning, "The end of job {JobId} waits for the database: {Reason}")]
        public static partial void Delayed(ILogger logger, Guid jobId, string reason);

        [LoggerMessage(3, LogLevel.Warning, "Job {JobId} is no longer this server's; what this attempt did last was not kept.")]
        public static partial void Fenced(ILogger logger, Guid jobId);

        [LoggerMessage(4, LogLevel.Error, "The end of job {JobId} could not be written; it is ended as failed.")]
        public static partial void Unwritable(ILogger logger, Exception failure, Guid jobId);
    }
}
