using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.Email;

/// <summary>Does what was asked for, after whoever asked was answered. Any number of nodes may: the request's row decides which does.</summary>
internal sealed partial class EmailRequestWorker(Database database, EmailRequests requests, EmailComposer composer, TimeProvider time, ILogger<EmailRequestWorker> logger)
    : BackgroundService
{
    // For requests of a node that went away; those of this one are begun at once.
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var stopping = stoppingToken.Register(requests.Arrived.Set);
        using var timer = time.CreateTimer(static state => ((EmailRequests)state!).Arrived.Set(), requests, Interval, Interval);
        while (true)
        {
            await requests.Arrived.WaitAsync();
            if (stoppingToken.IsCancellationRequested)
            {
                return;
            }

            try
            {
                await DrainAsync(stoppingToken);
            }
            catch (StorageUnavailableException failure)
            {
                Log.Unavailable(logger, failure.Message);
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                Log.Failed(logger, failure);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private async Task DrainAsync(CancellationToken cancellationToken)
    {
        while (await requests.FindNextAsync(cancellationToken) is { } id)
        {
            try
            {
                await database.WriteAsync(
                    async unit =>
                    {
                        if (await EmailRequests.TakeAsync(unit, id) is { } request)
                        {
                            await composer.ComposeAsync(unit, request);
                        }
                    },
                    cancellationToken);
            }
            catch (Exception failure) when (failure is not (StorageUnavailableException or OperationCanceledException))
            {
                // One that cannot be done must not keep the others waiting.
                Log.Failed(logger, failure);
                await requests.RemoveAsync(id, cancellationToken);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Requests for mail wait for the database: {Reason}")]
        public static partial void Unavailable(ILogger logger, string reason);

        [LoggerMessage(2, LogLevel.Error, "A request for mail failed.")]
        public static partial void Failed(ILogger logger, Exception failure);
    }
}
