namespace Lintel.Platform.Storage;

/// <summary>
/// The one way to the database. A unit of work is written once, in SQL that both databases understand, with positional
/// parameters (<c>$1</c>, <c>$2</c>, …); the implementation decides how it becomes durable.
/// </summary>
/// <remarks>
/// A unit may be run again after a deadlock or a serialization failure, so it must not have effects outside the session it is given;
/// those go into <see cref="DbSession.AfterCommit"/>.
/// </remarks>
internal abstract class Database : IAsyncDisposable
{
    public abstract DatabaseKind Kind { get; }

    /// <summary>Runs <paramref name="unit"/> atomically. The task completes when its changes are durable, or fails and nothing has happened.</summary>
    /// <exception cref="StorageUnavailableException">The database cannot be written now (locked, full, unreachable).</exception>
    public abstract Task<T> WriteAsync<T>(Func<DbSession, ValueTask<T>> unit, CancellationToken cancellationToken);

    /// <summary>Runs <paramref name="unit"/> for reading on a connection of its own. It sees what was committed before it began.</summary>
    /// <exception cref="StorageUnavailableException">The database cannot be read now.</exception>
    public abstract Task<T> ReadAsync<T>(Func<DbSession, ValueTask<T>> unit, CancellationToken cancellationToken);

    /// <summary>Prepares the database for use: takes its lock or checks its reach, and applies the migrations it lacks.</summary>
    public abstract Task OpenAsync(CancellationToken cancellationToken);

    public abstract ValueTask DisposeAsync();

    public Task WriteAsync(Func<DbSession, ValueTask> unit, CancellationToken cancellationToken) =>
        WriteAsync<bool>(
            async session =>
            {
                await unit(session);
                return true;
            },
            cancellationToken);
}
