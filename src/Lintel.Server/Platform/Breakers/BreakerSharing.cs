using System.Text;
using System.Threading.Channels;
using Lintel.Platform.Storage;

namespace Lintel.Platform.Breakers;

/// <summary>
/// Tells the nodes of one PostgreSQL each other's discoveries: a row a breaker, whose version rises with each change. A hint makes the others look at once, and they look from time to time.
/// The times are the database's, so that nodes' clocks may differ. On SQLite there is one node, and nothing is written.
/// </summary>
internal sealed partial class BreakerSharing : BackgroundService
{
    private const string Topic = "breaker";
    private const int MaxReason = 500;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    // What cannot be told in time is old news: the newest are kept.
    private readonly Channel<BreakerChange?> _due = Channel.CreateBounded<BreakerChange?>(new BoundedChannelOptions(256) { FullMode = BoundedChannelFullMode.DropOldest });
    private readonly Dictionary<string, long> _seen = new(StringComparer.Ordinal);
    private readonly Breakers _breakers;
    private readonly Database _database;
    private readonly Hints _hints;
    private readonly TimeProvider _time;
    private readonly ILogger<BreakerSharing> _logger;

    public BreakerSharing(Breakers breakers, Database database, Hints hints, TimeProvider time, ILogger<BreakerSharing> logger)
    {
        (_breakers, _database, _hints, _time, _logger) = (breakers, database, hints, time, logger);
        if (database.Kind == DatabaseKind.Postgres)
        {
            breakers.Changed = change => _due.Writer.TryWrite(change);
            hints.Subscribe(Topic, _ => _due.Writer.TryWrite(null));
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (_database.Kind == DatabaseKind.Sqlite)
        {
            return;
        }

        await using var timer = _time.CreateTimer(static state => ((ChannelWriter<BreakerChange?>)state!).TryWrite(null), _due.Writer, TimeSpan.Zero, Interval);
        try
        {
            await foreach (var change in _due.Reader.ReadAllAsync(stoppingToken))
            {
                try
                {
                    if (change is { } own)
                    {
                        await TellAsync(own, stoppingToken);
                    }
                    else
                    {
                        await LookAsync(stoppingToken);
                    }
                }
                catch (StorageUnavailableException failure)
                {
                    // Each node finds out for itself, as on SQLite.
                    Log.Unavailable(_logger, failure.Message);
                }
                catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
                {
                    // Whatever it was, it must not take the server with it.
                    Log.Failed(_logger, failure);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task TellAsync(BreakerChange change, CancellationToken cancellationToken)
    {
        var name = change.Breaker.Name;
        _seen[name] = await _database.WriteAsync(
            session => session.QueryFirstAsync(
                $"""
                INSERT INTO breaker (name, open_until, reason, changed_at) VALUES ($1, {session.Now} + $2, $3, {session.Now})
                ON CONFLICT (name) DO UPDATE SET open_until = excluded.open_until, reason = excluded.reason, changed_at = excluded.changed_at, version = breaker.version + 1
                RETURNING version
                """,
                static row => row.GetInt64(0),
                name,
                change.OpenFor is { } openFor ? (long)openFor.TotalMicroseconds : null,
                Plain(change.Reason)),
            cancellationToken);
        _hints.Send(Topic, name);
    }

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        var rows = await _database.ReadAsync(
            session => session.QueryAsync(
                $"SELECT name, version, open_until - {session.Now}, reason FROM breaker",
                static row => new Row(row.GetString(0), row.GetInt64(1), row.IsDBNull(2) ? null : TimeSpan.FromMicroseconds(row.GetInt64(2)), row.IsDBNull(3) ? "" : row.GetString(3))),
            cancellationToken);
        foreach (var row in rows)
        {
            if (_breakers.Find(row.Name) is not { } breaker || _seen.GetValueOrDefault(row.Name) >= row.Version)
            {
                continue;
            }

            _seen[row.Name] = row.Version;
            if (row.OpenFor is not { } openFor)
            {
                await breaker.HearClosedAsync();
            }
            else if (openFor > TimeSpan.Zero)
            {
                breaker.HearOpened(openFor, row.Reason);
            }
        }
    }

    /// <summary>What somebody far away said, as text that any database takes.</summary>
    private static string? Plain(string? reason) =>
        reason is null ? null : string.Concat(reason.EnumerateRunes().Where(static rune => !Rune.IsControl(rune)).Take(MaxReason).Select(static rune => rune.ToString()));

    private sealed record Row(string Name, long Version, TimeSpan? OpenFor, string Reason);

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "What other nodes know of breakers cannot be heard now: {Reason}")]
        public static partial void Unavailable(ILogger logger, string reason);

        [LoggerMessage(2, LogLevel.Error, "What nodes know of breakers could not be shared.")]
        public static partial void Failed(ILogger logger, Exception failure);
    }
}
