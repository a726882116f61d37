using System.Data.Common;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Lintel.Platform.Storage;

internal static class UniqueViolations
{
    // SQLITE_CONSTRAINT_UNIQUE
    private const int SqliteUnique = 2067;

    /// <summary>True where a unique index refused the row: another was there first.</summary>
    public static bool IsUniqueViolation(this DbException failure) => failure switch
    {
        SqliteException sqlite => sqlite.SqliteExtendedErrorCode == SqliteUnique,
        PostgresException postgres => postgres.SqlState == PostgresErrorCodes.UniqueViolation,
        _ => false,
    };
}
