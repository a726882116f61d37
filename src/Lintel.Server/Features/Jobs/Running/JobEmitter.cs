using Lintel.Features.Streams;
using Lintel.Platform.Storage;
using Lintel.Platform.Threading;

namespace Lintel.Features.Jobs.Running;

/// <summary>Events that go into the log together.</summary>
/// <param name="Progress">What was reported up to the last of the events: stored with them it tells of nothing that the log does not have.</param>
internal readonly record struct EmittedEvents(StreamEvent[] Events, JobProgress Progress);

/// <summary>
/// Carries a handler's events into the log. The first is appended at once, with those that come before the database gets to it; those that come while an append is
/// under way go together with the next one. So a slow handler is seen event by event and a fast one pays for durability once in hundreds.
/// </summary>
internal sealed partial class JobEmitter(Database database, StreamLog log, RunningJob running, TimeProvider time, ILogger logger)
{
    private const int MaxEvents = 1024;
    private const int MaxBytes = 512 * 1024;

    // A handler that is fast waits until its first few are on their way: whoever watches wants to see soon that there is something.
    private const int MaxFirstEvents = 16;

    private static readonly TimeSpan ProgressInterval = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();

    // The pump begins an append on the handler's own thread: waking another may take longer than the append.
    private readonly AsyncSignal _work = new(resumesInline: true);
    private List<(string Kind, int Start, int Length)> _events = [];
    private byte[] _bytes = new byte[4096];
    private int _length;
    private int _maxEvents = MaxFirstEvents;
    private TaskCompletionSource? _room;
    private long _nextSeq = running.Claim.EventsSoFar + 1;
    private long _progressWrittenAt;
    private bool _finishing;
    private bool _broken;
    private JobProgress _progress = running.Claim.Job.Progress;

    /// <summary>As of the events that are in the log; for use when the pump has ended.</summary>
    public JobProgress Appended { get; private set; } = running.Claim.Job.Progress;

    /// <summary>Bytes of the events that this attempt has put into the log; for use when the pump has ended.</summary>
    public long AppendedBytes { get; private set; }

    /// <summary>What was reported last; what is stored waits for the events.</summary>
    public JobProgress Progress
    {
        get
        {
            lock (_gate)
            {
                return _progress;
            }
        }

        set
        {
            lock (_gate)
            {
                _progress = value;
            }
        }
    }

    private Job Job => running.Claim.Job;

    public ValueTask EmitAsync(string kind, ReadOnlySpan<byte> data)
    {
        if (data.Length > StreamLog.MaxEventBytes)
        {
            throw new ArgumentException($"An event has {data.Length} bytes; a stream takes at most {StreamLog.MaxEventBytes} in one.", nameof(data));
        }

        if (!StreamEvent.IsKind(kind))
        {
            throw new ArgumentException("The kind of an event is a short word of lower-case letters, digits, '_', '-' and '.'.", nameof(kind));
        }

        Task? room = null;
        lock (_gate)
        {
            if (_finishing || running.LeaseLost.IsCancellationRequested)
            {
                throw new OperationCanceledException("This attempt at the job is over.", running.LeaseLost);
            }

            PutLocked(kind, data);
            if (_events.Count >= _maxEvents || _length >= MaxBytes)
            {
                room = (_room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }
        }

        _work.Set();
        return room is null ? ValueTask.CompletedTask : new ValueTask(room.WaitAsync(running.LeaseLost));
    }

    /// <summary>Appends what is emitted until the job is finished or its lease is lost.</summary>
    public async Task PumpAsync()
    {
        using var lost = running.LeaseLost.UnsafeRegister(static state => ((AsyncSignal)state!).Set(), _work);
        while (true)
        {
            await _work.WaitAsync();
            lock (_gate)
            {
                // The rest goes with the last event.
                if (_finishing || running.LeaseLost.IsCancellationRequested)
                {
                    return;
                }

                if (_events.Count == 0)
                {
                    continue;
                }
            }

            if (await AppendAsync() is not StopReason.None and var reason)
            {
                running.Stop(reason);
                return;
            }
        }
    }

    /// <summary>Stops the pump after the append that is under way; <see cref="TakeRest"/> then has what is left.</summary>
    public void Finish()
    {
        lock (_gate)
        {
            _finishing = true;
        }

        _work.Set();
    }

    /// <summary>What the job's end is to be written with; once the log has a hole nothing more, and the progress up to there.</summary>
    public EmittedEvents TakeRest()
    {
        lock (_gate)
        {
            return _broken ? new EmittedEvents([], Appended) : TakeLocked();
        }
    }

    /// <summary>Appends what is there when the database gets to it, however long that is away; the reason to stop where it cannot succeed.</summary>
    private async Task<StopReason> AppendAsync()
    {
        // Taken once, by the first try that the database begins: a later one must write the same.
        EmittedEvents? taken = null;
        while (true)
        {
            try
            {
                var result = await database.WriteAsync(session => AppendAsync(session, taken ??= Take()), CancellationToken.None);
                _nextSeq += taken!.Value.Events.Length;
                Appended = taken.Value.Progress;
                AppendedBytes += StreamEvent.CountBytes(taken.Value.Events);
                return result.Refused ? StopReason.LeaseLost : StopReason.None;
            }
            catch (StorageUnavailableException failure)
            {
                Log.AppendDelayed(logger, Job.Id, failure.Message);
                if (await WasAppendedAsync(taken?.Events.Length ?? 0) is { } known)
                {
                    Appended = known && taken is { } written ? written.Progress : Appended;
                    return known ? StopReason.None : StopReason.LeaseLost;
                }
            }
            catch (Exception failure)
            {
                // The order of events has a hole from here on, so none of those that wait may be written either.
                Log.AppendFailed(logger, failure, Job.Id);
                lock (_gate)
                {
                    _broken = true;
                }

                return StopReason.Broken;
            }
        }
    }

    private async ValueTask<AppendResult> AppendAsync(DbSession session, EmittedEvents emitted)
    {
        // The job's row before the stream's, as everywhere: who takes both the other way round may meet this in a deadlock.
        var now = time.GetTimestamp();
        if (time.GetElapsedTime(_progressWrittenAt, now) >= ProgressInterval)
        {
            var progress = emitted.Progress;
            session.AfterCommit(() => _progressWrittenAt = now);
            await session.ExecuteAsync(
                "UPDATE job SET completed = $3, total = $4, failed = $5 WHERE id = $1 AND lease_epoch = $2",
                Job.Id,
                running.Claim.Fence,
                progress.Completed,
                progress.Total,
                progress.Failed);
        }

        return await log.AppendAsync(session, Job.StreamId, emitted.Events, running.Claim.Fence);
    }

    /// <summary>
    /// After a failure whose outcome is not known (the connection broke during a commit) the stream's own number tells: true it was appended,
    /// false the lease is lost, null it was not appended and is to be tried again.
    /// </summary>
    private async Task<bool?> WasAppendedAsync(int count)
    {
        while (!running.LeaseLost.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(RetryDelay, time, running.LeaseLost);
                var stream = await log.FindAsync(Job.StreamId, CancellationToken.None);
                if (stream is null)
                {
                    return false;
                }

                if (stream.NextSeq == _nextSeq)
                {
                    return null;
                }

                var appended = stream.NextSeq == _nextSeq + count;
                _nextSeq = stream.NextSeq;
                return appended;
            }
            catch (StorageUnavailableException)
            {
            }
            catch (OperationCanceledException) when (running.LeaseLost.IsCancellationRequested)
            {
            }
        }

        return false;
    }

    private void PutLocked(string kind, ReadOnlySpan<byte> data)
    {
        if (_bytes.Length - _length < data.Length)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + data.Length));
        }

        var copy = _bytes.AsSpan(_length, data.Length);
        data.CopyTo(copy);
        StreamText.JoinLines(copy);
        _events.Add((kind, _length, data.Length));
        _length += data.Length;
    }

    private EmittedEvents Take()
    {
        lock (_gate)
        {
            return TakeLocked();
        }
    }

    private EmittedEvents TakeLocked()
    {
        if (_events.Count == 0)
        {
            return new EmittedEvents([], _progress);
        }

        // The bytes now belong to the events, which followers share. A few of them must not hold a burst's whole buffer.
        var bytes = _bytes;
        if (_length < bytes.Length / 2)
        {
            bytes = _bytes.AsSpan(0, _length).ToArray();
        }
        else
        {
            _bytes = GC.AllocateUninitializedArray<byte>(Math.Min(bytes.Length, MaxBytes));
        }

        var events = new StreamEvent[_events.Count];
        for (var i = 0; i < events.Length; i++)
        {
            var (kind, start, length) = _events[i];
            events[i] = new StreamEvent(kind, bytes.AsMemory(start, length));
        }

        _events.Clear();
        _length = 0;
        _maxEvents = MaxEvents;
        _room?.SetResult();
        _room = null;
        return new EmittedEvents(events, _progress);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Events of job {JobId} wait for the database: {Reason}")]
        public static partial void AppendDelayed(ILogger logger, Guid jobId, string reason);

        [LoggerMessage(2, LogLevel.Error, "Events of job {JobId} could not be appended.")]
        public static partial void AppendFailed(ILogger logger, Exception failure, Guid jobId);
    }
}
