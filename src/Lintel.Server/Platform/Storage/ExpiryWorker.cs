using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Lintel.Platform.Storage;

/// <summary>Rows that are of no use any more some time after the moment that stands in them.</summary>
/// <param name="Key">The columns of the primary key, between commas.</param>
/// <param name="Column">When it is over, in microseconds; it has an index.</param>
/// <param name="Kept">How long they are kept after that.</param>
internal sealed record ExpiredRows(string Table, string Key, string Column, TimeSpan Kept)
{
    /// <summary>
    /// Deletes rows from before <c>$1</c>, <c>$2</c> of them at most. One that somebody is writing just now may begin another life with it: it is left alone, and nobody waits.
    /// </summary>
    public string DeleteOn(DatabaseKind kind) =>
        $"DELETE FROM {Table} WHERE ({Key}) IN (SELECT {Key} FROM {Table} WHERE {Column} < $1 LIMIT $2{(kind == DatabaseKind.Postgres ? " FOR UPDATE SKIP LOCKED" : "")})";
}

/// <summary>Forgets the rows of all tables that features named, one table after the other.</summary>
internal sealed partial class ExpiryWorker(Database database, IEnumerable<ExpiredRows> tables, TimeProvider time, ILogger<ExpiryWorker> logger)
    : RetentionWorker(database, time, logger, "Expired rows")
{
    public override async Task ForgetAsync(CancellationToken cancellationToken)
    {
        foreach (var table in tables)
        {
            try
            {
                await ForgetAsync(table.DeleteOn(Database.Kind), Time.GetUtcNow() - table.Kept, cancellationToken);
            }
            catch (Exception failure) when (failure is not LeaseLostException && !cancellationToken.IsCancellationRequested)
            {
                // One table that fails must not keep the others from being emptied.
                Log.Failed(logger, failure, table.Table);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "Expired rows of {Table} could not be forgotten; they are tried again.")]
        public static partial void Failed(ILogger logger, Exception failure, string table);
    }
}

internal static class ExpirySetup
{
    /// <summary>Has rows of <paramref name="table"/> forgotten when the moment in their <paramref name="column"/> is past.</summary>
    public static void AddExpiry(this IHostApplicationBuilder builder, string table, string key, string column = "expires_at", TimeSpan kept = default)
    {
        builder.Services.AddSingleton(new ExpiredRows(table, key, column, kept));
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, ExpiryWorker>());
    }
}
