using Lintel.Features.Streams;
using Lintel.Platform.Storage;

namespace Lintel.Features.Jobs;

/// <summary>Hears of the end of every job, as part of the unit of work that writes it: what it adds is there with the end, or neither is.</summary>
internal interface IJobEndListener
{
    /// <param name="session">Sees the job in its last state.</param>
    ValueTask EndedAsync(DbSession session, Guid jobId, long ownerId, string kind);
}

/// <summary>What every end of a job has in common, whoever writes it.</summary>
/// <param name="listeners">Asked for when they are needed: one may itself submit jobs.</param>
internal sealed class JobFinish(StreamLog log, Func<IEnumerable<IJobEndListener>> listeners)
{
    /// <summary>
    /// Writes a job's last events and forgets what only an unfinished job needs, as part of the unit of work that gave it its last state. Inputs go at once: kept as long as
    /// the job, they would fill the disk beside every limit on what is unfinished.
    /// </summary>
    public async ValueTask WriteAsync(DbSession session, Job job, StreamEvent[] events, long fence)
    {
        await log.CloseAsync(session, job.StreamId, events, fence);
        await session.ExecuteAsync("DELETE FROM job_viewer WHERE job_id = $1", job.Id);
        await session.ExecuteAsync("DELETE FROM job_input WHERE job_id = $1", job.Id);
        foreach (var listener in listeners())
        {
            await listener.EndedAsync(session, job.Id, job.OwnerId, job.Kind);
        }
    }
}
