using System.Collections.Concurrent;

namespace Lintel.Features.Jobs.Running;

/// <summary>The attempts that are under way on this node.</summary>
internal sealed partial class RunningJobs(JobExecution execution, JobOptions options, TimeProvider time, ILogger<RunningJobs> logger)
{
    // By lease too: an attempt that has lost its lease may still be winding down when this node takes the same job again.
    private readonly ConcurrentDictionary<(Guid Id, long Fence), RunningJob> _running = new();

    public int Count => _running.Count;

    /// <summary>Called when an attempt has ended and there is room for another.</summary>
    public Action? Freed { get; set; }

    public int CountOf(string kind) => _running.Values.Count(running => running.Claim.Job.Kind == kind);

    public bool Contains(Guid id, long fence) => _running.ContainsKey((id, fence));

    public void Start(ClaimedJob claim)
    {
        var running = new RunningJob(claim);
        _running[Key(running)] = running;
        running.Work = RunAsync(running);
    }

    public void Stop(Guid id, StopReason reason)
    {
        foreach (var running in _running.Values.Where(running => running.Claim.Job.Id == id))
        {
            running.Stop(reason);
        }
    }

    public void StopAll(StopReason reason)
    {
        foreach (var running in _running.Values)
        {
            running.Stop(reason);
        }
    }

    /// <summary>Gives running jobs a moment to end by themselves; what still runs is handed back for another attempt.</summary>
    public async Task DrainAsync()
    {
        var all = Task.WhenAll(_running.Values.Select(static running => running.Work));
        await Task.WhenAny(all, Task.Delay(options.ShutdownGrace, time));
        StopAll(StopReason.Shutdown);
        await all;
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
            // Its lease is taken back by the heartbeat, which finds that nobody runs it.
            Log.ExecutionFailed(logger, failure, running.Claim.Job.Id);
        }
        finally
        {
            _running.TryRemove(Key(running), out _);
            running.Dispose();
            Freed?.Invoke();
        }
    }

    private static (Guid Id, long Fence) Key(RunningJob running) => (running.Claim.Job.Id, running.Claim.Fence);

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "Job {JobId} could not be run to an end.")]
        public static partial void ExecutionFailed(ILogger logger, Exception failure, Guid jobId);
    }
}
