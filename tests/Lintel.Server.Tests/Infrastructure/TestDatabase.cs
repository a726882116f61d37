using Npgsql;

namespace Lintel.Infrastructure;

/// <summary>Which database a fixture's server runs on.</summary>
public enum TestDatabaseKind
{
    Sqlite,
    Postgres,
}

/// <summary>A database of its own for one server, removed afterwards.</summary>
internal sealed class TestDatabase : IAsyncDisposable
{
    private readonly string? _administration;
    private readonly string? _name;

    private TestDatabase(string? url, string? administration, string? name) => (Url, _administration, _name) = (url, administration, name);

    /// <summary>The value for <c>DATABASE_URL</c>; null for the default, SQLite in the data folder.</summary>
    public string? Url { get; }

    /// <summary>The URL of a server where databases may be created; null where the tests have none.</summary>
    public static string? PostgresServer => Environment.GetEnvironmentVariable("LINTEL_TEST_POSTGRES") is { Length: > 0 } url ? url : null;

    public static async Task<TestDatabase> CreateAsync(TestDatabaseKind kind)
    {
        if (kind == TestDatabaseKind.Sqlite)
        {
            return new(null, null, null);
        }

        var server = new Uri(PostgresServer ?? throw new InvalidOperationException("LINTEL_TEST_POSTGRES names no server."));
        var user = server.UserInfo.Split(':', 2);
        var administration = new NpgsqlConnectionStringBuilder
        {
            Host = server.Host,
            Port = server.Port > 0 ? server.Port : 5432,
            Username = Uri.UnescapeDataString(user[0]),
            Password = user.Length == 2 ? Uri.UnescapeDataString(user[1]) : null,
            Database = server.AbsolutePath.TrimStart('/') is { Length: > 0 } database ? database : "postgres",
            Pooling = false,
        }.ConnectionString;
        var name = "lintel_" + Guid.CreateVersion7().ToString("N");
        await ExecuteAsync(administration, $"CREATE DATABASE {name}");
        return new(new UriBuilder(server) { Path = name }.Uri.AbsoluteUri, administration, name);
    }

    public async ValueTask DisposeAsync()
    {
        if (_administration is not null)
        {
            await ExecuteAsync(_administration, $"DROP DATABASE IF EXISTS {_name} WITH (FORCE)");
        }
    }

    private static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
