using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;
using Lintel.Platform.Http;

namespace Lintel.Features.Jobs;

/// <summary>Work to be done.</summary>
/// <param name="Kind">What kind of work, such as <c>batch-design</c>.</param>
/// <param name="Input">What the kind needs; its own description says.</param>
public sealed record CreateJob([property: Required] string Kind, JsonElement Input);

/// <summary>A job, without its events.</summary>
public sealed record JobView(
    [property: Required] Guid JobId,
    [property: Required] string Kind,
    [property: Required] string Status,
    [property: Required] JobProgressView Progress,
    DateTimeOffset CreatedAt,
    DateTimeOffset? StartedAt,
    DateTimeOffset? CompletedAt,
    string? Error,
    int Attempt,
    bool CancelRequested)
{
    internal static JobView From(Job job) => new(
        job.Id, job.Kind, job.State, JobProgressView.From(job.Progress), job.CreatedAt, job.StartedAt, job.CompletedAt, job.Error, job.Attempt, job.CancelRequested);
}

/// <param name="Completed">Items dealt with, whatever came of them.</param>
/// <param name="Total">Items in all; 0 when that is not known.</param>
/// <param name="Failed">Items that were refused.</param>
/// <param name="Percent">Completed in per cent of the total, one decimal.</param>
public sealed record JobProgressView(long Completed, long Total, long Failed, double Percent)
{
    internal static JobProgressView From(JobProgress progress) => new(progress.Completed, progress.Total, progress.Failed, progress.Percent);
}

/// <summary>A page of a caller's jobs, newest first.</summary>
/// <param name="Next">Goes into <c>after</c> for the next page; null on the last one.</param>
public sealed record JobList([property: Required] IReadOnlyList<JobView> Jobs, string? Next);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(CreateJob))]
[JsonSerializable(typeof(JobView))]
[JsonSerializable(typeof(JobList))]
internal sealed partial class JobsJson : JsonSerializerContext;
