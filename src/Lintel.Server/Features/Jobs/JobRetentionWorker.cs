using Lintel.Features.Streams;
using Lintel.Platform.Storage;

namespace Lintel.Features.Jobs;

/// <summary>Forgets finished jobs with their events: those whose time is over, and the oldest of an owner who has more output than may be kept.</summary>
internal sealed partial class JobRetentionWorker(Database database, StreamLog log, JobOptions options, TimeProvider time, ILogger<JobRetentionWorker> logger)
    : RetentionWorker(database, time, logger, "Finished jobs")
{
    // The query for the quota goes through all finished jobs each time.
    private const long BatchSize = 1000;

    private const string OutOfTime = "SELECT id, stream_id FROM job WHERE completed_at < $1 ORDER BY completed_at LIMIT $2";

    // An owner's newest job is kept however large it is: somebody is just reading it.
    private const string OutOfQuota =
        """
        WITH finished AS (
            SELECT job.id, job.stream_id, job.completed_at, stream.bytes,
                sum(stream.bytes) OVER (PARTITION BY job.owner_id ORDER BY job.completed_at DESC, job.id DESC) AS newer
            FROM job JOIN stream ON stream.id = job.stream_id WHERE job.completed_at IS NOT NULL)
        SELECT id, stream_id FROM finished WHERE newer > $1 AND newer > bytes ORDER BY completed_at, id LIMIT $2
        """;

    private long _uncheckedBytes;

    /// <summary>Takes note of output, so that much of it in a short time is looked at soon.</summary>
    public void Count(long bytes)
    {
        if (Interlocked.Add(ref _uncheckedBytes, bytes) > options.OutputBytesPerOwner / 4)
        {
            Interlocked.Exchange(ref _uncheckedBytes, 0);
            BeginSoon();
        }
    }

    public override async Task ForgetAsync(CancellationToken cancellationToken)
    {
        await ForgetAsync(OutOfTime, (Time.GetUtcNow() - options.Retention).ToMicroseconds(), cancellationToken);
        await ForgetAsync(OutOfQuota, options.OutputBytesPerOwner, cancellationToken);
    }

    private async Task ForgetAsync(string query, long limit, CancellationToken cancellationToken)
    {
        List<(Guid Id, long Stream)> jobs;
        do
        {
            jobs = await Database.ReadAsync(
                session => session.QueryAsync(query, static row => (row.GetGuid(0), row.GetInt64(1)), limit, BatchSize), cancellationToken);
            foreach (var (id, stream) in jobs)
            {
                await ForgetAsync(id, stream, cancellationToken);
            }

            if (jobs.Count > 0)
            {
                Log.Forgotten(logger, jobs.Count);
            }
        }
        while (jobs.Count == BatchSize);
    }

    private async Task ForgetAsync(Guid id, long stream, CancellationToken cancellationToken)
    {
        // A crash in between, or another node that does the same: the job is still there to be found, and the rest is forgotten then.
        await log.EmptyAsync(stream, cancellationToken);
        await Database.WriteAsync(
            async session =>
            {
                await session.ExecuteAsync("DELETE FROM job WHERE id = $1 AND completed_at IS NOT NULL", id);
                await session.ExecuteAsync("DELETE FROM stream WHERE id = $1", stream);
            },
            cancellationToken);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "{Jobs} finished jobs were forgotten.")]
        public static partial void Forgotten(ILogger logger, int jobs);
    }
}
