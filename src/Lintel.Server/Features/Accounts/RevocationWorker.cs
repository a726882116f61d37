using Lintel.Features.Streams;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts;

/// <summary>
/// Knows at start which sessions ended lately, before the first request is served, and then hears of those that other nodes end.
/// </summary>
internal sealed partial class RevocationWorker(
    Database database, SessionEnd ending, RevocationLog log, StreamConsumer streams, TimeProvider time, ILogger<RevocationWorker> logger) : BackgroundService
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
        if (RevocationLog.Read(item) is { } sessionId)
        {
            ending.Apply(sessionId);
        }
    }

    private async Task LoadAsync(CancellationToken cancellationToken)
    {
        var ended = await database.ReadAsync(
            session => session.QueryAsync(
                "SELECT id FROM session WHERE revoked_at > $1", static row => row.GetGuid(0), (time.GetUtcNow() - ending.Horizon).ToMicroseconds()),
            cancellationToken);
        ended.ForEach(ending.Apply);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Sessions that other nodes end cannot be heard of now: {Reason}")]
        public static partial void Unavailable(ILogger logger, string reason);
    }
}
