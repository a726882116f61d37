using System.Threading.RateLimiting;
using Lintel.Platform.Configuration;
using Lintel.Platform.Errors;

namespace Lintel.Platform.Http;

/// <summary>How much memory all request bodies together may take. While it is used up, a further request waits briefly for others to finish.</summary>
internal sealed class BodyBudget(ServerOptions options, TimeProvider time) : IDisposable
{
    /// <summary>A body up to this is not counted: the connections, which are limited themselves, bound those.</summary>
    public const int Uncounted = 64 * 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly ConcurrencyLimiter _bytes = new(new()
    {
        PermitLimit = options.BodyMemory,
        QueueLimit = options.BodyMemory,
        QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
    });

    /// <summary>Bytes that nobody holds.</summary>
    public long Available => _bytes.GetStatistics()!.CurrentAvailablePermits;

    /// <summary>Takes so many bytes, until what is returned is disposed.</summary>
    /// <exception cref="ServiceUnavailableException">They did not become free in time.</exception>
    public async ValueTask<IDisposable> TakeAsync(int bytes, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        try
        {
            var lease = await _bytes.AcquireAsync(bytes, either.Token);
            if (lease.IsAcquired)
            {
                return lease;
            }

            lease.Dispose();
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
        }

        throw new ServiceUnavailableException("The server has as many large requests at hand as it has memory for; try again in a moment.") { RetryAfter = Patience };
    }

    public void Dispose() => _bytes.Dispose();
}
