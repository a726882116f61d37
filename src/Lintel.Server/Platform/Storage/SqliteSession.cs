using System.Data.Common;
using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Lintel.Platform.Storage;

/// <summary>One SQLite connection with its prepared statements. SQLite has no asynchronous calls, so every task here is complete when it is returned.</summary>
internal sealed class SqliteSession : DbSession, IDisposable
{
    // Statements are constants in the code, so their number is that of the program's queries; the bound is a guard against a composed one.
    private const int MaxStatements = 500;

    private readonly Dictionary<string, SqliteCommand> _statements = new(StringComparer.Ordinal);
    private readonly Dictionary<Type, IDisposable> _resources = [];

    public SqliteSession(string connectionString)
    {
        Connection = new SqliteConnection(connectionString);
        Connection.Open();

        // SQLite itself waits for a lock, and wakes when it is free; the provider's own loop around it, which sleeps, must not begin again.
        Execute("PRAGMA busy_timeout=5000");
        Connection.DefaultTimeout = 1;
        Execute("PRAGMA foreign_keys=ON");
        Execute("PRAGMA temp_store=MEMORY");
    }

    public override DatabaseKind Kind => DatabaseKind.Sqlite;

    public SqliteConnection Connection { get; }

    public override ValueTask<int> ExecuteAsync(string sql, params object?[] values) => new(Execute(sql, values));

    public int Execute(string sql, params object?[] values) => Prepare(sql, values).ExecuteNonQuery();

    public override ValueTask<List<T>> QueryAsync<T>(string sql, Func<DbDataReader, T> map, params object?[] values)
    {
        var rows = new List<T>();
        using var reader = Prepare(sql, values).ExecuteReader();
        while (reader.Read())
        {
            rows.Add(map(reader));
        }

        return new(rows);
    }

    public override ValueTask<T?> QueryFirstAsync<T>(string sql, Func<DbDataReader, T> map, params object?[] values)
        where T : default => new(QueryFirst(sql, map, values));

    public T? QueryFirst<T>(string sql, Func<DbDataReader, T> map, params object?[] values)
    {
        using var reader = Prepare(sql, values).ExecuteReader();
        return reader.Read() ? map(reader) : default;
    }

    /// <summary>What a feature keeps for as long as this connection lives, such as a statement of SQLite's own; made at its first use.</summary>
    public T Resource<T>(Func<SqliteSession, T> create)
        where T : class, IDisposable
    {
        if (!_resources.TryGetValue(typeof(T), out var resource))
        {
            _resources.Add(typeof(T), resource = create(this));
        }

        return (T)resource;
    }

    public void Dispose()
    {
        foreach (var resource in _resources.Values)
        {
            resource.Dispose();
        }

        foreach (var statement in _statements.Values)
        {
            statement.Dispose();
        }

        _statements.Clear();
        Connection.Dispose();
    }

    private SqliteCommand Prepare(string sql, object?[] values)
    {
        if (!_statements.TryGetValue(sql, out var statement))
        {
            statement = Connection.CreateCommand();
            statement.CommandText = sql;
            for (var i = 1; i <= values.Length; i++)
            {
                statement.Parameters.Add(new SqliteParameter { ParameterName = string.Create(CultureInfo.InvariantCulture, $"${i}") });
            }

            if (_statements.Count < MaxStatements)
            {
                _statements.Add(sql, statement);
            }
        }

        for (var i = 0; i < values.Length; i++)
        {
            var parameter = statement.Parameters[i];
            parameter.ResetSqliteType();
            parameter.Value = values[i] ?? DBNull.Value;
        }

        return statement;
    }
}
