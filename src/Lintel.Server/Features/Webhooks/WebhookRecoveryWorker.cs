using Lintel.Platform.Storage;

namespace Lintel.Features.Webhooks;

/// <summary>
/// Gives a job to webhooks that have something pending and none: theirs was cancelled, or tried as often as it may be. Any number of nodes may look; the webhook's row decides.
/// </summary>
internal sealed partial class WebhookRecoveryWorker(Database database, WebhookQueue queue, TimeProvider time, ILogger<WebhookRecoveryWorker> logger) : BackgroundService
{
    private const long BatchSize = 100;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    /// <summary>Looks once.</summary>
    /// <returns>How many were given a job.</returns>
    public async Task<int> ReviveAsync(CancellationToken cancellationToken)
    {
        var idle = await database.ReadAsync(
            session => session.QueryAsync(
                """
                SELECT w.id FROM webhook w
                WHERE w.enabled = TRUE AND EXISTS (SELECT 1 FROM webhook_delivery d WHERE d.webhook_id = w.id AND d.state = 'pending')
                    AND NOT EXISTS (SELECT 1 FROM job j WHERE j.id = w.job_id AND j.state IN ('queued', 'running'))
                ORDER BY w.id LIMIT $1
                """,
                static row => row.GetGuid(0),
                BatchSize),
            cancellationToken);
        var revived = 0;
        foreach (var id in idle)
        {
            revived += await database.WriteAsync(session => queue.ReviveAsync(session, id), cancellationToken) ? 1 : 0;
        }

        return revived;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await ReviveAsync(stoppingToken);
            }
            catch (StorageUnavailableException failure)
            {
                Log.Unavailable(logger, failure.Message);
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                // Whatever it was, the next round is another try.
                Log.Failed(logger, failure);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Webhooks wait for the database: {Reason}")]
        public static partial void Unavailable(ILogger logger, string reason);

        [LoggerMessage(2, LogLevel.Error, "Webhooks without a job could not be looked for.")]
        public static partial void Failed(ILogger logger, Exception failure);
    }
}
