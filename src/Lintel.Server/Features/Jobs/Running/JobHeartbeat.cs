using Lintel.Features.Jobs.Watching;
using Lintel.Platform.Storage;

namespace Lintel.Features.Jobs.Running;

/// <summary>
/// Keeps this node's leases: says that it lives, hears what is to stop, and looks after the jobs of nodes that do not. A node that cannot say so in time stops its own jobs
/// before the others may take them.
/// </summary>
internal sealed partial class JobHeartbeat(
    JobLeases leases, JobRecovery recovery, JobViewers viewers, RunningJobs jobs, JobOptions options, TimeProvider time, ILogger<JobHeartbeat> logger)
{
    // What the last beat found to be running here by the database alone: a lease is taken back the second time, since a claim may just be on its way.
    private HashSet<HeldLease> _strays = [];

    /// <summary>Makes this node known, and takes back what dead ones left.</summary>
    public async Task BeginAsync(CancellationToken cancellationToken)
    {
        await leases.RegisterNodeAsync(cancellationToken);
        Recovered(await recovery.RecoverAsync(cancellationToken));
        await recovery.RenewGraceAsync(cancellationToken);
    }

    /// <summary>Makes this node unknown, when all its jobs have ended or were handed back.</summary>
    public async Task EndAsync()
    {
        try
        {
            await leases.UnregisterNodeAsync(CancellationToken.None);
        }
        catch (StorageUnavailableException)
        {
            // Then the others find out by its silence.
        }
    }

    /// <param name="onFreed">Called when jobs were taken back and wait again.</param>
    public async Task RunAsync(Action onFreed, CancellationToken stopping)
    {
        // Armed by each beat that came through, and independent of one that hangs.
        await using var watchdog = time.CreateTimer(_ => GiveUpLeases(), null, options.StopAfter, Timeout.InfiniteTimeSpan);
        using var timer = new PeriodicTimer(options.HeartbeatInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping))
            {
                // The moment before the beat counts: the others may have seen it as early as that.
                var before = time.GetTimestamp();
                if (await BeatAsync(onFreed))
                {
                    var left = options.StopAfter - time.GetElapsedTime(before);
                    watchdog.Change(left > TimeSpan.Zero ? left : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
                }
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
    }

    private async Task<bool> BeatAsync(Action onFreed)
    {
        try
        {
            using var patience = new CancellationTokenSource(options.HeartbeatInterval, time);
            var beat = await leases.BeatAsync(patience.Token);
            if (!beat.IsKnown)
            {
                Log.GivenUp(logger, jobs.Count);
                jobs.StopAll(StopReason.LeaseLost);
                await leases.RegisterNodeAsync(patience.Token);
                await viewers.EnterAgainAsync(patience.Token);
            }

            foreach (var lease in beat.Held.Where(static lease => lease.CancelRequested))
            {
                jobs.Stop(lease.JobId, StopReason.Cancelled);
            }

            await LookAfterOthersAsync(beat, onFreed, patience.Token);
            return true;
        }
        catch (Exception failure)
        {
            Log.Missed(logger, failure.Message);
            return false;
        }
    }

    private async Task LookAfterOthersAsync(Heartbeat beat, Action onFreed, CancellationToken cancellationToken)
    {
        var recovered = await recovery.RecoverAsync(cancellationToken);
        var strays = beat.Held.Where(lease => !jobs.Contains(lease.JobId, lease.Fence)).Select(static lease => lease with { CancelRequested = false }).ToHashSet();
        foreach (var stray in strays.Intersect(_strays))
        {
            Log.Stray(logger, stray.JobId);
            recovered += await recovery.TakeBackAsync(stray, cancellationToken) ? 1 : 0;
        }

        _strays = strays;
        if (Recovered(recovered))
        {
            onFreed();
        }
    }

    private bool Recovered(int count)
    {
        if (count > 0)
        {
            Log.Recovered(logger, count);
        }

        return count > 0;
    }

    private void GiveUpLeases()
    {
        Log.LeasesGivenUp(logger, jobs.Count);
        jobs.StopAll(StopReason.LeaseLost);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "{Jobs} jobs that nobody ran any more were taken back.")]
        public static partial void Recovered(ILogger logger, int jobs);

        [LoggerMessage(2, LogLevel.Warning, "This server could not say that it lives: {Reason}")]
        public static partial void Missed(ILogger logger, string reason);

        [LoggerMessage(3, LogLevel.Warning, "Job {JobId} is running by the database alone and is taken back.")]
        public static partial void Stray(ILogger logger, Guid jobId);

        [LoggerMessage(4, LogLevel.Error, "This server could not tell the others that it lives, and stops its {Jobs} jobs before they are given to another.")]
        public static partial void LeasesGivenUp(ILogger logger, int jobs);

        [LoggerMessage(5, LogLevel.Error, "The other servers had given this one up; its {Jobs} jobs are no longer its own.")]
        public static partial void GivenUp(ILogger logger, int jobs);
    }
}
