using System.Data.Common;

namespace Lintel.Platform.Storage;

/// <summary>A connection in use by one unit of work. Not for sharing between threads.</summary>
internal abstract class DbSession
{
    private List<Action>? _afterCommit;
    private List<(object State, Func<ValueTask> Run)>? _beforeCommit;

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

    /// <summary>
    /// Runs <paramref name="action"/> as the last that the unit does, however early it is asked for: for rows that many units write. So they are locked after all others, and only for as long
    /// as the commit takes; two units that hold something which the other wants cannot come of it.
    /// </summary>
    /// <returns>What the action is given, the same for all who ask in this unit: what is to be done is collected there.</returns>
    public TState BeforeCommit<TState>(Func<TState, ValueTask> action)
        where TState : class, new()
    {
        foreach (var (known, _) in _beforeCommit ?? [])
        {
            if (known is TState state)
            {
                return state;
            }
        }

        var made = new TState();
        (_beforeCommit ??= []).Add((made, () => action(made)));
        return made;
    }

    internal async ValueTask RunBeforeCommitAsync()
    {
        // Taken out before it runs: what it asks for itself is not added to what is being done already, but is done after it.
        while (_beforeCommit is [{ Run: var run }, ..])
        {
            _beforeCommit.RemoveAt(0);
            await run();
        }
    }

    internal List<Action>? TakeAfterCommit()
    {
        var actions = _afterCommit;
        _afterCommit = null;
        return actions;
    }

    /// <summary>Forgets what a unit that failed asked for.</summary>
    internal void Forget()
    {
        _afterCommit = null;
        _beforeCommit = null;
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
