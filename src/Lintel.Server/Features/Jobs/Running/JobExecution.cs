using Lintel.Features.Streams;
using Lintel.Platform.Storage;

namespace Lintel.Features.Jobs.Running;

/// <summary>One attempt at a job: runs its handler and carries its events.</summary>
internal sealed partial class JobExecution(
    Database database, StreamLog log, JobKinds kinds, JobEnds ends, JobInputs inputs, JobOptions options, IServiceScopeFactory scopes, TimeProvider time, ILogger<JobExecution> logger)
{
    public async Task RunAsync(RunningJob running)
    {
        var claim = running.Claim;
        Log.Started(logger, claim.Job.Id, claim.Job.Kind, claim.Job.Attempt);

        // Once more: where submission and claim were committed together, the claim came before there was anything to forget.
        inputs.Forget(claim.Job.Id);
        var emitter = new JobEmitter(database, log, running, time, logger);
        var pumping = emitter.PumpAsync();
        var end = await HandleAsync(running, emitter);
        emitter.Finish();
        await pumping;

        // A crash here, before the end is written: the lease runs out and another attempt repeats the end.
        await ends.WriteAsync(running, emitter, running.Reason == StopReason.Broken ? AfterError(claim.Job) : end);
    }

    private async Task<JobEnd> HandleAsync(RunningJob running, JobEmitter emitter)
    {
        var job = running.Claim.Job;
        try
        {
            await using var scope = scopes.CreateAsyncScope();
            var handler = kinds.Find(job.Kind)!.CreateHandler(scope.ServiceProvider);

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
            if (outcome.Data is { Length: > StreamLog.MaxEventBytes })
            {
                throw new InvalidOperationException($"The last event of a job of kind {job.Kind} has {outcome.Data.Value.Length} bytes; "
                    + $"a stream takes at most {StreamLog.MaxEventBytes} in one.");
            }

            if (outcome is { IsTemporary: true, Failure: { } reason })
            {
                Log.TriedAgain(logger, job.Id, job.Kind, job.Attempt, reason);
                return AfterError(job, reason);
            }

            return JobEnd.Of(job, outcome);
        }
        catch (OperationCanceledException) when (running.Reason != StopReason.None)
        {
            // The reason comes before either token: a handler that waits for the log hears of a lost lease before it is asked to stop.
            return Stopped(running, emitter);
        }
        catch (Exception failure)
        {
            Log.HandlerFailed(logger, failure, job.Id, job.Kind, job.Attempt);

            // Being told to stop makes some handlers fail in ways of their own; the request counts, not the way.
            return running.Stopping.IsCancellationRequested ? Stopped(running, emitter) : AfterError(job);
        }
    }

    /// <summary>Completes when a handler that was asked to stop has had its time.</summary>
    private async Task DeadlineAsync(RunningJob running)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, time, running.Stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.Delay(options.CancelGrace, time);
    }

    private static JobEnd Stopped(RunningJob running, JobEmitter emitter) => running switch
    {
        { Reason: StopReason.Cancelled } => JobEnd.Cancelled(running.Claim.Job, emitter.Progress),

        // Begun once and never again, not even where nothing went wrong.
        { Reason: StopReason.Shutdown, Claim.Job.MaxAttempts: 1 } => JobEnd.Interrupted(running.Claim.Job),
        _ => JobEnd.HandedBack(),
    };

    private JobEnd AfterError(Job job) => JobEnd.AfterError(job, kinds.Find(job.Kind)!);

    private JobEnd AfterError(Job job, string error) => JobEnd.AfterError(job, kinds.Find(job.Kind)!, error);

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Job {JobId} of kind {Kind} started, attempt {Attempt}.")]
        public static partial void Started(ILogger logger, Guid jobId, string kind, int attempt);

        [LoggerMessage(2, LogLevel.Error, "Job {JobId} of kind {Kind} failed in attempt {Attempt}.")]
        public static partial void HandlerFailed(ILogger logger, Exception failure, Guid jobId, string kind, int attempt);

        [LoggerMessage(3, LogLevel.Error, "Job {JobId} of kind {Kind} did not stop when it was asked to; its place is given to others while it still runs.")]
        public static partial void Abandoned(ILogger logger, Guid jobId, string kind);

        [LoggerMessage(4, LogLevel.Warning, "Attempt {Attempt} at job {JobId} of kind {Kind} could not be finished: {Reason}")]
        public static partial void TriedAgain(ILogger logger, Guid jobId, string kind, int attempt, string reason);
    }
}
