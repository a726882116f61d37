using System.Threading.RateLimiting;
using Lintel.Platform.Configuration;
using Lintel.Platform.Errors;

namespace Lintel.Platform.Http;

/// <summary>
/// How much memory all request bodies together may take, and those of one caller half of it. While it is used up, a further request waits briefly for others to finish.
/// </summary>
internal sealed class BodyBudget(ServerOptions options, TimeProvider time) : IDisposable
{
    /// <summary>A body up to this is not counted: the connections, which are limited themselves, bound those.</summary>
    public const int Uncounted = 64 * 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly ConcurrencyLimiter _bytes = new(Limit(options.BodyMemory));

    // Otherwise a few bodies that never come, all of one caller, would keep everybody else's out.
    private readonly PartitionedRateLimiter<long> _shares = PartitionedRateLimiter.Create<long, long>(
        owner => RateLimitPartition.GetConcurrencyLimiter(owner, _ => Limit(options.BodyMemory / 2)));

    /// <summary>Bytes that nobody holds.</summary>
    public long Available => _bytes.GetStatistics()!.CurrentAvailablePermits;

    /// <summary>Takes so many bytes for a caller, until what is returned is disposed.</summary>
    /// <exception cref="ServiceUnavailableException">They did not become free in time.</exception>
    public async ValueTask<IDisposable> TakeAsync(long ownerId, int bytes, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        try
        {
            var share = await _shares.AcquireAsync(ownerId, bytes, either.Token);
            if (share.IsAcquired && await TakeAsync(share, bytes, either.Token) is { } room)
            {
                return room;
            }

            share.Dispose();
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
        }

        throw new ServiceUnavailableException("The server has as many large requests at hand as it has memory for; try again in a moment.") { RetryAfter = Patience };
    }

    public void Dispose()
    {
        _shares.Dispose();
        _bytes.Dispose();
    }

    /// <summary>Takes the bytes of the caller's share from those of all; null when there are none and no place to wait.</summary>
    private async ValueTask<IDisposable?> TakeAsync(RateLimitLease share, int bytes, CancellationToken cancellationToken)
    {
        try
        {
            var room = await _bytes.AcquireAsync(bytes, cancellationToken);
            if (room.IsAcquired)
            {
                return new Taken(share, room);
            }

            room.Dispose();
            return null;
        }
        catch
        {
            share.Dispose();
            throw;
        }
    }

    private static ConcurrencyLimiterOptions Limit(int bytes) => new()
    {
        PermitLimit = bytes,
        QueueLimit = bytes,
        QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
    };

    private sealed class Taken(RateLimitLease share, RateLimitLease room) : IDisposable
    {
        public void Dispose()
        {
            room.Dispose();
            share.Dispose();
        }
    }
}
