using System.Data.Common;
using Npgsql;

namespace Lintel.Platform.Storage;

/// <summary>Lintel on PostgreSQL: a unit of work is a transaction on a pooled connection, and any number of nodes share the database.</summary>
internal sealed partial class PostgresDatabase(NpgsqlDataSource source, TimeProvider time, ILogger<PostgresDatabase> logger) : Database
{
    // A deadlock victim is run again; more than a few times in a row means something else is wrong.
    private const int MaxAttempts = 4;

    public override DatabaseKind Kind => DatabaseKind.Postgres;

    /// <summary>For what needs a connection of its own, such as LISTEN.</summary>
    public NpgsqlDataSource Source => source;

    public static PostgresDatabase Create(string connectionString, TimeProvider time, ILogger<PostgresDatabase> logger)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString)
        {
            MaxAutoPrepare = 100,
            AutoPrepareMinUsages = 2,
            ApplicationName = "lintel",
            Timeout = 10,
            CommandTimeout = 30,
            NoResetOnClose = true,
        };
        return new PostgresDatabase(new NpgsqlDataSourceBuilder(settings.ConnectionString).Build(), time, logger);
    }

    public override async Task<T> WriteAsync<T>(Func<DbSession, ValueTask<T>> unit, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await using var connection = await source.OpenConnectionAsync(cancellationToken);
                var session = new PostgresSession(connection, cancellationToken);
                await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
                var result = await unit(session);
                await session.RunBeforeCommitAsync();

                // From here on the outcome must be known, whatever the caller's patience.
                await transaction.CommitAsync(CancellationToken.None);
                RunAfterCommit(session);
                return result;
            }
            catch (DbException failure) when (failure.IsTransient() && attempt < MaxAttempts)
            {
                Log.RunAgain(logger, failure.SqlState);

                // Run again at once, the victim of a deadlock takes its locks back before the other transaction wakes up, and meets it again.
                await Task.Delay(Random.Shared.Next(10, 30) * attempt, cancellationToken);
            }
            catch (DbException failure) when (failure.ToUnavailable() is { } unavailable)
            {
                throw unavailable;
            }
        }
    }

    public override async Task<T> ReadAsync<T>(Func<DbSession, ValueTask<T>> unit, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await source.OpenConnectionAsync(cancellationToken);
            return await unit(new PostgresSession(connection, cancellationToken));
        }
        catch (DbException failure) when (failure.ToUnavailable() is { } unavailable)
        {
            throw unavailable;
        }
    }

    public override Task OpenAsync(CancellationToken cancellationToken) => Migrator.ApplyAsync(this, time, cancellationToken);

    public override ValueTask DisposeAsync() => source.DisposeAsync();

    private void RunAfterCommit(PostgresSession session)
    {
        foreach (var action in session.TakeAfterCommit() ?? [])
        {
            try
            {
                action();
            }
            catch (Exception failure)
            {
                // The unit has happened: its caller must not hear otherwise.
                Log.AfterCommitFailed(logger, failure);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "An action after a commit failed.")]
        public static partial void AfterCommitFailed(ILogger logger, Exception failure);

        [LoggerMessage(2, LogLevel.Information, "A unit of work met another ({SqlState}) and is run again.")]
        public static partial void RunAgain(ILogger logger, string? sqlState);
    }
}
