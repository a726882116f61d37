using Lintel.Platform.Health;

namespace Lintel.Platform.Storage;

/// <summary>Ready when the database can be written, and not only read.</summary>
internal sealed class DatabaseCheck(Database database) : IReadinessCheck
{
    public string Name => "database";

    public async ValueTask<Readiness> CheckAsync(CancellationToken cancellationToken)
    {
        try
        {
            // A value that changes: SQLite writes nothing where the content stays the same.
            await database.WriteAsync(
                async session => { await session.ExecuteAsync("UPDATE schema_migration SET checks = checks + 1 WHERE number = 1"); }, cancellationToken);
            return Readiness.Ready;
        }
        catch (StorageUnavailableException failure)
        {
            return Readiness.Failed(failure.Message);
        }
    }
}
