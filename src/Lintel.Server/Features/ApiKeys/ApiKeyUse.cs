using System.Collections.Concurrent;
using Lintel.Platform.Security;
using Lintel.Platform.Storage;

namespace Lintel.Features.ApiKeys;

/// <summary>A key as it was read from the database, and when it was used since.</summary>
internal sealed class KnownApiKey(Guid id, Caller caller, bool isRevoked, DateTimeOffset readAt)
{
    internal long UsedAt;
    internal int IsNoted;

    public Guid Id => id;

    public Caller Caller => caller;

    public bool IsRevoked => isRevoked;

    public DateTimeOffset ReadAt => readAt;
}

/// <summary>Keeps when keys were used: noted in memory with each request, written once a minute, many together. A crash loses the last minute.</summary>
internal sealed partial class ApiKeyUse(Database database, TimeProvider time, ILogger<ApiKeyUse> logger) : BackgroundService
{
    private const int BatchSize = 200;

    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    // Each key that was used is in it about once, so it is bounded by the keys there are.
    private readonly ConcurrentQueue<KnownApiKey> _noted = new();

    public void Note(KnownApiKey key, DateTimeOffset now)
    {
        Volatile.Write(ref key.UsedAt, now.ToMicroseconds());
        if (Volatile.Read(ref key.IsNoted) == 0 && Interlocked.Exchange(ref key.IsNoted, 1) == 0)
        {
            _noted.Enqueue(key);
        }
    }

    /// <summary>Writes what was noted until now.</summary>
    public async Task WriteAsync(CancellationToken cancellationToken)
    {
        for (var left = _noted.Count; left > 0; left -= BatchSize)
        {
            await WriteBatchAsync(Math.Min(left, BatchSize), cancellationToken);
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await WriteSafelyAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            await WriteSafelyAsync(stoppingToken);
        }
    }

    private async Task WriteSafelyAsync(CancellationToken cancellationToken)
    {
        try
        {
            await WriteAsync(cancellationToken);
        }
        catch (StorageUnavailableException failure)
        {
            Log.Unavailable(logger, failure.Message);
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            // Nobody is refused for what could not be noted.
            Log.Failed(logger, failure);
        }
    }

    private async Task WriteBatchAsync(int count, CancellationToken cancellationToken)
    {
        List<KnownApiKey> keys = [];
        while (keys.Count < count && _noted.TryDequeue(out var key))
        {
            // Before the time is read: a use after this is noted again.
            Interlocked.Exchange(ref key.IsNoted, 0);
            keys.Add(key);
        }

        try
        {
            // In one order on all nodes, so that two of them cannot wait for each other.
            var uses = keys.Select(static key => (key.Id, UsedAt: Volatile.Read(ref key.UsedAt))).OrderBy(static use => use.Id).ToList();
            await database.WriteAsync(
                async session =>
                {
                    foreach (var (id, usedAt) in uses)
                    {
                        await session.ExecuteAsync(
                            "UPDATE api_key SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)", id, usedAt);
                    }
                },
                cancellationToken);
        }
        catch
        {
            keys.ForEach(NoteAgain);
            throw;
        }
    }

    private void NoteAgain(KnownApiKey key)
    {
        if (Interlocked.Exchange(ref key.IsNoted, 1) == 0)
        {
            _noted.Enqueue(key);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "When API keys were used cannot be written now: {Reason}")]
        public static partial void Unavailable(ILogger logger, string reason);

        [LoggerMessage(2, LogLevel.Error, "When API keys were used could not be written.")]
        public static partial void Failed(ILogger logger, Exception failure);
    }
}
