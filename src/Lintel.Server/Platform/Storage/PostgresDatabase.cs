using System.Data.Common;
using Npgsql;

namespace Lintel.Platform.Storage;

/// <summary>Lintel on PostgreSQL: a unit of work is a transaction on a pooled connection, and any number of nodes share the database.</summary>
internal sealed class PostgresDatabase(NpgsqlDataSource source, TimeProvider time) : Database
{
    // A deadlock victim is run again; more than a few times in a row means something else is wrong.
    private const int MaxAttempts = 4;

    public override DatabaseKind Kind => DatabaseKind.Postgres;

    /// <summary>For what needs a connection of its own, such as LISTEN.</summary>
    public NpgsqlDataSource Source => source;

    public static PostgresDatabase Create(string connectionString, TimeProvider time)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString)
        {
            MaxAutoPrepare = 100,
            AutoPrepareMinUsages = 2,
            ApplicationName = "lintel",
            Timeout = 5,
            CommandTimeout = 30,
            NoResetOnClose = true,
        };
        return new PostgresDatabase(new NpgsqlDataSourceBuilder(settings.ConnectionString).Build(), time);
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

                // From here on the outcome must be known, whatever the caller's patience.
                await transaction.CommitAsync(CancellationToken.None);
                session.TakeAfterCommit()?.ForEach(static action => action());
                return result;
            }
            catch (DbException failure) when (failure.IsTransient() && attempt < MaxAttempts)
            {
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
}
