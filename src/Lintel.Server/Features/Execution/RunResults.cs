using System.Text;
using System.Text.Json;
using Lintel.Features.Jobs;
using Lintel.Features.Jobs.Watching;
using Lintel.Features.Streams;
using Lintel.Platform.Errors;
using Lintel.Platform.Threading;

namespace Lintel.Features.Execution;

/// <summary>Follows a run to its end for somebody who wants its result alone.</summary>
internal sealed class RunResults(StreamLog log, StreamFollower follower, JobViewers viewers, IHostApplicationLifetime lifetime)
{
    /// <summary>The result; null when the caller went away first.</summary>
    /// <exception cref="ServiceUnavailableException">The job failed, or the server stops.</exception>
    public async Task<ExecutedCode?> WaitAsync(Job job, Guid? viewer, CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime.ApplicationStopped);
        var sink = new RunResultSink(job.Id, ending.Token);
        using var cancelled = ending.Token.UnsafeRegister(static state => ((AsyncSignal)state!).Set(), sink.Signal);
        var end = FollowEnd.Disconnected;
        try
        {
            end = await follower.RunAsync(await log.GetAsync(job.StreamId, CancellationToken.None), 0, sink);
        }
        finally
        {
            if (viewer is { } id)
            {
                await viewers.LeaveAsync(job.Id, id, end);
            }
        }

        return end == FollowEnd.Completed ? sink.Result() : null;
    }
}

/// <summary>Collects what a run prints, up to a size, and how it ended.</summary>
internal sealed class RunResultSink(Guid jobId, CancellationToken cancellationToken) : IFollowSink
{
    private const int MaxCharacters = 4 * 1024 * 1024;

    private readonly StringBuilder _stdout = new();
    private readonly StringBuilder _stderr = new();
    private readonly StringBuilder _compile = new();
    private bool _truncated;
    private RunCompleted? _completed;
    private string? _failure;

    public AsyncSignal Signal { get; } = new();

    public bool IsEnding => cancellationToken.IsCancellationRequested;

    /// <exception cref="ServiceUnavailableException">The job failed.</exception>
    public ExecutedCode? Result()
    {
        if (_failure is not null)
        {
            throw new ServiceUnavailableException(_failure);
        }

        return _completed is not { } end
            ? null
            : new ExecutedCode(
                jobId, _stdout.ToString(), _stderr.ToString(), _compile.Length == 0 ? null : _compile.ToString(), end.ExitCode, end.Verdict, end.ExecutionTime, end.MemoryKb,
                end.Signal, end.Reason, _truncated);
    }

    public ValueTask WriteAsync(StreamInfo stream, EventBatch batch, int index)
    {
        for (var i = index; i < batch.Events.Length; i++)
        {
            Take(batch.Events[i]);
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask CompleteAsync() => ValueTask.CompletedTask;

    public ValueTask ResetAsync(StreamInfo stream, ResetReason reason) => ValueTask.CompletedTask;

    // Whoever waits gets the exception.
    public void Break()
    {
    }

    public ValueTask IdleAsync() => ValueTask.CompletedTask;

    private void Take(in StreamEvent item)
    {
        switch (item.Kind)
        {
            case ExecutionMessages.Output:
                Take(JsonSerializer.Deserialize(item.Data.Span, ExecutionJson.Default.RunOutput)!);
                break;
            case JobEvents.Complete:
                _completed = JsonSerializer.Deserialize(item.Data.Span, ExecutionJson.Default.RunCompleted);
                break;
            case JobEvents.Cancelled:
                _completed = RunEvents.Cancellation(jobId, TimeSpan.Zero);
                break;
            case JobEvents.Failed:
                using (var failure = JsonDocument.Parse(item.Data))
                {
                    _failure = failure.RootElement.GetProperty("message").GetString();
                }

                break;
        }
    }

    private void Take(RunOutput output)
    {
        var room = MaxCharacters - _stdout.Length - _stderr.Length;
        var text = output.Data.AsSpan(0, Math.Min(room, output.Data.Length));
        _truncated |= text.Length < output.Data.Length;
        (output.Stream switch
        {
            RunEvents.Stdout => _stdout,
            RunEvents.Stderr => _stderr,
            _ => _compile,
        }).Append(text);
    }
}
