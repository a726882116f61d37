using System.Collections.Concurrent;
using Npgsql;

namespace Lintel.Platform.Storage;

/// <summary>
/// Tells the other nodes that something may have changed. A hint saves waiting and carries no truth: it may be lost or come twice,
/// and whoever depends on it also looks at the database from time to time. On SQLite there are no other nodes, and nothing is sent.
/// </summary>
internal sealed partial class Hints(Database database, TimeProvider time, ILogger<Hints> logger) : BackgroundService
{
    private const string Channel = "lintel_hints";

    // Hints of so short a time go out together; a notification carries at most 8,000 bytes.
    private static readonly TimeSpan SendInterval = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);
    private const int MaxPayload = 7000;
    private const int MaxPending = 10_000;

    private readonly ConcurrentDictionary<string, bool> _pending = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Action<string>> _handlers = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _due = new(0);

    /// <summary>Calls <paramref name="handler"/> with the value of each hint of a topic that any node sends. It must be short.</summary>
    public void Subscribe(string topic, Action<string> handler) => _handlers[topic] = handler;

    /// <summary>Sends a hint soon. Equal hints that wait together are sent once.</summary>
    public void Send(string topic, string value)
    {
        if (database.Kind == DatabaseKind.Sqlite || _pending.Count >= MaxPending)
        {
            return;
        }

        if (_pending.TryAdd($"{topic}={value}", true) && _due.CurrentCount == 0)
        {
            _due.Release();
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (database is PostgresDatabase postgres)
        {
            await Task.WhenAll(
                KeepGoingAsync(token => ListenAsync(postgres, token), stoppingToken),
                KeepGoingAsync(token => SendLoopAsync(postgres, token), stoppingToken));
        }
    }

    private async Task KeepGoingAsync(Func<CancellationToken, Task> loop, CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await loop(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
            }
            catch (Exception failure)
            {
                Log.ConnectionLost(logger, failure.Message);
                await Task.Delay(RetryDelay, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task ListenAsync(PostgresDatabase postgres, CancellationToken stoppingToken)
    {
        await using var connection = await postgres.Source.OpenConnectionAsync(stoppingToken);
        connection.Notification += (_, notification) => Deliver(notification.Payload);
        await using (var listen = new NpgsqlCommand($"LISTEN {Channel}", connection))
        {
            await listen.ExecuteNonQueryAsync(stoppingToken);
        }

        while (!stoppingToken.IsCancellationRequested)
        {
            await connection.WaitAsync(stoppingToken);
        }
    }

    private async Task SendLoopAsync(PostgresDatabase postgres, CancellationToken stoppingToken)
    {
        // A connection of its own and never inside an append's transaction: the lock that NOTIFY takes at commit is the whole database's.
        await using var connection = await postgres.Source.OpenConnectionAsync(stoppingToken);
        while (!stoppingToken.IsCancellationRequested)
        {
            await _due.WaitAsync(stoppingToken);
            foreach (var payload in TakePayloads())
            {
                await using var notify = new NpgsqlCommand("SELECT pg_notify($1, $2)", connection);
                notify.Parameters.Add(new NpgsqlParameter { Value = Channel });
                notify.Parameters.Add(new NpgsqlParameter { Value = payload });
                await notify.ExecuteNonQueryAsync(stoppingToken);
            }

            await Task.Delay(SendInterval, time, stoppingToken);
        }
    }

    private List<string> TakePayloads()
    {
        List<string> payloads = [];
        var payload = new System.Text.StringBuilder();
        var bytes = 0;
        foreach (var (hint, _) in _pending)
        {
            _pending.TryRemove(hint, out _);
            var size = System.Text.Encoding.UTF8.GetByteCount(hint) + 1;
            if (bytes + size > MaxPayload && bytes > 0)
            {
                payloads.Add(payload.ToString());
                payload.Clear();
                bytes = 0;
            }

            payload.Append(hint).Append('\n');
            bytes += size;
        }

        if (payload.Length > 0)
        {
            payloads.Add(payload.ToString());
        }

        return payloads;
    }

    private void Deliver(string payload)
    {
        foreach (var hint in payload.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var split = hint.IndexOf('=', StringComparison.Ordinal);
            if (split > 0 && _handlers.TryGetValue(hint[..split], out var handler))
            {
                handler(hint[(split + 1)..]);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "The connection for hints between nodes was lost and is opened again: {Reason}")]
        public static partial void ConnectionLost(ILogger logger, string reason);
    }
}
