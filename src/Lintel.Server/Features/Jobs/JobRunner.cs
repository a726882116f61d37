using System.Collections.Concurrent;
using Lintel.Platform.Storage;
using Lintel.Platform.Threading;

namespace Lintel.Features.Jobs;

/// <summary>Takes waiting jobs while there is room on this node, keeps their leases, and stops them in order when the server does.</summary>
internal sealed partial class JobRunner(
    Database database,
    JobLeases leases,
    JobKinds kinds,
    JobExecution execution,
    JobViewers viewers,
    JobSignals signals,
    JobOptions options,
    TimeProvider time,
    IHostApplicationLifetime lifetime,
    ILogger<JobRunner> logger) : BackgroundService
{
    // Finds what no signal told of: jobs whose time has come, and jobs of other nodes.
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<Guid, RunningJob> _running = new();
    private readonly ConcurrentDictionary<Guid, Task> _tasks = new();
    private readonly AsyncSignal _wake = new();

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await leases.RegisterNodeAsync(cancellationToken);
        var recovered = await leases.RecoverAsync(cancellationToken);
        if (recovered > 0)
        {
            Log.Recovered(logger, recovered);
        }

        signals.Listen(_wake.Set, id => Stop(id, StopReason.Cancelled));
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Claiming ends as soon as the server begins to stop; beats go on until the last job is done.
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, lifetime.ApplicationStopping);
        using var wakeOnStop = stopping.Token.Register(_wake.Set);
        using var beating = new CancellationTokenSource();
        var beats = BeatLoopAsync(beating.Token);
        var polls = PollLoopAsync(stopping.Token);
        await ClaimLoopAsync(stopping.Token);
        await polls;
        await DrainAsync();
        await beating.CancelAsync();
        await beats;
    }

    private void Stop(Guid id, StopReason reason)
    {
        if (_running.TryGetValue(id, out var running))
        {
            running.Stop(reason);
        }
    }

    private async Task ClaimLoopAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                foreach (var kind in kinds.All)
                {
                    await ClaimAsync(kind);
                }
            }
            catch (StorageUnavailableException failure)
            {
                Log.Unavailable(logger, failure.Message);
            }
            catch (Exception failure)
            {
                Log.LoopFailed(logger, failure);
            }

            await _wake.WaitAsync();
        }
    }

    private async Task ClaimAsync(JobKind kind)
    {
        var free = Math.Min(options.Concurrency - _running.Count, kind.MaxConcurrent - _running.Values.Count(running => running.Claim.Job.Kind == kind.Name));
        if (free <= 0)
        {
            return;
        }

        // Looking first keeps an idle node from writing; the claim itself decides.
        var any = await database.ReadAsync(
            session => session.QueryFirstAsync(
                "SELECT 1 FROM job WHERE state = 'queued' AND queue = $1 AND run_at <= $2 LIMIT 1", static row => row.GetInt32(0), kind.Name, time.GetMicroseconds()),
            CancellationToken.None);
        if (any == 0)
        {
            return;
        }

        foreach (var claim in await leases.ClaimAsync(kind, free, CancellationToken.None))
        {
            // A crash here: the job is running in the database and nobody runs it. Its lease ends with this node's heartbeat.
            Start(claim);
        }
    }

    private void Start(ClaimedJob claim)
    {
        var running = new RunningJob(claim);
        _running[claim.Job.Id] = running;
        _tasks[claim.Job.Id] = RunAsync(running);
    }

    private async Task RunAsync(RunningJob running)
    {
        await Task.Yield();
        try
        {
            await execution.RunAsync(running);
        }
        catch (Exception failure)
        {
            Log.ExecutionFailed(logger, failure, running.Claim.Job.Id);
        }
        finally
        {
            _running.TryRemove(running.Claim.Job.Id, out _);
            _tasks.TryRemove(running.Claim.Job.Id, out _);
            running.Dispose();
            _wake.Set();
        }
    }

    private async Task PollLoopAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(PollInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping))
            {
                await viewers.CancelAbandonedAsync(stopping);
                _wake.Set();
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
    }

    private async Task BeatLoopAsync(CancellationToken stopping)
    {
        var lastBeat = time.GetTimestamp();
        using var timer = new PeriodicTimer(options.HeartbeatInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping))
            {
                // The moment before the beat counts: the others may have seen it as early as that.
                var before = time.GetTimestamp();
                if (await BeatAsync())
                {
                    lastBeat = before;
                }
                else if (time.GetElapsedTime(lastBeat) >= options.StopAfter)
                {
                    Log.LeasesGivenUp(logger, _running.Count);
                    StopAll(StopReason.LeaseLost);
                }
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
    }

    private async Task<bool> BeatAsync()
    {
        try
        {
            using var patience = new CancellationTokenSource(options.HeartbeatInterval, time);
            var beat = await leases.BeatAsync(patience.Token);
            if (!beat.IsKnown)
            {
                Log.GivenUp(logger, _running.Count);
                StopAll(StopReason.LeaseLost);
                await leases.RegisterNodeAsync(patience.Token);
            }

            foreach (var id in beat.CancelRequested)
            {
                Stop(id, StopReason.Cancelled);
            }

            if (await leases.RecoverAsync(patience.Token) is > 0 and var recovered)
            {
                Log.Recovered(logger, recovered);
                _wake.Set();
            }

            return true;
        }
        catch (Exception failure)
        {
            Log.Unavailable(logger, failure.Message);
            return false;
        }
    }

    /// <summary>Gives running jobs a moment to end by themselves; what still runs is handed back for another attempt.</summary>
    private async Task DrainAsync()
    {
        var all = Task.WhenAll(_tasks.Values);
        await Task.WhenAny(all, Task.Delay(options.ShutdownGrace, time));
        StopAll(StopReason.Shutdown);
        await all;
    }

    private void StopAll(StopReason reason)
    {
        foreach (var running in _running.Values)
        {
            running.Stop(reason);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "{Jobs} jobs of a server that died were taken back.")]
        public static partial void Recovered(ILogger logger, int jobs);

        [LoggerMessage(2, LogLevel.Warning, "The job engine waits for the database: {Reason}")]
        public static partial void Unavailable(ILogger logger, string reason);

        [LoggerMessage(3, LogLevel.Error, "The job engine met an error and goes on.")]
        public static partial void LoopFailed(ILogger logger, Exception failure);

        [LoggerMessage(4, LogLevel.Error, "Job {JobId} could not be run to an end.")]
        public static partial void ExecutionFailed(ILogger logger, Exception failure, Guid jobId);

        [LoggerMessage(5, LogLevel.Error, "This server could not tell the others that it lives, and stops its {Jobs} jobs before they are given to another.")]
        public static partial void LeasesGivenUp(ILogger logger, int jobs);

        [LoggerMessage(6, LogLevel.Error, "The other servers had given this one up; its {Jobs} jobs are no longer its own.")]
        public static partial void GivenUp(ILogger logger, int jobs);
    }
}
