using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Data.Sqlite;

namespace Lintel.Platform.Storage;

public sealed class SqliteDatabaseTests : DatabaseTests
{
    private SqliteUnderTest Sqlite => (SqliteUnderTest)Test;

    [Fact]
    public async Task Units_that_wait_are_committed_together_and_told_in_order()
    {
        var log = new ConcurrentQueue<string>();
        using var gate = new ManualResetEventSlim();
        var first = Enqueue(0, log, gate);
        var others = Enumerable.Range(1, 20).Select(i => Enqueue(i, log)).ToList();

        gate.Set();
        await Task.WhenAll([first, .. others]);

        var ids = Enumerable.Range(0, 21).ToList();
        Assert.Equal([.. ids.Select(i => $"ran {i}"), .. ids.Select(i => $"told {i}")], log);
    }

    [Fact]
    public async Task No_unit_of_a_group_completes_before_the_group_is_durable()
    {
        using var gate = new ManualResetEventSlim();
        using var last = new ManualResetEventSlim();
        var first = Enqueue(1, [], gate);
        var second = Enqueue(2, [], last);

        gate.Set();
        await WaitUntilAsync(() => first.IsCompleted, TimeSpan.FromMilliseconds(200));
        Assert.False(first.IsCompleted);
        Assert.Equal(0, CountFromOutside());

        last.Set();
        await Task.WhenAll(first, second);
        Assert.Equal(2, CountFromOutside());
    }

    [Fact]
    public async Task Units_before_one_that_fails_happen_once_are_told_once_and_cannot_be_cancelled_any_more()
    {
        var told = new ConcurrentQueue<string>();
        using var gate = new ManualResetEventSlim();
        using var late = new CancellationTokenSource();
        var first = Enqueue(1, [], gate);
        var before = Database.WriteAsync(
            session =>
            {
                session.AfterCommit(() => told.Enqueue("before"));
                return session.ExecuteAsync("INSERT INTO note (id) VALUES (2)");
            },
            late.Token);
        var failing = Database.WriteAsync<int>(
            async session =>
            {
                session.AfterCommit(() => told.Enqueue("failed"));
                await session.ExecuteAsync("INSERT INTO note (id) VALUES (3)");
                await late.CancelAsync();
                throw new FormatException();
            },
            Cancel);
        var after = Enqueue(4, []);

        gate.Set();
        await Assert.ThrowsAsync<FormatException>(() => failing);
        await Task.WhenAll(first, after);

        Assert.Equal(1, await before);
        Assert.Equal(["before"], told);
        Assert.Equal([1, 2, 4], await NotesAsync());
    }

    [Fact]
    public async Task A_locked_database_is_unavailable_for_all_who_wait_and_serves_again_afterwards()
    {
        using var intruder = Sqlite.Intrude();
        Execute(intruder, "BEGIN IMMEDIATE");

        var started = Stopwatch.GetTimestamp();
        var units = Enumerable.Range(0, 30).Select(i => AddNoteAsync(i)).ToList();
        foreach (var unit in units)
        {
            var refusal = await Assert.ThrowsAsync<StorageUnavailableException>(() => unit);
            Assert.Contains("locked", refusal.Message, StringComparison.Ordinal);
        }

        // One wait for the lock for those at the front, one for those that came behind it; not one each.
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 0, 15);
        Assert.Empty(await NotesAsync());

        Execute(intruder, "ROLLBACK");
        await AddNoteAsync(7);
        Assert.Equal([7], await NotesAsync());
    }

    [Fact]
    public async Task A_full_disk_undoes_the_whole_group_and_serves_again_when_there_is_room()
    {
        await AddNoteAsync(1);
        await SetMaxPagesAsync(1);
        using var gate = new ManualResetEventSlim();
        var told = new ConcurrentQueue<string>();
        var small = Enqueue(2, told, gate);
        var big = Database.WriteAsync(
            session =>
            {
                session.AfterCommit(() => told.Enqueue("big"));
                return session.ExecuteAsync("INSERT INTO note (id, text) VALUES (3, $1)", new string('x', 1_000_000));
            },
            Cancel);
        gate.Set();

        var refusal = await Assert.ThrowsAsync<StorageUnavailableException>(() => big);
        Assert.Contains("full", refusal.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<StorageUnavailableException>(() => small);
        Assert.Equal(["ran 2"], told);
        Assert.Equal([1], await NotesAsync());

        await SetMaxPagesAsync(1_073_741_823);
        await AddNoteAsync(4);
        Assert.Equal([1, 4], await NotesAsync());
    }

    [Fact]
    public async Task A_second_server_on_the_same_file_is_refused_and_the_first_goes_on()
    {
        var refusal = await Assert.ThrowsAsync<StorageUnavailableException>(Test.OpenAsync);

        Assert.Contains("Another Lintel server", refusal.Message, StringComparison.Ordinal);
        await AddNoteAsync(1);
        Assert.Equal([1], await NotesAsync());
    }

    [Fact]
    public async Task A_unit_that_awaits_something_else_is_refused_and_undone()
    {
        var never = new TaskCompletionSource();
        await Assert.ThrowsAsync<InvalidOperationException>(() => Database.WriteAsync(
            async session =>
            {
                await session.ExecuteAsync("INSERT INTO note (id) VALUES (1)");
                await never.Task;
            },
            Cancel));

        Assert.Empty(await NotesAsync());
    }

    [Fact]
    public async Task Readers_do_not_write()
    {
        await Assert.ThrowsAsync<StorageUnavailableException>(() => Database.ReadAsync(
            session => session.ExecuteAsync("INSERT INTO note (id) VALUES (1)"), Cancel));

        Assert.Empty(await NotesAsync());
    }

    [Fact]
    public async Task Commits_are_made_durable_before_they_are_told()
    {
        var settings = await Database.WriteAsync<(string?, long)>(
            async session => (
                await session.QueryFirstAsync("PRAGMA journal_mode", static row => row.GetString(0)),
                await session.QueryFirstAsync("PRAGMA synchronous", static row => row.GetInt64(0))),
            Cancel);

        Assert.Equal(("wal", 2), settings);
    }

    [Fact]
    public async Task After_the_end_writes_are_refused_and_earlier_ones_are_kept()
    {
        var units = Enumerable.Range(0, 50).Select(i => AddNoteAsync(i)).ToList();
        await Database.DisposeAsync();
        await Task.WhenAll(units);

        await Assert.ThrowsAsync<StorageUnavailableException>(() => AddNoteAsync(99));
        Assert.Equal(50, CountFromOutside());
    }

    [Fact]
    public async Task The_write_ahead_log_does_not_grow_without_end()
    {
        for (var i = 0; i < 20; i++)
        {
            await Task.WhenAll(Enumerable.Range(i * 500, 500).Select(id => AddNoteAsync(id)));
        }

        Assert.InRange(new FileInfo(Sqlite.Path + "-wal").Length, 1, 64 * 1024 * 1024);
        Assert.Equal(10_000, CountFromOutside());
    }

    private protected override Task<DatabaseUnderTest> CreateAsync() => Task.FromResult<DatabaseUnderTest>(new SqliteUnderTest());

    private protected override int CountFromOutside()
    {
        using var connection = Sqlite.Intrude();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT count(*) FROM note";
        return Convert.ToInt32(command.ExecuteScalar());
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private static async Task WaitUntilAsync(Func<bool> condition, TimeSpan limit)
    {
        var started = Stopwatch.GetTimestamp();
        while (!condition() && Stopwatch.GetElapsedTime(started) < limit)
        {
            await Task.Delay(5, Cancel);
        }
    }

    private Task<int> Enqueue(int id, ConcurrentQueue<string> log, ManualResetEventSlim? gate = null) => Database.WriteAsync(
        session =>
        {
            gate?.Wait(Cancel);
            log.Enqueue($"ran {id}");
            session.AfterCommit(() => log.Enqueue($"told {id}"));
            return session.ExecuteAsync("INSERT INTO note (id) VALUES ($1)", (long)id);
        },
        Cancel);

    // The limit never falls below the pages in use, so the smallest one means: no more.
    private async Task SetMaxPagesAsync(int pages) => await Database.WriteAsync(
        session => session.QueryAsync($"PRAGMA max_page_count = {pages}", static row => row.GetInt64(0)), Cancel);
}
