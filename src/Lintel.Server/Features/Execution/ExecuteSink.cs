using System.Net.WebSockets;
using System.Text.Json;
using Lintel.Features.Jobs;
using Lintel.Features.Streams;
using Lintel.Platform.Sockets;
using Lintel.Platform.Threading;

namespace Lintel.Features.Execution;

/// <summary>
/// Brings a run's events to its socket, where there are two ends alone: <c>complete</c>, also for a job that was cancelled, and <c>error</c>.
/// </summary>
internal sealed class ExecuteSink(SocketConnection connection, Guid jobId, TimeProvider time) : IFollowSink, IDisposable
{
    private readonly SocketFollowSink _inner = new(connection);
    private readonly SemaphoreSlim _order = new(1, 1);
    private long? _runningSince;
    private bool _hasBegun;
    private bool _hasFailed;

    public AsyncSignal Signal => _inner.Signal;

    public bool IsEnding => _inner.IsEnding;

    /// <summary>Tells that the job waits; false once it no longer does.</summary>
    public async ValueTask<bool> SendQueuedAsync(long? position)
    {
        await _order.WaitAsync();
        try
        {
            var status = JsonSerializer.SerializeToUtf8Bytes(new RunStatus("queued", jobId, position), ExecutionJson.Default.RunStatus);
            return !_hasBegun && await connection.SendAsync((byte[])[.. "{\"type\":\"status\","u8, .. status.AsSpan(1)]);
        }
        finally
        {
            _order.Release();
        }
    }

    public async ValueTask WriteAsync(StreamInfo stream, EventBatch batch, int index)
    {
        await _order.WaitAsync();
        try
        {
            _hasBegun = true;
            if (_runningSince is null && batch.Events.Any(static item => item.Kind == ExecutionMessages.Status && item.Data.Span.IndexOf("\"running\""u8) >= 0))
            {
                _runningSince = time.GetTimestamp();
            }

            await _inner.WriteAsync(stream, Translate(batch), index);
        }
        finally
        {
            _order.Release();
        }
    }

    public async ValueTask CompleteAsync()
    {
        if (_hasFailed)
        {
            await connection.CloseOutputAsync(WebSocketCloseStatus.InternalServerError, "Server error");
        }
        else
        {
            await _inner.CompleteAsync();
        }
    }

    public ValueTask ResetAsync(StreamInfo stream, ResetReason reason) => _inner.ResetAsync(stream, reason);

    public void Break() => _inner.Break();

    public ValueTask IdleAsync() => _inner.IdleAsync();

    public void Dispose() => _order.Dispose();

    private EventBatch Translate(EventBatch batch)
    {
        var last = batch.Events[^1];
        switch (last.Kind)
        {
            case JobEvents.Cancelled:
                var elapsed = _runningSince is { } since ? time.GetElapsedTime(since) : TimeSpan.Zero;
                last = new StreamEvent(
                    JobEvents.Complete, JsonSerializer.SerializeToUtf8Bytes(RunEvents.Cancellation(jobId, elapsed), ExecutionJson.Default.RunCompleted));
                break;
            case JobEvents.Failed:
                _hasFailed = true;
                last = last with { Kind = "error" };
                break;
            default:
                return batch;
        }

        return new EventBatch(batch.FirstSeq, [.. batch.Events.AsSpan(..^1), last]);
    }
}
