using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Lintel.Features.Jobs;
using Lintel.Platform.OpenApi;

namespace Lintel.Features.Beams.Batches;

/// <summary>How a batch stands.</summary>
/// <param name="JobId">The batch.</param>
/// <param name="Status"><c>complete</c>, <c>failed</c> and <c>cancelled</c> are final.</param>
/// <param name="Progress">How far it is.</param>
/// <param name="StartedAt">When it was first begun; null while it waits.</param>
/// <param name="CompletedAt">When it ended, however that was; null before.</param>
/// <param name="ErrorCount">Beams that were refused.</param>
/// <example>{"job_id":"019b3c4e-7a10-7c1e-9d3f-2f6a5b8c9d01","status":"running","progress":{"completed":250,"total":1000,"failed":1,"percent":25},"started_at":"2026-01-31T12:00:00.125000Z","completed_at":null,"error_count":1}</example>
public sealed record BatchStatus(
    [property: Required] Guid JobId,
    [property: Required, AllowedValues(JobStates.Queued, JobStates.Running, JobStates.Complete, JobStates.Failed, JobStates.Cancelled)] string Status,
    [property: Required] JobProgressView Progress,
    DateTimeOffset? StartedAt,
    DateTimeOffset? CompletedAt,
    long ErrorCount)
{
    internal static BatchStatus From(Job job) => new(
        job.Id, job.State, JobProgressView.From(job.Progress), job.StartedAt, job.CompletedAt, job.Progress.Failed);
}

/// <summary>A batch begins.</summary>
/// <param name="JobId">Names the batch in every route.</param>
/// <param name="Total">How many beams it has.</param>
/// <param name="Timestamp">When it began.</param>
/// <example>{"job_id":"019b3c4e-7a10-7c1e-9d3f-2f6a5b8c9d01","total":1000,"timestamp":"2026-01-31T12:00:00.125000Z"}</example>
public sealed record BatchStarted(Guid JobId, int Total, DateTimeOffset Timestamp);

/// <summary>A beam of a batch was designed: what a <c>DesignedBeam</c> says, in short. Lengths mm, areas mm2, stresses N/mm2, moments kN.m, forces kN.</summary>
/// <param name="BeamId">The beam's <c>id</c> as sent, or <c>beam_1</c>, <c>beam_2</c> … by position.</param>
/// <param name="Index">The beam's position in the batch, from 0.</param>
/// <param name="Input">The beam as it was sent, with whatever else its object had.</param>
/// <param name="Flexure">Steel for the moment.</param>
/// <param name="Shear">Stresses and stirrups.</param>
/// <param name="Status">PASS when flexure and shear are both safe, else FAIL.</param>
/// <param name="DesignSucceeded">Always true: the design was carried out, whatever its status.</param>
/// <param name="IsSafe">Whether flexure and shear are both safe.</param>
/// <param name="UtilizationRatio">The larger of the two utilizations, but never above 2.</param>
/// <param name="Utilizations">The utilization of each check.</param>
/// <param name="FailedChecks">What fails and why; empty when all is safe.</param>
/// <param name="Warnings">What an engineer should look at although the design stands; left out where there is nothing.</param>
public sealed record BatchBeamDesigned(
    string BeamId,
    int Index,
    DesignBeam Input,
    BatchBeamFlexure Flexure,
    BatchBeamShear Shear,
    [property: AllowedValues("PASS", "FAIL")] string Status,
    bool DesignSucceeded,
    bool IsSafe,
    double UtilizationRatio,
    BeamUtilizations Utilizations,
    IReadOnlyList<string> FailedChecks,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<string>? Warnings = null);

/// <summary>Steel for the moment, in short.</summary>
/// <param name="AstRequired">Tension steel required.</param>
/// <param name="AscRequired">Compression steel required.</param>
/// <param name="MuLim">Limiting moment without compression steel.</param>
/// <param name="Xu">Depth of the neutral axis.</param>
/// <param name="XuMax">Its limit.</param>
/// <param name="IsSafe">Whether the steel fits and can work.</param>
public sealed record BatchBeamFlexure(double AstRequired, double AscRequired, double MuLim, double Xu, double XuMax, bool IsSafe);

/// <summary>Stresses and stirrups, in short.</summary>
/// <param name="Tv">Nominal shear stress.</param>
/// <param name="TauV">As <paramref name="Tv"/>.</param>
/// <param name="Tc">Shear strength of the concrete.</param>
/// <param name="TauC">As <paramref name="Tc"/>.</param>
/// <param name="TcMax">Ceiling of the shear stress.</param>
/// <param name="TauCMax">As <paramref name="TcMax"/>.</param>
/// <param name="Vus">Shear left to the stirrups.</param>
/// <param name="Spacing">Stirrup spacing; 0 when the section is too small.</param>
/// <param name="StirrupSpacing">As <paramref name="Spacing"/>.</param>
/// <param name="IsSafe">Whether the stress is within its ceiling.</param>
public sealed record BatchBeamShear(
    double Tv, double TauV, double Tc, double TauC, double TcMax, double TauCMax, double Vus, double Spacing, double StirrupSpacing, bool IsSafe);

/// <summary>A beam of a batch was refused; the others go on.</summary>
/// <param name="BeamId">The beam's <c>id</c> as sent, or <c>beam_1</c>, <c>beam_2</c> … by position.</param>
/// <param name="Index">The beam's position in the batch, from 0.</param>
/// <param name="Message">Everything wrong with it, in one line.</param>
/// <param name="Fields">Each bad field with its messages.</param>
/// <example>{"beam_id":"B1","index":0,"message":"width must be between 100 and 2000 mm","fields":{"width":["must be between 100 and 2000 mm"]}}</example>
public sealed record BatchBeamRefused(string BeamId, int Index, string Message, IReadOnlyDictionary<string, string[]> Fields);

/// <summary>The whole batch was refused, and nothing follows. The event is in no stream and has no <c>id</c>.</summary>
/// <param name="Message">Why: not JSON, no array, empty, or too many beams.</param>
/// <example>{"message":"No beams provided: beams must be a non-empty array"}</example>
public sealed record BatchRefused(string Message);

/// <summary>The last event of a batch all of whose beams were dealt with.</summary>
/// <param name="JobId">The batch.</param>
/// <param name="Total">How many beams it has.</param>
/// <param name="Completed">The same.</param>
/// <param name="Failed">Beams that were refused.</param>
/// <param name="DurationSeconds">From its start.</param>
/// <param name="Files">The files that <c>outputs</c> asked for; left out where it did not.</param>
/// <param name="FileErrors">Why one of them is missing.</param>
/// <example>{"job_id":"019b3c4e-7a10-7c1e-9d3f-2f6a5b8c9d01","total":1000,"completed":1000,"failed":5,"duration_seconds":0.412}</example>
public sealed record BatchCompleted(
    Guid JobId,
    int Total,
    int Completed,
    int Failed,
    double DurationSeconds,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<BatchFile>? Files = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<string>? FileErrors = null);

/// <summary>A file that a batch made; <c>GET /api/files/{id}</c> gets it.</summary>
/// <param name="Id">The file.</param>
/// <param name="Filename">Its name.</param>
/// <param name="Size">Its length in bytes.</param>
/// <param name="ContentType">Its type.</param>
/// <param name="Sha256">The SHA-256 of its content in hex.</param>
public sealed record BatchFile(Guid Id, [property: Required] string Filename, long Size, [property: Required] string ContentType, [property: Required] string Sha256);

/// <summary>The events of a batch, for the API description.</summary>
internal static class BatchEvents
{
    /// <summary>Those that its handler emits.</summary>
    public static readonly MessageType[] Emitted =
    [
        new("start", typeof(BatchStarted), IsLogged: true),
        new("design_result", typeof(BatchBeamDesigned), IsLogged: true),
        new("error", typeof(BatchBeamRefused), IsLogged: true),
        new("progress", typeof(JobProgressView), IsLogged: true),
        new("complete", typeof(BatchCompleted), IsLogged: true),
    ];

    public static readonly MessageUnion All = new(
        "BatchEvent",
        "An event of a batch: `start`, then for each beam `design_result` or `error` and `progress`, at the end `complete`, `failed` or `cancelled`.",
        [.. Emitted, new("error", typeof(BatchRefused)), .. JobEvents.Types.Where(static type => type.Name != JobEvents.Complete)]);
}
