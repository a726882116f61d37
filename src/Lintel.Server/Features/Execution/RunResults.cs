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
    /// <exception cref="ServiceUnavailableException">The job failed.</exception>
    public async Task<ExecutedCode?> WaitAsync(Job job, Guid? viewer, CancellationToken cancellationToken)
    {
        using var ending = Ending(cancellationToken);
        var sink = new RunResultSink(job.Id, ending.Token);
        return await FollowAsync(job, viewer, sink, ending.Token) ? sink.Result() : null;
    }

    /// <summary>The results of a batch; null when the caller went away first.</summary>
    /// <exception cref="ServiceUnavailableException">The job failed.</exception>
    public async Task<ExecutedBatch?> WaitForBatchAsync(Job job, Guid? viewer, CancellationToken cancellationToken)
    {
        using var ending = Ending(cancellationToken);
        var sink = new RunResultSink(job.Id, ending.Token);
        return await FollowAsync(job, viewer, sink, ending.Token) ? sink.BatchResult() : null;
    }

    private CancellationTokenSource Ending(CancellationToken cancellationToken) =>
        CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime.ApplicationStopped);

    /// <summary>Whether the job was followed to its end.</summary>
    private async Task<bool> FollowAsync(Job job, Guid? viewer, RunResultSink sink, CancellationToken ending)
    {
        using var cancelled = ending.UnsafeRegister(static state => ((AsyncSignal)state!).Set(), sink.Signal);
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

        return end == FollowEnd.Completed;
    }
}

/// <summary>Collects what a run prints, up to a size, and how it ended.</summary>
internal sealed class RunResultSink(Guid jobId, CancellationToken cancellationToken) : IFollowSink
{
    private const int MaxCharacters = 4 * 1024 * 1024;

    private readonly StringBuilder _stdout = new();
    private readonly StringBuilder _stderr = new();
    private readonly StringBuilder _compile = new();
    private readonly List<BatchRun> _runs = [];
    private bool _truncated;
    private string? _verdict;
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

    /// <exception cref="ServiceUnavailableException">The job failed.</exception>
    public ExecutedBatch? BatchResult() =>
        _failure is not null ? throw new ServiceUnavailableException(_failure)
        : _verdict is null ? null
        : new ExecutedBatch(jobId, _verdict, _compile.Length == 0 ? null : _compile.ToString(), _runs);

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
            case ExecutionMessages.Result:
                _runs.Add(JsonSerializer.Deserialize(item.Data.Span, ExecutionJson.Default.BatchRun)!);
                break;
            case JobEvents.Complete:
                _completed = JsonSerializer.Deserialize(item.Data.Span, ExecutionJson.Default.RunCompleted);
                _verdict = _completed!.Verdict;
                break;
            case JobEvents.Cancelled:
                _completed = RunEvents.Cancellation(jobId, TimeSpan.Zero);
                _verdict = _completed.Verdict;
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
