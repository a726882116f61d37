using System.Collections.Concurrent;
using System.Data.Common;

namespace Lintel.Platform.Storage;

/// <summary>What both databases promise to those who write units of work.</summary>
public abstract class DatabaseTests : IAsyncLifetime
{
    private protected DatabaseUnderTest Test { get; private set; } = null!;

    private protected Database Database { get; private set; } = null!;

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Test = await CreateAsync();
        Database = await Test.OpenAsync();
        await Database.WriteAsync(async session => { await session.ExecuteAsync("CREATE TABLE note (id BIGINT PRIMARY KEY, text TEXT)"); }, Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        if (Database is not null)
        {
            await Database.DisposeAsync();
        }

        if (Test is not null)
        {
            await Test.DisposeAsync();
        }

        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task What_a_unit_wrote_is_there_when_its_task_completes()
    {
        await AddNoteAsync(1);

        Assert.Equal([1], await NotesAsync());
    }

    [Fact]
    public async Task A_unit_that_fails_leaves_nothing_behind()
    {
        var failure = await Assert.ThrowsAsync<FormatException>(() => Database.WriteAsync(
            async session =>
            {
                await session.ExecuteAsync("INSERT INTO note (id) VALUES ($1)", 1L);
                throw new FormatException("no");
            },
            Cancel));

        Assert.Equal("no", failure.Message);
        Assert.Empty(await NotesAsync());
    }

    [Fact]
    public async Task Units_that_fail_do_not_touch_those_beside_them()
    {
        var units = Enumerable.Range(1, 200).Select(id => Database.WriteAsync<int>(
            async session =>
            {
                await session.ExecuteAsync("INSERT INTO note (id) VALUES ($1)", (long)id);
                if (id % 3 == 0)
                {
                    // A broken statement dooms a PostgreSQL transaction, a broken promise dooms neither.
                    await (id % 2 == 0 ? session.ExecuteAsync("INSERT INTO note (id) VALUES ($1)", (long)id) : throw new FormatException());
                }

                return id;
            },
            Cancel)).ToList();

        await Task.WhenAll(units.Select(unit => unit.ContinueWith(static _ => { }, TaskScheduler.Default)));

        Assert.All(units.Where((_, index) => (index + 1) % 6 == 3), unit => Assert.IsType<FormatException>(unit.Exception?.InnerException));
        Assert.All(
            units.Where((_, index) => (index + 1) % 6 == 0),
            unit => Assert.IsAssignableFrom<DbException>(unit.Exception?.InnerException));
        Assert.Equal(Enumerable.Range(1, 200).Where(id => id % 3 != 0).Select(id => (long)id), await NotesAsync());
    }

    [Fact]
    public async Task What_a_unit_leaves_for_its_end_happens_once_with_it_and_with_no_other()
    {
        static bool FailsItself(long id) => id % 5 == 0;
        static bool FailsAtItsEnd(long id) => id % 7 == 0;

        var units = Enumerable.Range(1, 200).Select(static number => (long)number).Select(id => Database.WriteAsync(
            async session =>
            {
                Leave(session, id + 1000);
                await session.ExecuteAsync("INSERT INTO note (id) VALUES ($1)", id);
                Leave(session, FailsAtItsEnd(id) ? id : id + 2000);
                return FailsItself(id) ? throw new FormatException() : id;
            },
            Cancel)).ToList();
        await Task.WhenAll(units.Select(static unit => unit.ContinueWith(static _ => { }, TaskScheduler.Default)));

        long[] good = [.. Enumerable.Range(1, 200).Select(static number => (long)number).Where(static id => !FailsItself(id) && !FailsAtItsEnd(id))];
        Assert.Equal(good, units.Where(static unit => unit.IsCompletedSuccessfully).Select(static unit => unit.Result));
        Assert.All(units.Where((_, index) => FailsItself(index + 1)), static unit => Assert.IsType<FormatException>(unit.Exception?.InnerException));
        Assert.All(
            units.Where((_, index) => FailsAtItsEnd(index + 1) && !FailsItself(index + 1)), static unit => Assert.IsAssignableFrom<DbException>(unit.Exception?.InnerException));
        Assert.Equal(good.Concat(good.Select(static id => id + 1000)).Concat(good.Select(static id => id + 2000)), await NotesAsync());

        // Collected in one place, and written by one action.
        static void Leave(DbSession session, long id) => session.BeforeCommit<List<long>>(async ids =>
        {
            foreach (var note in ids)
            {
                await session.ExecuteAsync("INSERT INTO note (id) VALUES ($1)", note);
            }
        }).Add(id);
    }

    [Fact]
    public async Task What_the_end_of_a_unit_leaves_for_its_end_happens_too()
    {
        await Database.WriteAsync(
            session =>
            {
                Leave(session, 1);
                return ValueTask.CompletedTask;
            },
            Cancel);

        Assert.Equal([1, 2, 3], await NotesAsync());

        // Each leaves the next, to the same collection as its own and while that is being written.
        static void Leave(DbSession session, long id) => session.BeforeCommit<List<long>>(async ids =>
        {
            foreach (var note in ids)
            {
                await session.ExecuteAsync("INSERT INTO note (id) VALUES ($1)", note);
                if (note < 3)
                {
                    Leave(session, note + 1);
                }
            }
        }).Add(id);
    }

    [Fact]
    public async Task Concurrent_units_do_not_lose_updates()
    {
        await Database.WriteAsync(async session => { await session.ExecuteAsync("INSERT INTO note (id, text) VALUES (1, '0')"); }, Cancel);

        await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => Database.WriteAsync(
            session => session.ExecuteAsync("UPDATE note SET text = CAST(CAST(text AS INTEGER) + 1 AS TEXT) WHERE id = 1"),
            Cancel)));

        Assert.Equal("200", await Database.ReadAsync(session => session.QueryFirstAsync("SELECT text FROM note", row => row.GetString(0)), Cancel));
    }

    [Fact]
    public async Task Of_many_compare_and_swaps_one_wins()
    {
        await Database.WriteAsync(async session => { await session.ExecuteAsync("INSERT INTO note (id, text) VALUES (1, 'old')"); }, Cancel);

        var changed = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Database.WriteAsync(
            session => session.ExecuteAsync("UPDATE note SET text = 'new' WHERE id = 1 AND text = 'old'"),
            Cancel)));

        Assert.Equal(1, changed.Sum());
    }

    [Fact]
    public async Task Actions_after_commit_see_the_commit_and_run_before_the_task_completes()
    {
        var seen = -1;
        await Database.WriteAsync(
            async session =>
            {
                await session.ExecuteAsync("INSERT INTO note (id) VALUES (1)");
                session.AfterCommit(() => seen = CountFromOutside());
            },
            Cancel);

        Assert.Equal(1, seen);
    }

    [Fact]
    public async Task Actions_of_a_unit_that_failed_never_run()
    {
        var ran = new ConcurrentBag<int>();
        var units = Enumerable.Range(0, 40).Select(i => Database.WriteAsync<int>(
            async session =>
            {
                session.AfterCommit(() => ran.Add(i));
                await session.ExecuteAsync("INSERT INTO note (id) VALUES ($1)", (long)i);
                return i % 2 == 0 ? i : throw new FormatException();
            },
            Cancel)).ToList();
        await Task.WhenAll(units.Select(unit => unit.ContinueWith(static _ => { }, TaskScheduler.Default)));

        Assert.Equal(Enumerable.Range(0, 40).Where(i => i % 2 == 0), ran.Order());
    }

    [Fact]
    public async Task An_action_that_throws_harms_neither_its_unit_nor_the_next_action()
    {
        var ran = false;
        var result = await Database.WriteAsync<int>(
            async session =>
            {
                session.AfterCommit(() => throw new FormatException());
                session.AfterCommit(() => ran = true);
                await session.ExecuteAsync("INSERT INTO note (id) VALUES (1)");
                return 7;
            },
            Cancel);

        Assert.Equal(7, result);
        Assert.True(ran);
        Assert.Equal([1], await NotesAsync());
    }

    [Fact]
    public async Task A_unit_whose_caller_has_gone_does_nothing()
    {
        using var gone = new CancellationTokenSource();
        await gone.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Database.WriteAsync(
            async session => { await session.ExecuteAsync("INSERT INTO note (id) VALUES (1)"); }, gone.Token));

        Assert.Empty(await NotesAsync());
    }

    [Fact]
    public async Task Values_come_back_as_they_went_in()
    {
        var id = Guid.CreateVersion7();
        var at = new DateTimeOffset(2031, 5, 6, 7, 8, 9, TimeSpan.Zero).AddTicks(1234560);
        byte[] bytes = [0, 1, 254, 255];
        await Database.WriteAsync(
            async session =>
            {
                var type = session.Kind == DatabaseKind.Sqlite ? "BLOB" : "BYTEA";
                await session.ExecuteAsync($"CREATE TABLE thing (id UUID PRIMARY KEY, name TEXT, data {type}, big BIGINT, small INTEGER, flag BOOLEAN, at BIGINT, gap UUID)");
                await session.ExecuteAsync(
                    "INSERT INTO thing (id, name, data, big, small, flag, at, gap) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                    id, "Ωé \"'\u2028🧱", bytes, long.MaxValue, 7, true, at.ToMicroseconds(), null);
            },
            Cancel);

        var row = await Database.ReadAsync(
            session => session.QueryFirstAsync(
                "SELECT id, name, data, big, small, flag, at, gap FROM thing WHERE id = $1 AND flag AND gap IS NULL",
                static row => (row.GetGuid(0), row.GetNullableString(1), row.IsDBNull(2) ? null : row.GetBytes(2), row.IsDBNull(3) ? (long?)null : row.GetInt64(3), row.GetInt32(4), row.GetBoolean(5), row.GetInstant(6), row.GetNullableGuid(7)),
                id),
            Cancel);

        Assert.Equal((id, "Ωé \"'\u2028🧱", long.MaxValue, 7, true, at, null), (row.Item1, row.Item2, row.Item4, row.Item5, row.Item6, row.Item7, row.Item8));
        Assert.Equal(bytes, row.Item3);
    }

    [Fact]
    public async Task One_statement_takes_values_and_nulls_by_turns()
    {
        foreach (var text in new[] { "a", null, "b", null })
        {
            await Database.WriteAsync(
                async session =>
                {
                    await session.ExecuteAsync("DELETE FROM note");
                    await session.ExecuteAsync("INSERT INTO note (id, text) VALUES (1, $1)", text);
                },
                Cancel);
            Assert.Equal(text, await Database.ReadAsync(session => session.QueryFirstAsync("SELECT text FROM note", static row => row.GetNullableString(0)), Cancel));
        }
    }

    [Fact]
    public async Task The_database_tells_its_time()
    {
        var before = TimeProvider.System.GetMicroseconds();
        var now = await Database.ReadAsync(session => session.QueryFirstAsync($"SELECT {session.Now}", static row => row.GetInt64(0)), Cancel);

        Assert.InRange(now, before - Instant.Second, TimeProvider.System.GetMicroseconds() + Instant.Second);
    }

    [Fact]
    public async Task A_read_that_fails_does_not_spoil_the_next()
    {
        for (var i = 0; i < 30; i++)
        {
            await Assert.ThrowsAnyAsync<DbException>(() => Database.ReadAsync(session => session.ExecuteAsync("SELECT nonsense FROM nowhere"), Cancel));
            await Assert.ThrowsAsync<FormatException>(() => Database.ReadAsync<int>(static session => throw new FormatException(), Cancel));
        }

        Assert.Empty(await NotesAsync());
    }

    [Fact]
    public async Task Opening_again_keeps_what_is_there()
    {
        await AddNoteAsync(1);
        await Database.DisposeAsync();

        await using var again = await Test.OpenAsync();

        Assert.Equal(1, await again.ReadAsync(session => session.QueryFirstAsync("SELECT id FROM note", static row => row.GetInt64(0)), Cancel));
    }

    [Theory]
    [InlineData("UPDATE schema_migration SET sha256 = 'other' WHERE number = 1", "another build")]
    [InlineData("INSERT INTO schema_migration (number, name, sha256, applied_at) VALUES (9999, '9999_future', 'x', 0)", "at least as new")]
    public async Task A_database_of_another_or_a_newer_version_is_refused(string change, string advice)
    {
        await Database.WriteAsync(async session => { await session.ExecuteAsync(change); }, Cancel);
        await Database.DisposeAsync();

        var refusal = await Assert.ThrowsAsync<StorageUnavailableException>(Test.OpenAsync);

        Assert.Contains(advice, refusal.Message, StringComparison.Ordinal);
    }

    private protected abstract Task<DatabaseUnderTest> CreateAsync();

    /// <summary>The number of notes that another program sees.</summary>
    private protected abstract int CountFromOutside();

    private protected Task AddNoteAsync(long id) =>
        Database.WriteAsync(async session => { await session.ExecuteAsync("INSERT INTO note (id) VALUES ($1)", id); }, Cancel);

    private protected Task<List<long>> NotesAsync() =>
        Database.ReadAsync(session => session.QueryAsync("SELECT id FROM note ORDER BY id", static row => row.GetInt64(0)), Cancel);
}
