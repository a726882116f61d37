using Lintel.Features.Streams;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.Revocation;

/// <summary>
/// Knows at start which sessions and keys were revoked lately, before the first request is served, and then hears of those that other nodes revoke.
/// </summary>
internal sealed partial class RevocationWorker(
    Database database, Revocations revocations, IEnumerable<RevokedRows> rows, RevocationLog log, StreamConsumer streams, TimeProvider time, ILogger<RevocationWorker> logger) : BackgroundService
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    private readonly TaskCompletionSource _loaded = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await log.OpenAsync(cancellationToken);
        if (log.IsUsed)
        {
            await base.StartAsync(cancellationToken);
            await _loaded.Task.WaitAsync(cancellationToken);
        }
        else
        {
            await LoadAsync(cancellationToken);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await FollowAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
            }
            catch (StorageUnavailableException failure)
            {
                Log.Unavailable(logger, failure.Message);
                await Task.Delay(RetryDelay, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                // Whatever it was, it is tried again: a node that hears of no revocation is worse than one that says so.
                Log.Failed(logger, failure);
                await Task.Delay(RetryDelay, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>Takes a place at the stream's end, then reads the rows: what ends after that comes as an event, what ended before is in them.</summary>
    private async Task FollowAsync(CancellationToken stoppingToken)
    {
        using var attempt = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var following = streams.RunAsync(RevocationLog.Name, Hear, ready.SetResult, attempt.Token);
        try
        {
            await await Task.WhenAny(following, ready.Task);
            await LoadAsync(attempt.Token);
            _loaded.TrySetResult();
            await following;
        }
        finally
        {
            await attempt.CancelAsync();
            await following.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Hear(StreamEvent item)
    {
        if (RevocationLog.Read(item) is { } credentialId)
        {
            revocations.Apply(credentialId);
        }
    }

    private async Task LoadAsync(CancellationToken cancellationToken)
    {
        var since = (time.GetUtcNow() - revocations.Horizon).ToMicroseconds();
        foreach (var kind in rows)
        {
            var revoked = await database.ReadAsync(session => session.QueryAsync(kind.Query, static row => row.GetGuid(0), since), cancellationToken);
            revoked.ForEach(revocations.Apply);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Sessions and keys that other nodes revoke cannot be heard of now: {Reason}")]
        public static partial void Unavailable(ILogger logger, string reason);

        [LoggerMessage(2, LogLevel.Error, "Sessions and keys that other nodes revoke could not be heard of; it is tried again.")]
        public static partial void Failed(ILogger logger, Exception failure);
    }
}
