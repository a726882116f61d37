using System.Data.Common;
using System.Threading.Channels;
using SQLitePCL;

namespace Lintel.Platform.Storage;

/// <summary>
/// The one thread that writes to SQLite. It takes every unit of work that is waiting, runs them all in one transaction, commits once, and only
/// then completes them: the cost of making changes durable is shared by all who wait for it. A unit that fails fails alone.
/// </summary>
internal sealed partial class SqliteWriter : IAsyncDisposable
{
    // A full queue makes producers wait: that is their back-pressure.
    private const int QueueCapacity = 4096;

    // Bounds how long the first unit of a group waits for the last.
    private const int MaxGroup = 512;

    // The write-ahead log is copied back into the database by a thread of its own after so many changed rows.
    private const int CheckpointChanges = 15000;

    // A log that never rests is never emptied beside the writer; past so many pages (of 4 KB) the writer does it itself. The file keeps its size: growing it
    // again would cost more than writing into it.
    private const long MaxWalPages = 16384;

    // What one enormous transaction has made of the file is given back to the disk.
    private const long MaxWalFile = 256 * 1024 * 1024;

    // Synchronous continuations: whoever writes wakes the thread itself. By way of the thread pool it would wait there behind busy handlers.
    private readonly Channel<Unit> _queue = Channel.CreateBounded<Unit>(
        new BoundedChannelOptions(QueueCapacity) { SingleReader = true, AllowSynchronousContinuations = true, FullMode = BoundedChannelFullMode.Wait });

    private readonly SqliteSession _session;
    private readonly ILogger _logger;
    private readonly Thread _thread;
    private readonly Thread _checkpointThread;
    private readonly AutoResetEvent _checkpointDue = new(false);
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _stopping;
    private int _changesAtCheckpoint;
    private long _walPages;

    public SqliteWriter(SqliteSession session, Func<SqliteSession> openCheckpointer, ILogger logger)
    {
        _session = session;
        _logger = logger;
        session.Execute("PRAGMA wal_autocheckpoint=0");
        session.Execute($"PRAGMA journal_size_limit={MaxWalFile}");
        _thread = new Thread(Run) { IsBackground = true, Name = "sqlite-writer" };
        _checkpointThread = new Thread(() => Checkpoint(openCheckpointer)) { IsBackground = true, Name = "sqlite-checkpoint" };
        _thread.Start();
        _checkpointThread.Start();
    }

    public async Task<T> RunAsync<T>(Func<DbSession, ValueTask<T>> work, CancellationToken cancellationToken)
    {
        var unit = new Unit<T>(work, cancellationToken);
        if (!_queue.Writer.TryWrite(unit))
        {
            try
            {
                await _queue.Writer.WriteAsync(unit, cancellationToken);
            }
            catch (ChannelClosedException)
            {
                throw new StorageUnavailableException("The server is stopping; try again shortly.");
            }
        }

        return await unit.Task;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_queue.Writer.TryComplete())
        {
            return; // Disposed before.
        }

        await _stopped.Task;
        _stopping = true;
        _checkpointDue.Set();
        _checkpointThread.Join();
        _checkpointDue.Dispose();
        _session.Dispose();
    }

    private void Run()
    {
        var group = new List<Unit>(MaxGroup);
        var reader = _queue.Reader;
        while (WaitForWork(reader))
        {
            group.Clear();
            RunGroup(reader, group);
        }

        _stopped.SetResult();
    }

    private static bool WaitForWork(ChannelReader<Unit> reader)
    {
        var wait = reader.WaitToReadAsync();
        return wait.IsCompletedSuccessfully ? wait.GetAwaiter().GetResult() : wait.AsTask().GetAwaiter().GetResult();
    }

    private void RunGroup(ChannelReader<Unit> reader, List<Unit> group)
    {
        try
        {
            _session.Execute("BEGIN IMMEDIATE");
            var guarded = false;
            while (group.Count < MaxGroup && reader.TryRead(out var unit))
            {
                group.Add(unit);
                if (unit.IsCancelled)
                {
                    continue;
                }

                if (guarded)
                {
                    RunInSavepoint(unit);
                }
                else if (!TryRun(unit))
                {
                    // A savepoint for each unit would cost more than most units do, and few fail: so the first failure undoes the group, and the others begin again.
                    _session.Execute("ROLLBACK");
                    _session.Execute("BEGIN IMMEDIATE");
                    guarded = true;
                    foreach (var earlier in group)
                    {
                        if (earlier.IsExecuted)
                        {
                            RunInSavepoint(earlier);
                        }
                    }
                }
            }

            // A crash before this line: no unit of the group has happened. After it: all have.
            _session.Execute("COMMIT");
        }
        catch (Exception failure)
        {
            Abandon(reader, group, failure);
            return;
        }

        foreach (var unit in group)
        {
            unit.Complete(_logger);
        }

        CheckpointWhenDue();
    }

    private void RunInSavepoint(Unit unit)
    {
        _session.Execute("SAVEPOINT unit");
        if (!TryRun(unit))
        {
            _session.Execute("ROLLBACK TO unit");
        }

        _session.Execute("RELEASE unit");
    }

    /// <summary>False when the unit failed by itself: what it did must be undone, what the others did can stand.</summary>
    private bool TryRun(Unit unit)
    {
        try
        {
            unit.Execute(_session);
            return true;
        }
        catch (Exception failure) when (!IsFatal(failure))
        {
            unit.Fault(failure);
            _session.Forget();
            return false;
        }
    }

    /// <summary>True where SQLite may have given up the whole transaction (full disk, I/O error), so that no unit of the group can stand.</summary>
    private bool IsFatal(Exception failure) =>
        (failure as DbException)?.ToUnavailable() is not null || raw.sqlite3_get_autocommit(_session.Connection.Handle) != 0;

    private void Abandon(ChannelReader<Unit> reader, List<Unit> group, Exception failure)
    {
        Log.GroupFailed(_logger, failure, group.Count);
        _session.Forget();
        if (raw.sqlite3_get_autocommit(_session.Connection.Handle) == 0)
        {
            try
            {
                _session.Execute("ROLLBACK");
            }
            catch (DbException rollback)
            {
                Log.RollbackFailed(_logger, rollback);
            }
        }

        // BEGIN itself failed: whoever waits now has waited as long, and would only meet the same lock again, one after the other.
        if (group.Count == 0)
        {
            for (var waiting = reader.Count; waiting > 0 && reader.TryRead(out var unit); waiting--)
            {
                group.Add(unit);
            }
        }

        var cause = (failure as DbException)?.ToUnavailable() ?? failure;
        foreach (var unit in group)
        {
            unit.Fail(cause);
        }
    }

    private void CheckpointWhenDue()
    {
        var changes = raw.sqlite3_total_changes(_session.Connection.Handle);
        if (unchecked(changes - _changesAtCheckpoint) < CheckpointChanges)
        {
            return;
        }

        _changesAtCheckpoint = changes;
        if (Volatile.Read(ref _walPages) > MaxWalPages)
        {
            CheckpointIn(() => _session, "PRAGMA wal_checkpoint(RESTART)");
            Volatile.Write(ref _walPages, 0);
        }
        else
        {
            _checkpointDue.Set();
        }
    }

    /// <summary>Copies the write-ahead log back beside the writer, not in its way: a passive checkpoint waits for nobody.</summary>
    private void Checkpoint(Func<SqliteSession> open)
    {
        SqliteSession? session = null;
        while (_checkpointDue.WaitOne() && !_stopping)
        {
            CheckpointIn(() => session ??= open(), "PRAGMA wal_checkpoint(PASSIVE)");
        }

        session?.Dispose();
    }

    private void CheckpointIn(Func<SqliteSession> session, string pragma)
    {
        try
        {
            Volatile.Write(ref _walPages, session().QueryFirst(pragma, static row => row.GetInt64(1)));
        }
        catch (Exception failure)
        {
            // Whatever it is: an exception that left this thread would end the process.
            Log.CheckpointFailed(_logger, failure);
        }
    }

    private abstract class Unit
    {
        public abstract bool IsCancelled { get; }

        public bool IsExecuted { get; protected set; }

        public abstract void Execute(SqliteSession session);

        /// <summary>Remembers that the unit failed alone; told to its caller after the group's commit.</summary>
        public abstract void Fault(Exception failure);

        public abstract void Complete(ILogger logger);

        public abstract void Fail(Exception failure);
    }

    private sealed class Unit<T>(Func<DbSession, ValueTask<T>> work, CancellationToken cancellationToken) : Unit
    {
        private readonly TaskCompletionSource<T> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private List<Action>? _afterCommit;
        private Exception? _fault;
        private T _result = default!;

        public Task<T> Task => _completion.Task;

        public override bool IsCancelled => cancellationToken.IsCancellationRequested;

        public override void Execute(SqliteSession session)
        {
            // Complete when it returns: nothing a unit may await on SQLite is asynchronous.
            var pending = work(session);
            if (!pending.IsCompleted)
            {
                throw IsAsynchronous();
            }

            _result = pending.GetAwaiter().GetResult();
            var last = session.RunBeforeCommitAsync();
            if (!last.IsCompleted)
            {
                throw IsAsynchronous();
            }

            last.GetAwaiter().GetResult();
            _afterCommit = session.TakeAfterCommit();
            IsExecuted = true;
        }

        public override void Fault(Exception failure)
        {
            _fault = failure;
            IsExecuted = false;
        }

        public override void Complete(ILogger logger)
        {
            if (_fault is not null)
            {
                _completion.TrySetException(_fault);
                return;
            }

            if (!IsExecuted)
            {
                _completion.TrySetCanceled(cancellationToken);
                return;
            }

            foreach (var action in _afterCommit ?? [])
            {
                try
                {
                    action();
                }
                catch (Exception failure)
                {
                    Log.AfterCommitFailed(logger, failure);
                }
            }

            _completion.TrySetResult(_result);
        }

        public override void Fail(Exception failure) => _completion.TrySetException(failure);

        private static InvalidOperationException IsAsynchronous() => new("A unit of work awaited something other than its database session.");
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "A group of {Units} units of work could not be committed.")]
        public static partial void GroupFailed(ILogger logger, Exception failure, int units);

        [LoggerMessage(2, LogLevel.Error, "The failed transaction could not be rolled back.")]
        public static partial void RollbackFailed(ILogger logger, Exception failure);

        [LoggerMessage(3, LogLevel.Warning, "The write-ahead log could not be copied back; it will be tried again.")]
        public static partial void CheckpointFailed(ILogger logger, Exception failure);

        [LoggerMessage(4, LogLevel.Error, "An action after a commit failed.")]
        public static partial void AfterCommitFailed(ILogger logger, Exception failure);
    }
}
