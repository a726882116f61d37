using Lintel.Infrastructure;
using Lintel.Platform.Configuration;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lintel.Platform.Storage;

/// <summary>An empty database of one kind, opened as a server opens it, and removed after the test.</summary>
internal abstract class DatabaseUnderTest : IAsyncDisposable
{
    /// <summary>Opens it; the caller disposes what it gets.</summary>
    public async Task<Database> OpenAsync()
    {
        var database = Create();
        try
        {
            await database.OpenAsync(TestContext.Current.CancellationToken);
            return database;
        }
        catch
        {
            await database.DisposeAsync();
            throw;
        }
    }

    public abstract ValueTask DisposeAsync();

    protected abstract Database Create();
}

internal sealed class SqliteUnderTest : DatabaseUnderTest
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("lintel-test-");

    public string Path => System.IO.Path.Combine(_folder.FullName, "lintel.db");

    /// <summary>A connection of another program.</summary>
    public SqliteConnection Intrude()
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = Path, Pooling = false }.ConnectionString);
        connection.Open();
        return connection;
    }

    public override ValueTask DisposeAsync()
    {
        _folder.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }

    protected override Database Create() => new SqliteDatabase(Path, TimeProvider.System, NullLogger<SqliteDatabase>.Instance);
}

internal sealed class PostgresUnderTest : DatabaseUnderTest
{
    private readonly TestDatabase _database;

    private PostgresUnderTest(TestDatabase database)
    {
        _database = database;
        ConnectionString = DatabaseUrl.Parse(database.Url + "?max_pool_size=20").PostgresConnectionString;
    }

    public string ConnectionString { get; }

    public string Url => _database.Url!;

    public static async Task<PostgresUnderTest> CreateAsync() => new(await TestDatabase.CreateAsync(TestDatabaseKind.Postgres));

    public override ValueTask DisposeAsync() => _database.DisposeAsync();

    protected override Database Create() =>
        PostgresDatabase.Create(ConnectionString, TimeProvider.System, NullLogger<PostgresDatabase>.Instance);
}
