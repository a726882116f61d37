using System.Data.Common;

namespace Lintel.Platform.Storage;

/// <summary>A connection in use by one unit of work. Not for sharing between threads.</summary>
internal abstract class DbSession
{
    private List<Action>? _afterCommit;

    public abstract DatabaseKind Kind { get; }

    /// <summary>SQL for the database's own clock in unix microseconds: what nodes compare each other's heartbeats by.</summary>
    public string Now => Kind == DatabaseKind.Sqlite
        ? "CAST(unixepoch('subsec') * 1000000 AS INTEGER)"
        : "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)";

    /// <summary>What a SELECT ends with to lock its rows until the unit ends: <paramref name="clause"/> on PostgreSQL. SQLite has one writer, and needs none.</summary>
    /// <param name="clause">Such as <c>FOR UPDATE</c>.</param>
    public string Lock(string clause) => Kind == DatabaseKind.Postgres ? " " + clause : "";

    /// <summary>Executes a statement and tells how many rows it changed.</summary>
    public abstract ValueTask<int> ExecuteAsync(string sql, params object?[] values);

    /// <summary>All rows of a query, each through <paramref name="map"/>.</summary>
    public abstract ValueTask<List<T>> QueryAsync<T>(string sql, Func<DbDataReader, T> map, params object?[] values);

    /// <summary>The first row of a query through <paramref name="map"/>, or the default when there is none.</summary>
    public abstract ValueTask<T?> QueryFirstAsync<T>(string sql, Func<DbDataReader, T> map, params object?[] values);

    /// <summary>
    /// Runs <paramref name="action"/> once the unit's changes are durable, in commit order on SQLite; never when the unit is undone. It must be short and must not throw.
    /// </summary>
    public void AfterCommit(Action action) => (_afterCommit ??= []).Add(action);

    internal List<Action>? TakeAfterCommit()
    {
        var actions = _afterCommit;
        _afterCommit = null;
        return actions;
    }
}

internal static class DbReaderExtensions
{
    extension(DbDataReader reader)
    {
        public string? GetNullableString(int ordinal) => reader.IsDBNull(ordinal) ? null : reader.GetString(ordinal);

        public Guid? GetNullableGuid(int ordinal) => reader.IsDBNull(ordinal) ? null : reader.GetGuid(ordinal);

        public byte[] GetBytes(int ordinal) => reader.GetFieldValue<byte[]>(ordinal);

        /// <summary>An instant stored as unix microseconds.</summary>
        public DateTimeOffset GetInstant(int ordinal) => Instant.FromMicroseconds(reader.GetInt64(ordinal));

        public DateTimeOffset? GetNullableInstant(int ordinal) => reader.IsDBNull(ordinal) ? null : Instant.FromMicroseconds(reader.GetInt64(ordinal));
    }
}
