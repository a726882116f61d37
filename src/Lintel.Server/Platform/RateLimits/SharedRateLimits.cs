using System.Globalization;
using Lintel.Platform.Storage;

namespace Lintel.Platform.RateLimits;

/// <summary>What a node may count of a window that all nodes share.</summary>
/// <param name="Requests">So many more; none where the window is used up.</param>
/// <param name="Remaining">So many has nobody yet.</param>
/// <param name="EndsIn">When the window ends, from now.</param>
internal readonly record struct RateLimitGrant(int Requests, int Remaining, TimeSpan EndsIn);

/// <summary>
/// The windows that the nodes of one PostgreSQL share. A node is granted an eighth of what a window still has at a time, in one statement: so all nodes together never allow more than the limit, and most
/// requests are counted without the database. Requests that a node holds ready and does not need are lost to the others; near the end of a window they are few, since the grants get smaller.
/// </summary>
internal sealed partial class SharedRateLimits(Database database, TimeProvider time, ILogger<SharedRateLimits> logger)
{
    private const int Share = 8;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AloneFor = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LogInterval = TimeSpan.FromMinutes(1);

    private static readonly string Take =
        $"""
        INSERT INTO rate_limit AS r (partition, ends_at, taken, granted) VALUES ($1, @now + $2, $3, $3)
        ON CONFLICT (partition) DO UPDATE SET
            granted = CASE WHEN r.ends_at <= excluded.ends_at - $2 THEN $3 WHEN $4 - r.taken < $5 THEN 0 ELSE greatest($5, ($4 - r.taken) / {Share}) END,
            taken = CASE WHEN r.ends_at <= excluded.ends_at - $2 THEN $3 WHEN $4 - r.taken < $5 THEN r.taken ELSE r.taken + greatest($5, ($4 - r.taken) / {Share}) END,
            ends_at = CASE WHEN r.ends_at <= excluded.ends_at - $2 THEN excluded.ends_at ELSE r.ends_at END
        RETURNING granted, $4 - taken, ends_at - @now
        """;

    // The database is known to be away.
    private long _aloneSince = long.MinValue;
    private long _loggedAt = long.MinValue;

    /// <summary>False where this node is the only one.</summary>
    public bool IsUsed => database.Kind == DatabaseKind.Postgres;

    /// <summary>Asks for at least <paramref name="requests"/> of a window. While the database is away each node counts for itself.</summary>
    public async Task<RateLimitGrant> TakeAsync(RateLimitPartition partition, int requests)
    {
        var policy = partition.Policy;
        if (IsAlone)
        {
            return new(policy.Requests, 0, policy.Window);
        }

        // A database that says nothing must not hold up what can be answered without it.
        using var patience = new CancellationTokenSource(Patience, time);
        try
        {
            return await database.WriteAsync(
                session => session.QueryFirstAsync(
                    Take.Replace("@now", session.Now, StringComparison.Ordinal),
                    static row => new RateLimitGrant((int)row.GetInt64(0), (int)row.GetInt64(1), TimeSpan.FromMicroseconds(Math.Max(1, row.GetInt64(2)))),
                    NameOf(partition),
                    (long)policy.Window.TotalMicroseconds,
                    (long)Math.Max(requests, policy.Requests / Share),
                    (long)policy.Requests,
                    (long)requests),
                patience.Token).WaitAsync(patience.Token);
        }
        catch (Exception failure) when (failure is StorageUnavailableException or OperationCanceledException)
        {
            Volatile.Write(ref _aloneSince, time.GetTimestamp());
            if (_loggedAt == long.MinValue || time.GetElapsedTime(_loggedAt) >= LogInterval)
            {
                _loggedAt = time.GetTimestamp();
                Log.Alone(logger, failure.Message);
            }

            return new(policy.Requests, 0, policy.Window);
        }
    }

    private bool IsAlone => Volatile.Read(ref _aloneSince) is var since && since != long.MinValue && time.GetElapsedTime(since) < AloneFor;

    private static string NameOf(in RateLimitPartition partition) => string.Create(
        CultureInfo.InvariantCulture,
        $"{partition.Policy.Name} {partition.Policy.LimitText} {partition.Policy.WindowText} {partition.Caller ?? partition.Address.ToString("x32", CultureInfo.InvariantCulture)}");

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Rate limits cannot be shared with the other nodes now, and are counted here alone: {Reason}")]
        public static partial void Alone(ILogger logger, string reason);
    }
}

/// <summary>Forgets the windows that have ended.</summary>
internal sealed class RateLimitRetentionWorker(Database database, SharedRateLimits limits, TimeProvider time, ILogger<RateLimitRetentionWorker> logger)
    : RetentionWorker(database, time, logger, "Ended rate limit windows")
{
    public override async Task ForgetAsync(CancellationToken cancellationToken)
    {
        if (limits.IsUsed)
        {
            await ForgetAsync(
                "DELETE FROM rate_limit WHERE partition IN (SELECT partition FROM rate_limit WHERE ends_at < $1 LIMIT $2)", Time.GetUtcNow() - TimeSpan.FromMinutes(1), cancellationToken);
        }
    }
}
