using System.Text.Json;
using Lintel.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lintel.Platform.Storage;

public sealed class HousekeepingTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(TestDatabaseKind.Sqlite)]
    [InlineData(TestDatabaseKind.Postgres)]
    public async Task What_has_expired_is_forgotten_however_much_and_nothing_else_is(TestDatabaseKind kind)
    {
        await using var server = await ServerFixture.StartAsync(kind: kind);
        var database = server.Services.GetRequiredService<Database>();
        var now = TimeProvider.System.GetUtcNow().ToMicroseconds();
        await database.WriteAsync(
            async session =>
            {
                for (var i = 0; i < 450; i++)
                {
                    byte[] key = [(byte)i, (byte)(i >> 8)];
                    await session.ExecuteAsync("INSERT INTO guess (counter, tries, wait, tried_at, expires_at) VALUES ($1, 1, 0, 0, $2)", key, now - 1);
                    await session.ExecuteAsync("INSERT INTO guess_place (subject, place, expires_at) VALUES ($1, $2, $3)", new byte[] { 1 }, key, now - 1);
                }

                await session.ExecuteAsync("INSERT INTO guess (counter, tries, wait, tried_at, expires_at) VALUES ($1, 1, 0, 0, $2)", new byte[] { 9, 9, 9 }, now + 60 * Instant.Second);
            },
            Cancel);

        await server.Services.GetServices<IHostedService>().OfType<ExpiryWorker>().Single().ForgetAsync(Cancel);

        Assert.Equal([9, 9, 9], Assert.Single(await database.ReadAsync(static session => session.QueryAsync("SELECT counter FROM guess", static row => row.GetBytes(0)), Cancel)));
        Assert.Equal(0, await database.ReadAsync(static session => session.QueryFirstAsync("SELECT count(*) FROM guess_place", static row => row.GetInt64(0)), Cancel));
    }

    [Theory]
    [InlineData(TestDatabaseKind.Sqlite)]
    [InlineData(TestDatabaseKind.Postgres)]
    public async Task A_table_that_fails_does_not_keep_the_others_from_being_emptied(TestDatabaseKind kind)
    {
        await using var server = await ServerFixture.StartAsync(kind: kind);
        var database = server.Services.GetRequiredService<Database>();
        var tables = server.Services.GetServices<ExpiredRows>().ToArray();
        var worker = server.Services.GetServices<IHostedService>().OfType<ExpiryWorker>().Single();
        foreach (var table in tables)
        {
            // Each of them is out of order once, and what is in the others is gone all the same.
            var other = table.Table == "guess" ? "guess_place" : "guess";
            await database.WriteAsync(
                async session =>
                {
                    await session.ExecuteAsync($"ALTER TABLE {table.Table} RENAME TO away");
                    await session.ExecuteAsync(
                        other == "guess"
                            ? "INSERT INTO guess (counter, tries, wait, tried_at, expires_at) VALUES ($1, 1, 0, 0, 1)"
                            : "INSERT INTO guess_place (subject, place, expires_at) VALUES ($1, $1, 1)",
                        new byte[] { 1 });
                },
                Cancel);

            await worker.ForgetAsync(Cancel);

            Assert.Equal(0, await database.ReadAsync(session => session.QueryFirstAsync($"SELECT count(*) FROM {other}", static row => row.GetInt64(0)), Cancel));
            await database.WriteAsync(async session => { await session.ExecuteAsync($"ALTER TABLE away RENAME TO {table.Table}"); }, Cancel);
        }

        // Lines are written beside what they tell of.
        await server.Log.WaitForAsync(line => IsOfWorker(line) && line.GetProperty("table").GetString() == tables[^1].Table, Cancel);
        Assert.Equal(tables.Select(static table => table.Table), server.Log.Lines.Where(IsOfWorker).Select(static line => line.GetProperty("table").GetString()));

        static bool IsOfWorker(JsonElement line) => line.GetProperty("name").GetString()!.EndsWith(nameof(ExpiryWorker), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(TestDatabaseKind.Sqlite)]
    [InlineData(TestDatabaseKind.Postgres)]
    public async Task One_table_that_is_very_full_does_not_keep_a_round_from_ending(TestDatabaseKind kind)
    {
        await using var server = await ServerFixture.StartAsync(kind: kind);
        var database = server.Services.GetRequiredService<Database>();
        await database.WriteAsync(
            static async session =>
            {
                await session.ExecuteAsync("CREATE TABLE full_of_it (id BIGINT PRIMARY KEY, expires_at BIGINT NOT NULL)");
                await session.ExecuteAsync("CREATE INDEX full_of_it_expires_at ON full_of_it (expires_at)");
                await session.ExecuteAsync(
                    "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 100300) INSERT INTO full_of_it (id, expires_at) SELECT n, 1 FROM number");
            },
            Cancel);
        using var worker = new ExpiryWorker(database, [new ExpiredRows("full_of_it", "id", "expires_at", TimeSpan.Zero)], TimeProvider.System, NullLogger<ExpiryWorker>.Instance);

        await worker.ForgetAsync(Cancel);

        Assert.Equal(300, await database.ReadAsync(static session => session.QueryFirstAsync("SELECT count(*) FROM full_of_it", static row => row.GetInt64(0)), Cancel));
    }

    [Fact]
    public async Task What_somebody_is_writing_just_now_is_left_alone_and_not_waited_for()
    {
        await using var server = await ServerFixture.StartAsync(kind: TestDatabaseKind.Postgres);
        var database = server.Services.GetRequiredService<Database>();
        await database.WriteAsync(
            static async session =>
            {
                await session.ExecuteAsync("INSERT INTO guess (counter, tries, wait, tried_at, expires_at) VALUES ($1, 1, 0, 0, 1)", new byte[] { 1 });
                await session.ExecuteAsync("INSERT INTO guess (counter, tries, wait, tried_at, expires_at) VALUES ($1, 1, 0, 0, 1)", new byte[] { 2 });
            },
            Cancel);

        await database.WriteAsync(
            async session =>
            {
                // Counted again at this moment, so that its life begins anew with the commit.
                await session.ExecuteAsync("UPDATE guess SET expires_at = $2 WHERE counter = $1", new byte[] { 1 }, long.MaxValue);
                await server.Services.GetServices<IHostedService>().OfType<ExpiryWorker>().Single().ForgetAsync(Cancel);
            },
            Cancel);

        Assert.Equal([1], Assert.Single(await database.ReadAsync(static session => session.QueryAsync("SELECT counter FROM guess", static row => row.GetBytes(0)), Cancel)));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_round_ends_where_its_lease_has_passed_to_another_node()
    {
        await using var server = await ServerFixture.StartAsync(kind: TestDatabaseKind.Postgres);
        var database = server.Services.GetRequiredService<Database>();

        // Whoever takes the first rows finds out right after that another node has the lease.
        await database.WriteAsync(
            static async session =>
            {
                await session.ExecuteAsync("CREATE TABLE taken_over (id BIGINT PRIMARY KEY, expires_at BIGINT NOT NULL)");
                await session.ExecuteAsync("INSERT INTO taken_over SELECT n, 1 FROM generate_series(1, 1000) AS n");
                await session.ExecuteAsync(
                    """
                    CREATE FUNCTION take_over() RETURNS trigger LANGUAGE plpgsql AS
                    'BEGIN UPDATE lease SET holder = gen_random_uuid(), until = 9000000000000000; RETURN NULL; END'
                    """);
                await session.ExecuteAsync("CREATE TRIGGER take_over AFTER DELETE ON taken_over FOR EACH STATEMENT EXECUTE FUNCTION take_over()");
            },
            Cancel);
        var clock = new TickingClock { MinutesPerLook = 1 };
        using var worker = new CountingExpiryWorker(database, clock);
        await worker.StartAsync(Cancel);

        await Eventually.HoldsAsync(() => clock.IsSet);
        clock.Tick();
        await worker.Ended.WaitAsync(Cancel);
        await worker.StopAsync(Cancel);

        Assert.IsType<LeaseLostException>(worker.Failure);
        Assert.Equal(800, await database.ReadAsync(static session => session.QueryFirstAsync("SELECT count(*) FROM taken_over", static row => row.GetInt64(0)), Cancel));
    }

    [Fact]
    public async Task Of_many_nodes_that_want_a_lease_one_gets_it_and_keeps_it()
    {
        await using var server = await ServerFixture.StartAsync(kind: TestDatabaseKind.Postgres);
        var database = server.Services.GetRequiredService<Database>();
        var leases = Enumerable.Range(0, 20).Select(_ => new Lease(database, "a test", TimeSpan.FromHours(1))).ToArray();

        var taken = await Task.WhenAll(leases.Select(lease => lease.TakeAsync(Cancel)));

        var holder = leases[Assert.Single(Enumerable.Range(0, 20), i => taken[i])];
        Assert.True(await holder.TakeAsync(Cancel));
        var other = leases.First(lease => lease != holder);
        Assert.False(await other.TakeAsync(Cancel));

        await other.GiveBackAsync(Cancel);
        Assert.False(await other.TakeAsync(Cancel));
        await holder.GiveBackAsync(Cancel);
        Assert.True(await other.TakeAsync(Cancel));
    }

    [Fact]
    public async Task A_lease_that_ran_out_is_anybodys()
    {
        await using var server = await ServerFixture.StartAsync(kind: TestDatabaseKind.Postgres);
        var database = server.Services.GetRequiredService<Database>();
        var dead = new Lease(database, "a test", TimeSpan.Zero);
        Assert.True(await dead.TakeAsync(Cancel));

        Assert.True(await new Lease(database, "a test", TimeSpan.FromHours(1)).TakeAsync(Cancel));
        Assert.False(await dead.TakeAsync(Cancel));
    }

    [Fact(Timeout = 60_000)]
    public async Task Of_two_nodes_one_does_the_work_until_it_stops_and_each_looks_after_its_own_memory()
    {
        await using var server = await ServerFixture.StartAsync(kind: TestDatabaseKind.Postgres);
        var database = server.Services.GetRequiredService<Database>();
        var (firstClock, secondClock) = (new TickingClock(), new TickingClock());
        using var first = new CountingWorker(database, firstClock);
        using var second = new CountingWorker(database, secondClock);
        await first.StartAsync(Cancel);
        await second.StartAsync(Cancel);

        await RoundAsync(first, firstClock);
        await Eventually.HoldsAsync(() => first.Forgot == 1);
        await RoundAsync(second, secondClock);
        await RoundAsync(second, secondClock);

        // The second's next round began, so the one before is over.
        Assert.Equal((1, 0), (first.Forgot, second.Forgot));

        await first.StopAsync(Cancel);
        await RoundAsync(second, secondClock);
        await Eventually.HoldsAsync(() => second.Forgot > 0);
        await second.StopAsync(Cancel);
        Assert.Equal(1, first.Forgot);
    }

    /// <summary>One tick, and the beginning of the round that it brings.</summary>
    private static async Task RoundAsync(CountingWorker worker, TickingClock clock)
    {
        var rounds = worker.ForgotHere;
        await Eventually.HoldsAsync(() => clock.IsSet);
        clock.Tick();
        await Eventually.HoldsAsync(() => worker.ForgotHere > rounds);
    }

    private sealed class CountingWorker(Database database, TimeProvider time) : RetentionWorker(database, time, NullLogger.Instance, "Nothing")
    {
        private int _forgot;
        private int _forgotHere;

        public int Forgot => Volatile.Read(ref _forgot);

        public int ForgotHere => Volatile.Read(ref _forgotHere);

        public override void ForgetHere() => Interlocked.Increment(ref _forgotHere);

        public override Task ForgetAsync(CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _forgot);
            return Task.CompletedTask;
        }
    }

    /// <summary>Forgets expired rows, and tells how its round ended.</summary>
    private sealed class CountingExpiryWorker(Database database, TimeProvider time) : RetentionWorker(database, time, NullLogger.Instance, "Nothing")
    {
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Ended => _ended.Task;

        public Exception? Failure { get; private set; }

        public override async Task ForgetAsync(CancellationToken cancellationToken)
        {
            try
            {
                await ForgetAsync(new ExpiredRows("taken_over", "id", "expires_at", TimeSpan.Zero).DeleteOn(Database.Kind), Time.GetUtcNow(), cancellationToken);
            }
            catch (Exception failure)
            {
                Failure = failure;
                throw;
            }
            finally
            {
                _ended.SetResult();
            }
        }
    }

    /// <summary>A clock whose timers go off when they are told to.</summary>
    private sealed class TickingClock : TimeProvider
    {
        private Action? _tick;
        private long _looks;

        /// <summary>How much time is over each time that somebody looks.</summary>
        public int MinutesPerLook { get; init; }

        public override long GetTimestamp() => base.GetTimestamp() + (Interlocked.Increment(ref _looks) * MinutesPerLook * 60 * TimestampFrequency);

        public bool IsSet => Volatile.Read(ref _tick) is not null;

        public void Tick() => _tick!();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Volatile.Write(ref _tick, () => callback(state));
            return base.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }
}
