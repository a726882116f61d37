using Lintel.Features.Streams;

namespace Lintel.Features.Jobs;

/// <summary>A job to be done.</summary>
/// <param name="Input">JSON text.</param>
/// <param name="Total">How many items it has, 0 when unknown.</param>
/// <param name="IdempotencyKey">The same key of the same owner with the same request is the same job.</param>
/// <param name="CancelOnDisconnect">It was submitted to be watched: without a viewer it is cancelled after the grace.</param>
/// <param name="Id">The job's id, where it was given out before the job was submitted.</param>
/// <param name="NodeId">The node that is to run it, because something it needs is there; any other may once that one is gone.</param>
internal sealed record JobRequest(
    JobKind Kind,
    long OwnerId,
    byte[] Input,
    long Total,
    string? IdempotencyKey = null,
    bool CancelOnDisconnect = false,
    Guid? Id = null,
    Guid? NodeId = null)
{
    /// <summary>What is known of the job's events already: whoever watches sees them with the submission, and the handler goes on behind them as after a crash.</summary>
    public JobOpening Opening { get; init; } = JobOpening.None;
}

/// <summary>The first events of a job, made where it was submitted.</summary>
/// <param name="Completed">How many items they are of.</param>
/// <param name="Failed">How many of these were refused.</param>
internal sealed record JobOpening(StreamEvent[] Events, long Completed, long Failed)
{
    public static readonly JobOpening None = new([], 0, 0);
}
