using Lintel.Platform.Threading;

namespace Lintel.Features.Streams;

/// <summary>Asks a question about every event before it takes the next.</summary>
internal sealed class AuditingSink(Func<long, Task> audit) : IFollowSink
{
    public AsyncSignal Signal { get; } = new();

    public bool IsEnding => false;

    public long Last { get; private set; }

    public async ValueTask WriteAsync(StreamInfo stream, EventBatch batch, int index)
    {
        Last = batch.LastSeq;
        await audit(batch.LastSeq);
    }

    public ValueTask CompleteAsync() => ValueTask.CompletedTask;

    public ValueTask ResetAsync(StreamInfo stream, ResetReason reason) => ValueTask.CompletedTask;

    public void Break()
    {
    }

    public ValueTask IdleAsync() => ValueTask.CompletedTask;
}
