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
            // A row of our own, set to what it is: it takes the locks and the space that any change takes.
            await database.WriteAsync(
                async session => { await session.ExecuteAsync("UPDATE schema_migration SET applied_at = applied_at WHERE number = 1"); }, cancellationToken);
            return Readiness.Ready;
        }
        catch (StorageUnavailableException failure)
        {
            return Readiness.Failed(failure.Message);
        }
    }
}
