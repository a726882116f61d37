using Lintel.Features.Jobs.Watching;
using Lintel.Platform.Storage;
using Lintel.Platform.Threading;

namespace Lintel.Features.Jobs.Running;

/// <summary>The job engine of this node: claims while the server runs, and when it stops sees to it that every job is done or handed back.</summary>
internal sealed partial class JobRunner(
    JobClaims claims,
    RunningJobs jobs,
    JobHeartbeat heartbeat,
    JobViewers viewers,
    JobSignals signals,
    TimeProvider time,
    IHostApplicationLifetime lifetime,
    ILogger<JobRunner> logger) : BackgroundService
{
    // Finds what no signal told of: jobs whose time has come, and jobs of other nodes.
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(1);

    private readonly AsyncSignal _wake = new();
    private readonly Lock _gate = new();
    private Dictionary<string, Waiting> _told = new(StringComparer.Ordinal);
    private bool _anyMayWait = true;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await heartbeat.BeginAsync(cancellationToken);
        jobs.Freed = LookAtAll;
        signals.Listen(kind => LookAt(kind, Waiting.Perhaps), kind => LookAt(kind, Waiting.Surely), id => jobs.Stop(id, StopReason.Cancelled));
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Claiming ends as soon as the server begins to stop; beats go on until the last job is done.
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, lifetime.ApplicationStopping);
        using var wakeOnStop = stopping.Token.Register(LookAtAll);
        using var beating = new CancellationTokenSource();
        var beats = heartbeat.RunAsync(LookAtAll, beating.Token);
        var polls = PollLoopAsync(stopping.Token);
        await ClaimLoopAsync(stopping.Token);
        await polls;
        await jobs.DrainAsync();
        await beating.CancelAsync();
        await beats;
        await heartbeat.EndAsync();
    }

    private async Task ClaimLoopAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            var waiting = TakeWaiting();
            await TryAsync(() => claims.ClaimAsync(waiting, stopping));
            await _wake.WaitAsync();
        }
    }

    private void LookAtAll()
    {
        lock (_gate)
        {
            _anyMayWait = true;
        }

        _wake.Set();
    }

    private void LookAt(string kind, Waiting how)
    {
        lock (_gate)
        {
            if (_told.GetValueOrDefault(kind) < how)
            {
                _told[kind] = how;
            }
        }

        _wake.Set();
    }

    /// <summary>Of which kinds a job may wait since the last time.</summary>
    private Func<string, Waiting> TakeWaiting()
    {
        lock (_gate)
        {
            var told = _told;
            var others = _anyMayWait ? Waiting.Perhaps : Waiting.None;
            (_told, _anyMayWait) = (new(StringComparer.Ordinal), false);
            return kind => told.GetValueOrDefault(kind, others);
        }
    }

    private async Task PollLoopAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(PollInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping))
            {
                await TryAsync(() => viewers.CancelAbandonedAsync(stopping));
                LookAtAll();
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
    }

    /// <summary>Neither loop may end for a failure: whatever it was, the next round is another try.</summary>
    private async Task TryAsync(Func<Task> round)
    {
        try
        {
            await round();
        }
        catch (StorageUnavailableException failure)
        {
            Log.Unavailable(logger, failure.Message);
        }
        catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested)
        {
        }
        catch (Exception failure)
        {
            Log.LoopFailed(logger, failure);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "The job engine waits for the database: {Reason}")]
        public static partial void Unavailable(ILogger logger, string reason);

        [LoggerMessage(2, LogLevel.Error, "The job engine met an error and goes on.")]
        public static partial void LoopFailed(ILogger logger, Exception failure);
    }
}
