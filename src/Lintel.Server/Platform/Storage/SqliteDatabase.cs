using System.Data.Common;
using Microsoft.Data.Sqlite;

namespace Lintel.Platform.Storage;

/// <summary>
/// Lintel on SQLite: one process owns the file. All writes go through one thread that commits many units of work together
/// (<see cref="SqliteWriter"/>); reads run on pooled connections and see the last commit.
/// </summary>
internal sealed class SqliteDatabase(string path, TimeProvider time, ILogger<SqliteDatabase> logger) : Database
{
    private const int MaxIdleReaders = 16;

    // Idle readers in slots of an array: taken and given back on every read, so without a lock or a queue behind one.
    private readonly SqliteSession?[] _readers = new SqliteSession?[MaxIdleReaders];
    private FileStream? _lock;
    private SqliteWriter? _writer;

    public override DatabaseKind Kind => DatabaseKind.Sqlite;

    private SqliteWriter Writer => _writer ?? throw new InvalidOperationException("The database is not open.");

    public override Task<T> WriteAsync<T>(Func<DbSession, ValueTask<T>> unit, CancellationToken cancellationToken) =>
        Writer.RunAsync(unit, cancellationToken);

    public override async Task<T> ReadAsync<T>(Func<DbSession, ValueTask<T>> unit, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        SqliteSession? session = null;
        try
        {
            session = TakeIdle() ?? new SqliteSession(ConnectionString(SqliteOpenMode.ReadOnly));
            var result = await unit(session);
            Return(session);
            return result;
        }
        catch (Exception failure)
        {
            session?.Dispose();
            if ((failure as DbException)?.ToUnavailable() is { } unavailable)
            {
                throw unavailable;
            }

            throw;
        }
    }

    public override async Task OpenAsync(CancellationToken cancellationToken)
    {
        SQLitePCL.Batteries_V2.Init();
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        TakeLock();

        SqliteSession? session = null;
        try
        {
            session = new SqliteSession(ConnectionString(SqliteOpenMode.ReadWriteCreate));
            session.Execute("PRAGMA page_size=4096");
            await session.QueryAsync("PRAGMA journal_mode=WAL", static row => row.GetString(0));
            session.Execute("PRAGMA synchronous=FULL");
            session.Execute("PRAGMA cache_size=-32000");
        }
        catch (DbException failure)
        {
            session?.Dispose();
            throw failure.ToUnavailable() ?? (Exception)failure;
        }

        _writer = new SqliteWriter(session, () => new SqliteSession(ConnectionString(SqliteOpenMode.ReadWrite)), logger);
        await Migrator.ApplyAsync(this, time, cancellationToken);
    }

    public override async ValueTask DisposeAsync()
    {
        // The writer last: the last connection to close brings the whole write-ahead log into the database, and a reader could not.
        while (TakeIdle() is { } reader)
        {
            reader.Dispose();
        }

        if (_writer is { } writer)
        {
            await writer.DisposeAsync();
        }

        _lock?.Dispose();
    }

    private SqliteSession? TakeIdle()
    {
        var start = Thread.GetCurrentProcessorId();
        for (var i = 0; i < MaxIdleReaders; i++)
        {
            ref var slot = ref _readers[(uint)(start + i) % MaxIdleReaders];
            if (slot is not null && Interlocked.Exchange(ref slot, null) is { } session)
            {
                return session;
            }
        }

        return null;
    }

    private void Return(SqliteSession session)
    {
        var start = Thread.GetCurrentProcessorId();
        for (var i = 0; i < MaxIdleReaders; i++)
        {
            ref var slot = ref _readers[(uint)(start + i) % MaxIdleReaders];
            if (slot is null && Interlocked.CompareExchange(ref slot, session, null) is null)
            {
                return;
            }
        }

        session.Dispose();
    }

    private string ConnectionString(SqliteOpenMode mode) => new SqliteConnectionStringBuilder
    {
        DataSource = path,
        Mode = mode,
        Pooling = false,
    }.ConnectionString;

    /// <summary>Two servers on one file would each believe that they own its jobs; the second one must not start.</summary>
    private void TakeLock()
    {
        try
        {
            _lock = new FileStream(path + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException failure)
        {
            throw new StorageUnavailableException(
                $"Another Lintel server uses the database {path}; stop it first, give this one its own LINTEL_DATA, or move both to PostgreSQL.", failure);
        }
    }
}
