using Lintel.Platform.Security;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts;

/// <summary>Forgets tickets and sessions whose time is over, and revocations that no token outlives.</summary>
internal sealed partial class AccountRetentionWorker(
    Database database, RevokedCredentials revoked, RevocationLog log, Revocations revocations, TimeProvider time, ILogger<AccountRetentionWorker> logger) : BackgroundService
{
    private const long BatchSize = 200;

    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    // A session that has run out is kept a while for its owner to see.
    private static readonly TimeSpan SessionsKept = TimeSpan.FromDays(7);

    public async Task ForgetAsync(CancellationToken cancellationToken)
    {
        revoked.Prune();
        var now = time.GetUtcNow();
        await ForgetAsync(
            "DELETE FROM ws_ticket WHERE hash IN (SELECT hash FROM ws_ticket WHERE expires_at < $1 LIMIT $2)", now, cancellationToken);
        await ForgetAsync(
            "DELETE FROM session WHERE id IN (SELECT id FROM session WHERE expires_at < $1 LIMIT $2)", now - SessionsKept, cancellationToken);
        await log.PruneAsync(now - revocations.Horizon, cancellationToken);
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
        [LoggerMessage(1, LogLevel.Warning, "What is out of date could not be forgotten: {Reason}")]
        public static partial void Unavailable(ILogger logger, string reason);

        [LoggerMessage(2, LogLevel.Error, "What is out of date could not be forgotten.")]
        public static partial void Failed(ILogger logger, Exception failure);
    }
}
