using Lintel.Platform.Storage;

namespace Lintel.Features.Jobs.Running;

/// <summary>Whether jobs of a kind wait.</summary>
internal enum Waiting
{
    None,
    Perhaps,

    /// <summary>One is on its way to the database, before whatever is asked of it now.</summary>
    Surely,
}

/// <summary>Takes waiting jobs as far as this node has room for them.</summary>
internal sealed class JobClaims(Database database, JobLeases leases, JobKinds kinds, RunningJobs jobs, JobOptions options, TimeProvider time)
{
    private readonly string[] _apart = [.. kinds.All.Where(static kind => kind.RunsApart).Select(static kind => kind.Name)];

    /// <summary>Claims and starts what there is room for, of each kind in turn.</summary>
    public Task ClaimAsync(CancellationToken stopping) => ClaimAsync(static _ => Waiting.Perhaps, stopping);

    /// <summary>Claims and starts what there is room for, of some kinds in turn.</summary>
    /// <param name="waiting">Which kinds to look at.</param>
    public async Task ClaimAsync(Func<string, Waiting> waiting, CancellationToken stopping)
    {
        foreach (var kind in kinds.All)
        {
            if (stopping.IsCancellationRequested)
            {
                return;
            }

            if (waiting(kind.Name) is var any and not Waiting.None)
            {
                await ClaimAsync(kind, any);
            }
        }
    }

    private async Task ClaimAsync(JobKind kind, Waiting any)
    {
        var free = kind.MaxConcurrent - jobs.CountOf(kind.Name);
        if (!kind.RunsApart)
        {
            free = Math.Min(free, options.Concurrency - (jobs.Count - _apart.Sum(jobs.CountOf)));
        }

        // Looking first keeps an idle node from writing; the claim itself decides.
        if (free <= 0 || (any != Waiting.Surely && !await AnyWaitsAsync(kind)))
        {
            return;
        }

        foreach (var claim in await leases.ClaimAsync(kind, free, CancellationToken.None, _apart))
        {
            // A crash here: the job is running in the database and nobody runs it. Its lease ends with this node's heartbeat.
            jobs.Start(claim);
        }
    }

    private async Task<bool> AnyWaitsAsync(JobKind kind) =>
        await database.ReadAsync(
            session => session.QueryFirstAsync(
                "SELECT 1 FROM job WHERE state = 'queued' AND kind = $1 AND run_at <= $2 AND (node_id IS NULL OR node_id = $3) LIMIT 1",
                static row => row.GetInt32(0),
                kind.Name,
                time.GetMicroseconds(),
                leases.NodeId),
            CancellationToken.None) == 1;
}
