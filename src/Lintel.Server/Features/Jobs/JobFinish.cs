using Lintel.Features.Streams;
using Lintel.Platform.Storage;

namespace Lintel.Features.Jobs;

/// <summary>What every end of a job has in common, whoever writes it.</summary>
internal static class JobFinish
{
    /// <summary>
    /// Writes a job's last events and forgets what only an unfinished job needs, as part of the unit of work that gives it its last state. Inputs go at once: kept as long as
    /// the job, they would fill the disk beside every limit on what is unfinished.
    /// </summary>
    public static async ValueTask WriteAsync(DbSession session, StreamLog log, Guid jobId, long streamId, StreamEvent[] events, long fence)
    {
        await log.CloseAsync(session, streamId, events, fence);
        await session.ExecuteAsync("DELETE FROM job_viewer WHERE job_id = $1", jobId);
        await session.ExecuteAsync("DELETE FROM job_input WHERE job_id = $1", jobId);
    }
}
