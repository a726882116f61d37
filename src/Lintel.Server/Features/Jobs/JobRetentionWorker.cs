using Lintel.Platform.Storage;

namespace Lintel.Features.Jobs;

/// <summary>Forgets finished jobs, their events and their inputs once their time is over, a few at a time.</summary>
internal sealed partial class JobRetentionWorker(Database database, JobOptions options, TimeProvider time, ILogger<JobRetentionWorker> logger) : BackgroundService
{
    private const int BatchSize = 20;

    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(5);

    /// <summary>Forgets one batch, and tells how many jobs it held.</summary>
    public Task<int> ForgetAsync(CancellationToken cancellationToken) =>
        database.WriteAsync(
            async session =>
            {
                var streams = await session.QueryAsync(
                    """
                    DELETE FROM job WHERE id IN (SELECT id FROM job WHERE completed_at < $1 ORDER BY completed_at LIMIT $2)
                    RETURNING stream_id
                    """,
                    static row => row.GetInt64(0),
                    (time.GetUtcNow() - options.Retention).ToMicroseconds(),
                    (long)BatchSize);
                foreach (var stream in streams)
                {
                    await session.ExecuteAsync("DELETE FROM event WHERE stream_id = $1", stream);
                    await session.ExecuteAsync("DELETE FROM stream WHERE id = $1", stream);
                }

                return streams.Count;
            },
            cancellationToken);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        do
        {
            try
            {
                // A full batch means that there may be more; between batches others get their turn at the database.
                int forgotten;
                while ((forgotten = await ForgetAsync(stoppingToken)) > 0)
                {
                    Log.Forgotten(logger, forgotten);
                }
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (StorageUnavailableException failure)
            {
                Log.Unavailable(logger, failure.Message);
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                // Housekeeping that fails must not take the server with it.
                Log.Failed(logger, failure);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "{Jobs} finished jobs were forgotten.")]
        public static partial void Forgotten(ILogger logger, int jobs);

        [LoggerMessage(2, LogLevel.Warning, "Finished jobs could not be forgotten: {Reason}")]
        public static partial void Unavailable(ILogger logger, string reason);

        [LoggerMessage(3, LogLevel.Error, "Finished jobs could not be forgotten.")]
        public static partial void Failed(ILogger logger, Exception failure);
    }
}
