using Lintel.Platform.Threading;

namespace Lintel.Platform.Storage;

/// <summary>
/// Forgets what is out of date: from time to time, and a little at a time, so that others get their turn at the database. Of many nodes one does it, while it lives.
/// </summary>
/// <param name="things">What is forgotten, as the log calls it: <c>Old API keys</c>.</param>
internal abstract partial class RetentionWorker(Database database, TimeProvider time, ILogger logger, string things) : BackgroundService
{
    private const long BatchSize = 200;

    // Of what one statement forgets in a round: the rest waits for the next, and what comes after it in this one does not.
    private const int MaxBatches = 500;

    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly AsyncSignal _due = new();
    private Lease? _lease;
    private volatile bool _isUrgent;
    private long? _leasedAt;

    protected Database Database => database;

    protected TimeProvider Time => time;

    /// <summary>Forgets all that is out of date now.</summary>
    public abstract Task ForgetAsync(CancellationToken cancellationToken);

    /// <summary>Forgets what this node alone remembers; each node does.</summary>
    public virtual void ForgetHere()
    {
    }

    /// <summary>Makes the next round begin without waiting for its time, and on this node, whoever has the lease: two at once do no harm.</summary>
    protected void BeginSoon()
    {
        _isUrgent = true;
        _due.Set();
    }

    /// <param name="statement">Deletes rows from before <c>$1</c>, <c>$2</c> of them at most.</param>
    protected async Task ForgetAsync(string statement, DateTimeOffset before, CancellationToken cancellationToken)
    {
        for (var batch = 0; batch < MaxBatches; batch++)
        {
            await KeepLeaseAsync(cancellationToken);
            if (await database.WriteAsync(session => session.ExecuteAsync(statement, before.ToMicroseconds(), BatchSize), cancellationToken) < BatchSize)
            {
                return;
            }
        }
    }

    /// <summary>Makes the lease last as long as a round that takes long.</summary>
    /// <exception cref="LeaseLostException">Another node has it: the round ends.</exception>
    private async Task KeepLeaseAsync(CancellationToken cancellationToken)
    {
        if (_leasedAt is not { } last || time.GetElapsedTime(last) < Interval)
        {
            return;
        }

        if (!await _lease!.TakeAsync(cancellationToken))
        {
            throw new LeaseLostException();
        }

        _leasedAt = time.GetTimestamp();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var lease = _lease = new(database, "retention " + GetType().Name, Interval * 3);
        using var stopping = stoppingToken.Register(_due.Set);
        using var timer = time.CreateTimer(static state => ((AsyncSignal)state!).Set(), _due, Interval, Interval);
        while (true)
        {
            await _due.WaitAsync();
            if (stoppingToken.IsCancellationRequested)
            {
                return;
            }

            await RunAsync(lease, stoppingToken);
        }
    }

    /// <summary>The next node need not wait until the lease runs out.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        try
        {
            await (_lease?.GiveBackAsync(cancellationToken) ?? Task.CompletedTask);
        }
        catch (Exception failure) when (failure is StorageUnavailableException or OperationCanceledException)
        {
            // Then it waits.
        }
    }

    private async Task RunAsync(Lease lease, CancellationToken stoppingToken)
    {
        var isUrgent = _isUrgent;
        _isUrgent = false;
        try
        {
            ForgetHere();
            _leasedAt = await lease.TakeAsync(stoppingToken) ? time.GetTimestamp() : null;
            if (_leasedAt is not null || isUrgent)
            {
                await ForgetAsync(stoppingToken);
            }
        }
        catch (LeaseLostException)
        {
            Log.LeaseLost(logger, things);
        }
        catch (StorageUnavailableException failure)
        {
            Log.Unavailable(logger, things, failure.Message);
        }
        catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
        {
            // Housekeeping that fails must not take the server with it.
            Log.Failed(logger, failure, things);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "{Things} could not be forgotten: {Reason}")]
        public static partial void Unavailable(ILogger logger, string things, string reason);

        [LoggerMessage(2, LogLevel.Error, "{Things} could not be forgotten.")]
        public static partial void Failed(ILogger logger, Exception failure, string things);

        [LoggerMessage(3, LogLevel.Information, "{Things} are being forgotten by another node, which took over.")]
        public static partial void LeaseLost(ILogger logger, string things);
    }
}
