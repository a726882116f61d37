using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;
using Lintel.Platform.Http;

namespace Lintel.Features.Jobs;

/// <summary>Work to be done.</summary>
/// <param name="Kind">What kind of work: <c>batch-design</c>, or one that this server adds.</param>
/// <param name="Input">What the kind needs. For <c>batch-design</c>: an array of <c>DesignBeam</c>, or an object that has it as <c>beams</c>.</param>
/// <example>{"kind":"batch-design","input":{"beams":[{"id":"B1","width":300,"depth":500,"moment":120,"shear":80,"fck":25,"fy":500,"cover":40}]}}</example>
public sealed record CreateJob([property: Required] string Kind, JsonElement Input);

/// <summary>A job, without its events.</summary>
/// <param name="JobId">Names the job in every route; later jobs have greater ones.</param>
/// <param name="Kind">What kind of work it is.</param>
/// <param name="Status"><c>queued</c> also between two attempts; <c>complete</c>, <c>failed</c> and <c>cancelled</c> are final.</param>
/// <param name="Progress">How far it is; behind the events by a quarter of a second at most.</param>
/// <param name="CreatedAt">When it was submitted.</param>
/// <param name="StartedAt">When it was first begun; null while it waits.</param>
/// <param name="CompletedAt">When it ended, however that was; null before.</param>
/// <param name="Error">Why it failed, or why the last attempt did.</param>
/// <param name="Attempt">How often it was begun. A job is begun again when its server died, and after some errors.</param>
/// <param name="CancelRequested">Whether somebody asked to cancel it, which a running job takes a moment to do.</param>
/// <param name="QueuePosition">While one job waits and is asked for: about where it stands among those of its kind, 1 being the next. Owners take turns, so it may begin sooner.</param>
/// <example>{"job_id":"019b3c4e-7a10-7c1e-9d3f-2f6a5b8c9d01","kind":"batch-design","status":"running","progress":{"completed":250,"total":1000,"failed":1,"percent":25},"created_at":"2026-01-31T12:00:00.123456Z","started_at":"2026-01-31T12:00:00.125000Z","completed_at":null,"error":null,"attempt":1,"cancel_requested":false}</example>
public sealed record JobView(
    [property: Required] Guid JobId,
    [property: Required] string Kind,
    [property: Required, AllowedValues(JobStates.Queued, JobStates.Running, JobStates.Complete, JobStates.Failed, JobStates.Cancelled)] string Status,
    [property: Required] JobProgressView Progress,
    DateTimeOffset CreatedAt,
    DateTimeOffset? StartedAt,
    DateTimeOffset? CompletedAt,
    string? Error,
    int Attempt,
    bool CancelRequested,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? QueuePosition = null)
{
    internal static JobView From(Job job) => new(
        job.Id, job.Kind, job.State, JobProgressView.From(job.Progress), job.CreatedAt, job.StartedAt, job.CompletedAt, job.Error, job.Attempt, job.CancelRequested);
}

/// <summary>How far a job is.</summary>
/// <param name="Completed">Items dealt with, whatever came of them.</param>
/// <param name="Total">Items in all; 0 when that is not known.</param>
/// <param name="Failed">Items that were refused.</param>
/// <param name="Percent">Completed in per cent of the total, one decimal.</param>
/// <example>{"completed":250,"total":1000,"failed":1,"percent":25}</example>
public sealed record JobProgressView(long Completed, long Total, long Failed, double Percent)
{
    internal static JobProgressView From(JobProgress progress) => new(progress.Completed, progress.Total, progress.Failed, progress.Percent);
}

/// <summary>A page of a caller's jobs.</summary>
/// <param name="Jobs">Newest first.</param>
/// <param name="Next">Goes into <c>after</c> for the next page; null on the last one.</param>
public sealed record JobList([property: Required] IReadOnlyList<JobView> Jobs, string? Next);

/// <summary>The last event of a job that succeeded. Kinds may add to it.</summary>
/// <param name="JobId">The job.</param>
public sealed record JobCompleted(Guid JobId);

/// <summary>The last event of a job that failed for good.</summary>
/// <param name="JobId">The job.</param>
/// <param name="Message">Why.</param>
/// <example>{"job_id":"019b3c4e-7a10-7c1e-9d3f-2f6a5b8c9d01","message":"The job failed because of an error in the server."}</example>
public sealed record JobFailed(Guid JobId, string Message);

/// <summary>The last event of a job that was cancelled.</summary>
/// <param name="JobId">The job.</param>
/// <param name="Completed">Items dealt with until then.</param>
/// <param name="Total">Items in all.</param>
/// <param name="Failed">Items that were refused until then.</param>
/// <example>{"job_id":"019b3c4e-7a10-7c1e-9d3f-2f6a5b8c9d01","completed":250,"total":1000,"failed":1}</example>
public sealed record JobCancelled(Guid JobId, long Completed, long Total, long Failed);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(CreateJob))]
[JsonSerializable(typeof(JobView))]
[JsonSerializable(typeof(JobList))]
[JsonSerializable(typeof(JobCompleted))]
[JsonSerializable(typeof(JobFailed))]
[JsonSerializable(typeof(JobCancelled))]
internal sealed partial class JobsJson : JsonSerializerContext;
