using Lintel.Features.Streams;

namespace Lintel.Features.Jobs.Running;

/// <summary>How an attempt ended, before that is written.</summary>
/// <param name="State">The job's next state: a terminal one, or queued for another attempt.</param>
/// <param name="Last">The stream's last event, where the state is terminal.</param>
/// <param name="Error">What went wrong; null also for a job that is handed back and has used up no attempt.</param>
/// <param name="RetryIn">How long a queued job waits.</param>
internal sealed record JobEnd(string State, StreamEvent? Last, string? Error, TimeSpan RetryIn)
{
    // What went wrong is in the server's log; its text may hold what clients must not see.
    private const string ServerError = "The job failed because of an error in the server.";

    private const string ServerStopped = "The server was stopped while it ran this job, which may be begun only once.";

    public static JobEnd Of(Job job, JobOutcome outcome) => outcome.Failure is { } failure
        ? new(JobStates.Failed, JobEvents.Failure(job.Id, failure), failure, TimeSpan.Zero)
        : new(JobStates.Complete, outcome.Data is { } data ? JobEvents.Completion(data) : JobEvents.Completion(job.Id), null, TimeSpan.Zero);

    public static JobEnd Cancelled(Job job, JobProgress progress) => new(JobStates.Cancelled, JobEvents.Cancellation(job.Id, progress), null, TimeSpan.Zero);

    /// <summary>The server stops, or the lease is lost: another attempt goes on, as if this one had not been.</summary>
    public static JobEnd HandedBack() => new(JobStates.Queued, null, null, TimeSpan.Zero);

    /// <summary>The server stops, and no other attempt may go on.</summary>
    public static JobEnd Interrupted(Job job) => new(JobStates.Failed, JobEvents.Failure(job.Id, ServerStopped), ServerStopped, TimeSpan.Zero);

    /// <summary>After an exception, or something that is out of service: another attempt later, each wait twice as long, until there were enough.</summary>
    public static JobEnd AfterError(Job job, JobKind kind, string error = ServerError)
    {
        if (job.Attempt >= job.MaxAttempts)
        {
            return Failed(job, error);
        }

        // Beyond that exponent every wait is the longest one.
        var delay = kind.RetryDelay * Math.Pow(2, Math.Min(job.Attempt - 1, 30));
        return new(JobStates.Queued, null, error, delay < kind.MaxRetryDelay ? delay : kind.MaxRetryDelay);
    }

    public static JobEnd Failed(Job job, string error = ServerError) => new(JobStates.Failed, JobEvents.Failure(job.Id, error), error, TimeSpan.Zero);
}
