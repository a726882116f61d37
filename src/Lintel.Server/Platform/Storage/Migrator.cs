using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;

namespace Lintel.Platform.Storage;

/// <summary>Brings a database to this version's schema. Each step is a pair of SQL files, <c>0001_name.sqlite.sql</c> and <c>0001_name.postgres.sql</c>.</summary>
internal static class Migrator
{
    private const long PostgresLock = 0x4C696E74656C; // "Lintel": nodes that start together migrate one after the other.

    public static async Task ApplyAsync(Database database, TimeProvider time, CancellationToken cancellationToken)
    {
        var migrations = Load(database.Kind);
        var applied = await database.WriteAsync(session => ReadAppliedAsync(session), cancellationToken);
        Verify(migrations, applied);
        foreach (var migration in migrations.Skip(applied.Count))
        {
            await database.WriteAsync(session => ApplyAsync(session, migration, time), cancellationToken);
        }
    }

    /// <summary>The steps for a database, in order.</summary>
    public static IReadOnlyList<Migration> Load(DatabaseKind kind)
    {
        var assembly = Assembly.GetExecutingAssembly();
        var suffix = kind == DatabaseKind.Sqlite ? ".sqlite.sql" : ".postgres.sql";
        return
        [
            .. assembly.GetManifestResourceNames()
                .Where(name => name.StartsWith("Migrations/", StringComparison.Ordinal) && name.EndsWith(suffix, StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)
                .Select(name => Read(assembly, name, suffix)),
        ];
    }

    private static Migration Read(Assembly assembly, string resource, string suffix)
    {
        using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
        var sql = reader.ReadToEnd();
        var name = resource["Migrations/".Length..^suffix.Length];
        var number = int.Parse(name.AsSpan(0, 4), CultureInfo.InvariantCulture);
        return new Migration(number, name, sql, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(sql))));
    }

    private static async ValueTask<List<(int Number, string Hash)>> ReadAppliedAsync(DbSession session)
    {
        if (session.Kind == DatabaseKind.Postgres)
        {
            await session.ExecuteAsync("SELECT pg_advisory_xact_lock($1)", PostgresLock);
        }

        await session.ExecuteAsync(
            "CREATE TABLE IF NOT EXISTS schema_migration "
            + "(number INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL, applied_at BIGINT NOT NULL, checks BIGINT NOT NULL DEFAULT 0)");
        return await session.QueryAsync(
            "SELECT number, sha256 FROM schema_migration ORDER BY number",
            static row => (row.GetInt32(0), row.GetString(1)));
    }

    private static void Verify(IReadOnlyList<Migration> migrations, List<(int Number, string Hash)> applied)
    {
        if (applied.Count > migrations.Count)
        {
            throw new StorageUnavailableException(
                $"The database has migration {applied[^1].Number}, this version of Lintel knows only {migrations.Count}: "
                + "start a version at least as new as the one that last used it.");
        }

        for (var i = 0; i < applied.Count; i++)
        {
            if (applied[i].Number != migrations[i].Number || applied[i].Hash != migrations[i].Hash)
            {
                throw new StorageUnavailableException(
                    $"Migration {migrations[i].Name} of the database differs from this version's: "
                    + "the database was made by another build of Lintel. Use that build, or start with an empty database.");
            }
        }
    }

    private static async ValueTask ApplyAsync(DbSession session, Migration migration, TimeProvider time)
    {
        if (session.Kind == DatabaseKind.Postgres)
        {
            await session.ExecuteAsync("SELECT pg_advisory_xact_lock($1)", PostgresLock);
            if (await session.QueryFirstAsync("SELECT 1 FROM schema_migration WHERE number = $1", static row => row.GetInt32(0), migration.Number) == 1)
            {
                return; // Another node was faster.
            }
        }

        await session.ExecuteAsync(migration.Sql);
        await session.ExecuteAsync(
            "INSERT INTO schema_migration (number, name, sha256, applied_at) VALUES ($1, $2, $3, $4)",
            migration.Number,
            migration.Name,
            migration.Hash,
            time.GetMicroseconds());
    }
}

/// <param name="Number">Its place in the order, from 1.</param>
/// <param name="Hash">SHA-256 of the SQL: an applied step must never change.</param>
internal sealed record Migration(int Number, string Name, string Sql, string Hash);
