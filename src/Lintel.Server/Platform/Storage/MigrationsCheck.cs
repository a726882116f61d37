using Lintel.Platform.Health;

namespace Lintel.Platform.Storage;

/// <summary>Ready when the database has this version's schema: another version's node may have moved it on since this one started.</summary>
internal sealed class MigrationsCheck(Database database) : IReadinessCheck
{
    private readonly int _known = Migrator.Load(database.Kind).Count;

    public string Name => "migrations";

    public async ValueTask<Readiness> CheckAsync(CancellationToken cancellationToken)
    {
        try
        {
            var applied = await database.ReadAsync(
                session => session.QueryFirstAsync("SELECT count(*) FROM schema_migration", static row => row.GetInt64(0)), cancellationToken);
            return applied == _known
                ? Readiness.Ready
                : Readiness.Failed("The database has the schema of another version.");
        }
        catch (StorageUnavailableException failure)
        {
            return Readiness.Failed(failure.Message);
        }
    }
}
