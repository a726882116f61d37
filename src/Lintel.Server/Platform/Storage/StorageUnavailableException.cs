using System.Data.Common;
using Lintel.Platform.Errors;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Lintel.Platform.Storage;

/// <summary>The database cannot serve now: it is locked, full, or out of reach. Nothing of the failed unit of work was kept.</summary>
internal sealed class StorageUnavailableException(string message, Exception? inner = null) : ServiceUnavailableException(message, inner);

internal static class DbExceptionExtensions
{
    extension(DbException failure)
    {
        /// <summary>True where the same unit of work, run again, may well succeed at once.</summary>
        public bool IsTransient() => failure is PostgresException
        {
            SqlState: PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected,
        };

        /// <summary>The failure as a <see cref="StorageUnavailableException"/> when the database, not the statement, is at fault; else null.</summary>
        public StorageUnavailableException? ToUnavailable()
        {
            switch (failure)
            {
                case SqliteException { SqliteErrorCode: 13 }:
                    return new("The disk that holds the database is full; free some space and try again.", failure);
                case SqliteException { SqliteErrorCode: 5 or 6 }:
                    return new("The database is locked by another program; try again shortly.", failure);
                case SqliteException { SqliteErrorCode: 7 or 8 or 10 or 11 or 14 or 26 }:
                    return new("The database cannot be read or written now; try again shortly.", failure);
                case PostgresException { SqlState: var state } when state[..2] is "08" or "28" or "53" or "57" or "58" || state is "25006" or "3D000" or "55P03":
                case NpgsqlException and not PostgresException:
                    return new("The database is out of reach; try again shortly.", failure);
                default:
                    return null;
            }
        }
    }
}
