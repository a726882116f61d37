using System.Buffers;
using Lintel.Features.Jobs.Running;

namespace Lintel.Features.Jobs;

/// <summary>A job as its handler sees it.</summary>
public sealed class JobContext
{
    private readonly JobEmitter _emitter;
    private readonly ArrayBufferWriter<byte> _event = new(1024);

    internal JobContext(ClaimedJob claim, JobEmitter emitter)
    {
        JobId = claim.Job.Id;
        OwnerId = claim.Job.OwnerId;
        Attempt = claim.Job.Attempt;
        StartedAt = claim.Job.StartedAt ?? claim.Job.CreatedAt;
        EventsSoFar = claim.EventsSoFar;
        Total = claim.Job.Progress.Total;
        Input = claim.Input;
        _emitter = emitter;
    }

    public Guid JobId { get; }

    /// <summary>Whose job it is.</summary>
    public long OwnerId { get; }

    /// <summary>1 for the first try.</summary>
    public int Attempt { get; }

    /// <summary>When the first attempt began.</summary>
    public DateTimeOffset StartedAt { get; }

    /// <summary>How many events earlier attempts have in the log. A handler whose events are a function of its input goes on with the next one.</summary>
    public long EventsSoFar { get; }

    /// <summary>How many items there are, as <see cref="IJobHandler.Check"/> counted them or <see cref="ReportProgress"/> last told; 0 when that is not known.</summary>
    public long Total { get; }

    /// <summary>JSON text in UTF-8.</summary>
    public ReadOnlyMemory<byte> Input { get; }

    /// <summary>Where the facts of the next event are written: one JSON object in UTF-8 without line breaks.</summary>
    public IBufferWriter<byte> Event => _event;

    /// <summary>
    /// Puts what was written to <see cref="Event"/> into the log as an event of that kind. It waits only when the log is behind; the event is durable soon after, and
    /// nobody sees it before.
    /// </summary>
    /// <exception cref="OperationCanceledException">The job no longer belongs to this server.</exception>
    public ValueTask EmitAsync(string kind)
    {
        var pending = _emitter.EmitAsync(kind, _event.WrittenSpan);
        _event.ResetWrittenCount();
        return pending;
    }

    /// <summary>Puts an event into the log.</summary>
    /// <param name="data">One JSON object in UTF-8 without line breaks.</param>
    public ValueTask EmitAsync(string kind, ReadOnlySpan<byte> data) => _emitter.EmitAsync(kind, data);

    /// <summary>Tells how far the job is. The latest wins; it is written with the events, a few times a second.</summary>
    /// <param name="completed">Items dealt with, whatever came of them.</param>
    /// <param name="total">Items in all.</param>
    /// <param name="failed">Items that were refused.</param>
    public void ReportProgress(long completed, long total, long failed) => _emitter.Progress = new JobProgress(completed, total, failed);
}
