using Lintel.Features.Streams;
using Lintel.Platform.Storage;

namespace Lintel.Features.Jobs;

/// <summary>One attempt at a job: runs its handler, carries its events, and writes its end.</summary>
internal sealed partial class JobExecution(
    Database database, StreamLog log, JobKinds kinds, JobOptions options, IServiceScopeFactory scopes, TimeProvider time, ILogger<JobExecution> logger)
{
    private static readonly TimeSpan MaxRetryDelay = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan FinishRetryDelay = TimeSpan.FromSeconds(1);

    public async Task RunAsync(RunningJob running)
    {
        var claim = running.Claim;
        Log.Started(logger, claim.Job.Id, claim.Job.Kind, claim.Job.Attempt);
        var emitter = new JobEmitter(database, log, running, time, logger);
        var pumping = emitter.PumpAsync();
        if (claim.Job.CancelRequested)
        {
            running.Stop(StopReason.Cancelled);
        }

        var ending = await HandleAsync(running, emitter);
        emitter.Finish();
        await pumping;

        // A crash here, before the end is written: the lease runs out and another attempt repeats the end.
        await FinishAsync(running, emitter, ending);
    }

    /// <summary>How an attempt ended, before that is written.</summary>
    private sealed record Ending(string State, StreamEvent? Last, string? Error, TimeSpan? RetryIn);

    private async Task<Ending> HandleAsync(RunningJob running, JobEmitter emitter)
    {
        var job = running.Claim.Job;
        try
        {
            await using var scope = scopes.CreateAsyncScope();
            var kind = kinds.Find(job.Kind)!;
            var handler = kind.CreateHandler(scope.ServiceProvider);

            // A handler that never yields must not hold the runner's loop.
            var work = Task.Run(() => handler.RunAsync(new JobContext(running.Claim, emitter), running.Stopping), CancellationToken.None);
            await Task.WhenAny(work, DeadlineAsync(running));
            if (!work.IsCompleted)
            {
                Log.Abandoned(logger, job.Id, job.Kind);
                _ = work.ContinueWith(static task => _ = task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
                return Stopped(running, emitter);
            }

            var outcome = await work;
            return outcome.Failure is { } failure
                ? new Ending(JobStates.Failed, JobEvents.Failure(job.Id, failure), failure, null)
                : new Ending(
                    JobStates.Complete,
                    outcome.Data is { } data ? new StreamEvent(JobEvents.Complete, data) : JobEvents.Completion(job.Id),
                    null,
                    null);
        }
        catch (OperationCanceledException) when (running.Stopping.IsCancellationRequested)
        {
            return Stopped(running, emitter);
        }
        catch (Exception failure)
        {
            Log.HandlerFailed(logger, failure, job.Id, job.Kind, job.Attempt);
            return AfterException(job);
        }
    }

    /// <summary>Completes when a handler that was asked to stop has had its time.</summary>
    private async Task DeadlineAsync(RunningJob running)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, time, running.Stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.Delay(options.CancelGrace, time);
    }

    private static Ending Stopped(RunningJob running, JobEmitter emitter) => running.Reason switch
    {
        StopReason.Cancelled => new Ending(
            JobStates.Cancelled, JobEvents.Cancellation(running.Claim.Job.Id, emitter.Progress), null, null),
        _ => new Ending(JobStates.Queued, null, null, TimeSpan.Zero),
    };

    private Ending AfterException(Job job)
    {
        // What went wrong is in the server's log; its text may hold what clients must not see.
        const string message = "The job failed because of an error in the server.";
        if (job.Attempt >= job.MaxAttempts)
        {
            return new Ending(JobStates.Failed, JobEvents.Failure(job.Id, message), message, null);
        }

        var delay = kinds.Find(job.Kind)!.RetryDelay * Math.Pow(2, job.Attempt - 1);
        return new Ending(JobStates.Queued, null, message, delay < MaxRetryDelay ? delay : MaxRetryDelay);
    }

    private async Task FinishAsync(RunningJob running, JobEmitter emitter, Ending ending)
    {
        var job = running.Claim.Job;
        var rest = running.Reason == StopReason.LeaseLost ? [] : emitter.TakeRest();
        while (running.Reason != StopReason.LeaseLost)
        {
            try
            {
                var written = await database.WriteAsync(session => WriteEndAsync(session, running.Claim, emitter.Progress, ending, rest), CancellationToken.None);
                if (written)
                {
                    Log.Ended(logger, job.Id, job.Kind, ending.State, (time.GetUtcNow() - (job.StartedAt ?? job.CreatedAt)).TotalMilliseconds);
                    return;
                }

                break;
            }
            catch (StorageUnavailableException failure)
            {
                // Tried until it works or the lease is given up; if an earlier try did commit, the fence refuses the repetition.
                Log.EndDelayed(logger, job.Id, failure.Message);
                await Task.Delay(FinishRetryDelay, time, CancellationToken.None);
            }
        }

        Log.Fenced(logger, job.Id);
    }

    /// <summary>The last events, the state and the lease in one transaction; false when the lease was no longer ours.</summary>
    private async ValueTask<bool> WriteEndAsync(DbSession session, ClaimedJob claim, JobProgress progress, Ending ending, StreamEvent[] rest)
    {
        var now = time.GetUtcNow();
        var terminal = JobStates.IsTerminal(ending.State);
        var handedBack = ending is { State: JobStates.Queued, Error: null };
        var updated = await session.ExecuteAsync(
            """
            UPDATE job SET state = $3, completed_at = $4, error = $5, completed = $6, total = $7, failed = $8,
                error_count = error_count + $9, attempt = attempt - $10, run_at = $11, lease_owner = NULL
            WHERE id = $1 AND state = 'running' AND lease_epoch = $2
            """,
            claim.Job.Id,
            claim.Fence,
            ending.State,
            terminal ? now.ToMicroseconds() : null,
            ending.Error,
            progress.Completed,
            progress.Total,
            progress.Failed,
            ending.Error is null ? 0 : 1,
            handedBack ? 1 : 0,
            (now + (ending.RetryIn ?? TimeSpan.Zero)).ToMicroseconds());
        if (updated == 0)
        {
            return false;
        }

        StreamEvent[] events = ending.Last is { } last ? [.. rest, last] : rest;
        if (events.Length > 0 && (await log.AppendAsync(session, claim.Job.StreamId, events, claim.Fence, close: terminal)).Refused)
        {
            throw new InvalidOperationException($"The stream of job {claim.Job.Id} refused its last events although the lease is held.");
        }

        if (terminal)
        {
            await session.ExecuteAsync("DELETE FROM job_viewer WHERE job_id = $1", claim.Job.Id);
        }

        return true;
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Job {JobId} of kind {Kind} started, attempt {Attempt}.")]
        public static partial void Started(ILogger logger, Guid jobId, string kind, int attempt);

        [LoggerMessage(2, LogLevel.Information, "Job {JobId} of kind {Kind} ended as {State} after {DurationMs} ms.")]
        public static partial void Ended(ILogger logger, Guid jobId, string kind, string state, double durationMs);

        [LoggerMessage(3, LogLevel.Error, "Job {JobId} of kind {Kind} failed in attempt {Attempt}.")]
        public static partial void HandlerFailed(ILogger logger, Exception failure, Guid jobId, string kind, int attempt);

        [LoggerMessage(4, LogLevel.Error, "Job {JobId} of kind {Kind} did not stop when it was asked to; its place is given to others while it still runs.")]
        public static partial void Abandoned(ILogger logger, Guid jobId, string kind);

        [LoggerMessage(5, LogLevel.Warning, "The end of job {JobId} waits for the database: {Reason}")]
        public static partial void EndDelayed(ILogger logger, Guid jobId, string reason);

        [LoggerMessage(6, LogLevel.Warning, "Job {JobId} is no longer this server's; what this attempt did last was not kept.")]
        public static partial void Fenced(ILogger logger, Guid jobId);
    }
}
