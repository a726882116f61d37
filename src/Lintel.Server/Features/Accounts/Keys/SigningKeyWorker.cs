using Lintel.Features.Accounts.Audit;
using Lintel.Features.Accounts.Credentials;
using Lintel.Platform.Storage;
using Lintel.Platform.Threading;

namespace Lintel.Features.Accounts.Keys;

/// <summary>Knows the signing keys before the first request is served, hears of those of other nodes, and moves them on when their time has come.</summary>
internal sealed partial class SigningKeyWorker(SigningKeys keys, SigningKeyTable table, TokenOptions options, Hints hints, TimeProvider time, ILogger<SigningKeyWorker> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    // What was signed last is good for its lifetime; clocks differ, and others keep the published keys for some minutes.
    private static readonly TimeSpan Overlap = TimeSpan.FromMinutes(10);

    private readonly AsyncSignal _due = new();

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        if (options.Algorithm != SigningAlgorithm.ES256)
        {
            return;
        }

        hints.Subscribe(SigningKeys.Topic, _ => _due.Set());
        await table.EnsureAsync(cancellationToken);
        var closed = await keys.LoadAsync(renewsSeals: true, cancellationToken);
        if (closed != 0)
        {
            // A node with a wrong secret must not replace the keys of all others.
            throw new StorageUnavailableException(
                "The signing keys in the database were sealed under another SECRET_KEY: give that one as SECRET_KEY_PREVIOUS; "
                + "if it is lost, remove them with DELETE FROM signing_key while no node runs.");
        }

        await base.StartAsync(cancellationToken);
    }

    /// <summary>Takes what others changed, rotates if it is time to, and forgets keys that nothing alive was signed with.</summary>
    public async Task TendAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        await keys.LoadAsync(renewsSeals: false, cancellationToken);
        var active = keys.Active;
        var isOver = active.ActivatedAt + options.SigningKeyPeriod <= now;
        if (isOver && await table.RotateAsync(active.Id, isCompromised: false, Actor.System, cancellationToken))
        {
            Log.Rotated(logger, active.Id);
        }

        var forgotten = now - options.AccessTokenLifetime - Overlap;
        var anyForgotten = keys.All.Any(key => key.RetiredAt < forgotten);
        if (anyForgotten)
        {
            await table.ForgetAsync(forgotten, cancellationToken);
        }

        // Whoever did it: this node must not go on with the keys of before.
        if (isOver || anyForgotten)
        {
            await keys.ChangedAsync(cancellationToken);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var stopping = stoppingToken.Register(_due.Set);
        using var timer = time.CreateTimer(static state => ((AsyncSignal)state!).Set(), _due, Interval, Interval);
        while (true)
        {
            await _due.WaitAsync();
            if (stoppingToken.IsCancellationRequested)
            {
                return;
            }

            try
            {
                await TendAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
            }
            catch (StorageUnavailableException failure)
            {
                Log.Unavailable(logger, failure.Message);
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                // The keys that are known go on signing; it is tried again.
                Log.Failed(logger, failure);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "The signing key {KeyId} was retired; the next one signs now.")]
        public static partial void Rotated(ILogger logger, string keyId);

        [LoggerMessage(2, LogLevel.Warning, "The signing keys could not be looked after: {Reason}")]
        public static partial void Unavailable(ILogger logger, string reason);

        [LoggerMessage(3, LogLevel.Error, "The signing keys could not be looked after.")]
        public static partial void Failed(ILogger logger, Exception failure);
    }
}
