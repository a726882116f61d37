using Lintel.Platform.Threading;

namespace Lintel.Features.Streams;

/// <summary>
/// A reader at the end of a follow loop. It keeps every event it gets, fails on the first that is out of order, and can be told to stop reading, to go on, and to leave.
/// </summary>
internal sealed class Reader : IFollowSink
{
    // A signal that does not come in so long is lost.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Lock _gate = new();
    private readonly List<StreamEvent> _events = [];
    private TaskCompletionSource _changed = NewSignal();
    private TaskCompletionSource? _stalled;
    private string? _fault;
    private volatile bool _leaving;

    private Reader(long after) => After = after;

    public AsyncSignal Signal { get; } = new();

    public bool IsEnding => _leaving;

    /// <summary>Where it began: just after this event.</summary>
    public long After { get; }

    /// <summary>The last event it got, or where it began.</summary>
    public long Last
    {
        get
        {
            lock (_gate)
            {
                return After + _events.Count;
            }
        }
    }

    public StreamEvent[] Events
    {
        get
        {
            lock (_gate)
            {
                return [.. _events];
            }
        }
    }

    public string[] Texts => Array.ConvertAll(Events, TestEvent.TextOf);

    public string[] Kinds => Array.ConvertAll(Events, static item => item.Kind);

    /// <summary>The reset it was told, with the stream as it was then.</summary>
    public (ResetReason Reason, StreamInfo Stream)? Reset { get; private set; }

    /// <summary>The follow loop.</summary>
    public Task<FollowEnd> Following { get; private set; } = null!;

    public bool IsStalled => _stalled is not null;

    public static Reader Follow(StreamFollower follower, StreamInfo stream, long after = 0, bool stalled = false)
    {
        var reader = new Reader(after);
        if (stalled)
        {
            reader.Stall();
        }

        reader.Following = Task.Run(() => follower.RunAsync(stream, after, reader));
        return reader;
    }

    /// <summary>From now on a write does not return, as with a client that stops reading.</summary>
    public void Stall() => _stalled ??= NewSignal();

    public void GoOn()
    {
        var stalled = _stalled;
        _stalled = null;
        stalled?.SetResult();
    }

    /// <summary>Waits until <paramref name="reached"/> holds or the loop has ended.</summary>
    public async Task WaitAsync(Func<Reader, bool> reached)
    {
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                changed = _changed.Task;
            }

            Assert.True(_fault is null, _fault);
            if (reached(this) || Following.IsCompleted)
            {
                return;
            }

            await Task.WhenAny(changed, Following).WaitAsync(Patience, TestContext.Current.CancellationToken);
        }
    }

    public Task WaitForAsync(long seq) => WaitAsync(reader => reader.Last >= seq);

    public Task<FollowEnd> WaitForEndAsync() => Following.WaitAsync(Patience, TestContext.Current.CancellationToken);

    public async Task LeaveAsync()
    {
        _leaving = true;
        GoOn();
        Signal.Set();
        await WaitForEndAsync();
    }

    async ValueTask IFollowSink.WriteAsync(StreamInfo stream, EventBatch batch, int index)
    {
        if (_stalled is { } stalled)
        {
            await stalled.Task;
        }

        Change(() =>
        {
            if (Reset is not null || batch.FirstSeq + index != After + _events.Count + 1)
            {
                _fault ??= $"Got event {batch.FirstSeq + index} after event {After + _events.Count}.";
            }

            _events.AddRange(batch.Events[index..]);
        });
    }

    ValueTask IFollowSink.CompleteAsync() => ValueTask.CompletedTask;

    ValueTask IFollowSink.ResetAsync(StreamInfo stream, ResetReason reason)
    {
        Change(() =>
        {
            _fault ??= Reset is null ? null : "Was told to start again twice.";
            Reset = (reason, stream);
        });
        return ValueTask.CompletedTask;
    }

    // The loop fails with it, and whoever awaits the loop sees why.
    void IFollowSink.Break()
    {
    }

    ValueTask IFollowSink.IdleAsync() => ValueTask.CompletedTask;

    private void Change(Action change)
    {
        TaskCompletionSource changed;
        lock (_gate)
        {
            change();
            (changed, _changed) = (_changed, NewSignal());
        }

        changed.SetResult();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
