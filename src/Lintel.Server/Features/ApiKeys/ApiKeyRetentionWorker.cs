using Lintel.Platform.Storage;

namespace Lintel.Features.ApiKeys;

/// <summary>Forgets keys that were revoked, and those that expired long ago.</summary>
internal sealed partial class ApiKeyRetentionWorker(Database database, TimeProvider time, ILogger<ApiKeyRetentionWorker> logger) : BackgroundService
{
    private const long BatchSize = 200;

    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    // For so long a program that still sends the key is told that it was revoked, rather than that there is no such key.
    private static readonly TimeSpan RevokedKept = TimeSpan.FromDays(1);

    // For its owner to see why a program stopped working.
    private static readonly TimeSpan ExpiredKept = TimeSpan.FromDays(30);

    public async Task ForgetAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        await ForgetAsync("DELETE FROM api_key WHERE id IN (SELECT id FROM api_key WHERE revoked_at < $1 LIMIT $2)", now - RevokedKept, cancellationToken);
        await ForgetAsync("DELETE FROM api_key WHERE id IN (SELECT id FROM api_key WHERE expires_at < $1 LIMIT $2)", now - ExpiredKept, cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await ForgetAsync(stoppingToken);
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
    }

    /// <summary>In batches, so that others get their turn at the database.</summary>
    private async Task ForgetAsync(string statement, DateTimeOffset before, CancellationToken cancellationToken)
    {
        while (await database.WriteAsync(session => session.ExecuteAsync(statement, before.ToMicroseconds(), BatchSize), cancellationToken) >= BatchSize)
        {
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Old API keys could not be forgotten: {Reason}")]
        public static partial void Unavailable(ILogger logger, string reason);

        [LoggerMessage(2, LogLevel.Error, "Old API keys could not be forgotten.")]
        public static partial void Failed(ILogger logger, Exception failure);
    }
}
