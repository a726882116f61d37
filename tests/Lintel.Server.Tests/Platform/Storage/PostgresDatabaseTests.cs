using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Lintel.Platform.Storage;

public sealed class PostgresDatabaseTests : DatabaseTests
{
    private PostgresUnderTest Postgres => (PostgresUnderTest)Test;

    [Fact]
    public async Task Nodes_that_start_together_migrate_an_empty_database_once()
    {
        await using var empty = await PostgresUnderTest.CreateAsync();

        var nodes = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => empty.OpenAsync()));

        foreach (var node in nodes)
        {
            await node.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_deadlock_is_run_again_and_its_actions_run_once()
    {
        await AddNoteAsync(1);
        await AddNoteAsync(2);
        var ran = 0;
        using var bothHold = new Barrier(2);
        var attempts = 0;

        // Each takes its first row, waits until the other has too, then wants the other's: a sure deadlock at the first attempt.
        async ValueTask<int> Cross(DbSession session, long first, long second)
        {
            session.AfterCommit(() => Interlocked.Increment(ref ran));
            session.BeforeCommit<List<long>>(async ids => await session.ExecuteAsync("INSERT INTO note (id) VALUES ($1)", ids.Single())).Add(first + 10);
            await session.ExecuteAsync("UPDATE note SET text = 'x' WHERE id = $1", first);
            if (Interlocked.Increment(ref attempts) <= 2)
            {
                await Task.Run(() => bothHold.SignalAndWait(Cancel), Cancel);
            }

            return await session.ExecuteAsync("UPDATE note SET text = 'y' WHERE id = $1", second);
        }

        await Task.WhenAll(
            Database.WriteAsync(session => Cross(session, 1, 2), Cancel),
            Database.WriteAsync(session => Cross(session, 2, 1), Cancel));

        // On a machine that is very busy the two may meet once more.
        Assert.InRange(attempts, 3, 8);
        Assert.Equal(2, ran);
        Assert.Equal([1, 2, 11, 12], await NotesAsync());
    }

    [Fact]
    public async Task A_connection_that_breaks_is_an_outage_and_the_next_unit_gets_a_new_one()
    {
        await Assert.ThrowsAsync<StorageUnavailableException>(() => Database.WriteAsync(
            async session =>
            {
                await session.ExecuteAsync("INSERT INTO note (id) VALUES (1)");
                await session.ExecuteAsync("SELECT pg_terminate_backend(pg_backend_pid())");
            },
            Cancel));

        await AddNoteAsync(2);
        Assert.Equal([2], await NotesAsync());
    }

    [Fact]
    public async Task A_server_that_cannot_be_reached_is_an_outage()
    {
        var settings = new NpgsqlConnectionStringBuilder(Postgres.ConnectionString) { Port = 1 };
        await using var database = PostgresDatabase.Create(settings.ConnectionString, TimeProvider.System, NullLogger<PostgresDatabase>.Instance);

        await Assert.ThrowsAsync<StorageUnavailableException>(() => database.OpenAsync(Cancel));
        await Assert.ThrowsAsync<StorageUnavailableException>(() => database.ReadAsync(session => session.ExecuteAsync("SELECT 1"), Cancel));
    }

    [Fact]
    public async Task Commits_are_made_durable_before_they_are_told()
    {
        Assert.Equal("on", await Database.ReadAsync(session => session.QueryFirstAsync("SHOW synchronous_commit", static row => row.GetString(0)), Cancel));
    }

    private protected override async Task<DatabaseUnderTest> CreateAsync() => await PostgresUnderTest.CreateAsync();

    private protected override int CountFromOutside()
    {
        using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(Postgres.ConnectionString) { Pooling = false }.ConnectionString);
        connection.Open();
        using var command = new NpgsqlCommand("SELECT count(*) FROM note", connection);
        return Convert.ToInt32(command.ExecuteScalar());
    }
}
