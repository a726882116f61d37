using System.Diagnostics;
using Lintel.Features.Streams;
using Lintel.Platform.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lintel.Bench.Storage;

/// <summary>The server's log on a database of its own, in this process: what appends cost before HTTP or a job adds to it.</summary>
internal sealed class LogOnSqlite : IAsyncDisposable
{
    private readonly SqliteDatabase database;
    private readonly Hints hints;
    private readonly StreamLog log;
    private readonly StreamEvent[] events;
    private int streams;

    private LogOnSqlite(SqliteDatabase database, byte[] data, int group)
    {
        this.database = database;
        hints = new Hints(database, TimeProvider.System, NullLogger<Hints>.Instance);
        log = new StreamLog(database, new StreamFeeds(hints), TimeProvider.System);
        events = [.. Enumerable.Repeat(new StreamEvent("output", data), group)];
    }

    /// <param name="folder">Where the database goes.</param>
    /// <param name="data">The payload of every event.</param>
    /// <param name="group">How many events each append carries.</param>
    /// <param name="cancellationToken">Stops waiting for the database.</param>
    public static async Task<LogOnSqlite> OpenAsync(string folder, byte[] data, int group, CancellationToken cancellationToken)
    {
        var opened = new SqliteDatabase(Path.Combine(folder, "log.db"), TimeProvider.System, NullLogger<SqliteDatabase>.Instance);
        await opened.OpenAsync(cancellationToken);
        return new LogOnSqlite(opened, data, group);
    }

    /// <summary>Events made durable a second by so many producers, each with a stream of its own and waiting for every append.</summary>
    public async Task<double> RateAsync(int producers, TimeSpan window, CancellationToken cancellationToken)
    {
        var ids = new List<long>();
        for (var i = 0; i < producers; i++)
        {
            var name = $"bench-{++streams}";
            ids.Add(await database.WriteAsync(session => log.CreateAsync(session, name), cancellationToken));
        }

        var start = Stopwatch.GetTimestamp();
        var appended = await Task.WhenAll(ids.Select(id => Task.Run(() => ProduceAsync(id, start, window, cancellationToken), cancellationToken)));
        return appended.Sum() / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    public async ValueTask DisposeAsync()
    {
        hints.Dispose();
        await database.DisposeAsync();
    }

    private async Task<long> ProduceAsync(long streamId, long start, TimeSpan window, CancellationToken cancellationToken)
    {
        var appended = 0L;
        while (Stopwatch.GetElapsedTime(start) < window)
        {
            var result = await log.AppendAsync(streamId, events, cancellationToken: cancellationToken);
            appended += events.Length;
            if (result.LastSeq != appended)
            {
                throw new InvalidOperationException($"Event {appended} of stream {streamId} was numbered {result.LastSeq}.");
            }
        }

        return appended;
    }
}
