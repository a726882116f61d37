using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Lintel.Features.Jobs;
using Lintel.Platform.Http;

namespace Lintel.Features.Beams;

/// <summary>How a batch stands.</summary>
/// <param name="ErrorCount">Beams that were refused.</param>
public sealed record BatchStatus(
    [property: Required] Guid JobId,
    [property: Required] string Status,
    [property: Required] JobProgressView Progress,
    DateTimeOffset? StartedAt,
    DateTimeOffset? CompletedAt,
    long ErrorCount)
{
    internal static BatchStatus From(Job job) => new(
        job.Id, job.State, JobProgressView.From(job.Progress), job.StartedAt, job.CompletedAt, job.Progress.Failed);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(BatchStatus))]
[JsonSerializable(typeof(DesignBeam))]
[JsonSerializable(typeof(DesignBeam[]))]
[JsonSerializable(typeof(DesignedBeam))]
[JsonSerializable(typeof(CheckBeam))]
[JsonSerializable(typeof(CheckedBeam))]
internal sealed partial class BeamsJson : JsonSerializerContext;
