namespace Lintel.Features.Jobs.Running;

/// <summary>Why a running job is told to stop.</summary>
internal enum StopReason
{
    None,

    /// <summary>Its owner cancelled it, or its last viewer is gone for good.</summary>
    Cancelled,

    /// <summary>The server stops; another attempt goes on.</summary>
    Shutdown,

    /// <summary>What it emits cannot be written, and not because the database is away: the attempt has failed.</summary>
    Broken,

    /// <summary>The lease is lost or can no longer be held: whatever this attempt does must not count.</summary>
    LeaseLost,
}

/// <summary>A job that runs on this node.</summary>
internal sealed class RunningJob : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _lost = new();
    private int _reason;

    public RunningJob(ClaimedJob claim)
    {
        Claim = claim;
        Stopping = _stop.Token;
        LeaseLost = _lost.Token;
    }

    public ClaimedJob Claim { get; }

    /// <summary>The handler is to stop.</summary>
    public CancellationToken Stopping { get; }

    /// <summary>Nothing more may be written for this attempt.</summary>
    public CancellationToken LeaseLost { get; }

    /// <summary>Completes when nothing of the attempt is left to do.</summary>
    public Task Work { get; set; } = Task.CompletedTask;

    public StopReason Reason => (StopReason)Volatile.Read(ref _reason);

    /// <summary>Asks the handler to stop. The first reason counts, except that a lost lease overrules it.</summary>
    public void Stop(StopReason reason)
    {
        if (reason == StopReason.LeaseLost)
        {
            Volatile.Write(ref _reason, (int)reason);
        }
        else
        {
            Interlocked.CompareExchange(ref _reason, (int)reason, (int)StopReason.None);
        }

        try
        {
            if (reason == StopReason.LeaseLost)
            {
                _lost.Cancel();
            }

            _stop.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It ended in the same moment.
        }
    }

    public void Dispose()
    {
        _stop.Dispose();
        _lost.Dispose();
    }
}
