using System.Globalization;
using Lintel.Platform.Storage;
using Npgsql;

namespace Lintel.Platform.Configuration;

/// <summary>Reads database URLs as they are written in other ecosystems too: <c>postgresql+asyncpg://…</c> means <c>postgresql://…</c>.</summary>
internal static class DatabaseUrl
{
    private const string Forms = "must look like sqlite:///./data/lintel.db (four slashes for an absolute path) or postgresql://user:password@host:5432/database";

    /// <exception cref="FormatException">The message goes on after the name of the setting and never repeats the URL.</exception>
    public static StorageOptions Parse(string url)
    {
        var colon = url.IndexOf("://", StringComparison.Ordinal);
        var scheme = colon > 0 ? url[..colon].ToLowerInvariant() : "";
        var driver = scheme.IndexOf('+', StringComparison.Ordinal);
        if (driver > 0)
        {
            scheme = scheme[..driver];
        }

        return scheme switch
        {
            "sqlite" => Sqlite(url[(colon + 3)..]),
            "postgres" or "postgresql" => Postgres("postgresql" + url[colon..]),
            _ => throw new FormatException(Forms),
        };
    }

    private static StorageOptions Sqlite(string rest)
    {
        // What stands before the third slash would be a host, and SQLite has none.
        var path = rest is ['/', ..] ? Uri.UnescapeDataString(rest[1..]) : "";
        if (path is "" or ":memory:" || rest.Contains('?', StringComparison.Ordinal))
        {
            throw new FormatException("must name a file, as in sqlite:///./data/lintel.db, without options: what is kept in memory would not survive a restart");
        }

        if (Path.EndsInDirectorySeparator(path) || Directory.Exists(path))
        {
            throw new FormatException("names a folder; add a file name, as in sqlite:///./data/lintel.db");
        }

        return new() { Kind = DatabaseKind.Sqlite, SqlitePath = Path.GetFullPath(path) };
    }

    private static StorageOptions Postgres(string url)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Host.Length == 0)
        {
            throw new FormatException(Forms + "; a password with special characters must be percent-encoded");
        }

        var database = Uri.UnescapeDataString(uri.AbsolutePath.TrimStart('/'));
        if (database.Length == 0 || database.Contains('/', StringComparison.Ordinal))
        {
            throw new FormatException("must end in the name of one database, as in postgresql://user:password@host:5432/lintel");
        }

        var connection = new NpgsqlConnectionStringBuilder
        {
            Host = uri.Host.Trim('[', ']'),
            Port = uri.Port > 0 ? uri.Port : 5432,
            Database = database,
        };
        var user = uri.UserInfo.Split(':', 2);
        if (user[0].Length != 0)
        {
            connection.Username = Uri.UnescapeDataString(user[0]);
        }

        if (user.Length == 2)
        {
            connection.Password = Uri.UnescapeDataString(user[1]);
        }

        foreach (var option in uri.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            Apply(connection, option);
        }

        return new() { Kind = DatabaseKind.Postgres, PostgresConnectionString = connection.ConnectionString };
    }

    private static void Apply(NpgsqlConnectionStringBuilder connection, string option)
    {
        var parts = option.Split('=', 2);
        var value = parts.Length == 2 ? Uri.UnescapeDataString(parts[1]) : "";
        switch (parts[0].ToLowerInvariant())
        {
            case "sslmode":
                connection.SslMode = value.ToLowerInvariant() switch
                {
                    "disable" => SslMode.Disable,
                    "allow" => SslMode.Allow,
                    "prefer" => SslMode.Prefer,
                    "require" => SslMode.Require,
                    "verify-ca" => SslMode.VerifyCA,
                    "verify-full" => SslMode.VerifyFull,
                    _ => throw new FormatException("has an unknown sslmode; use disable, allow, prefer, require, verify-ca or verify-full"),
                };
                break;
            case "host" when value.StartsWith('/'):
                // A folder of Unix sockets, as libpq writes it.
                connection.Host = value;
                break;
            case "sslrootcert":
                connection.RootCertificate = value;
                break;
            case "max_pool_size" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var size) && size > 0:
                connection.MaxPoolSize = size;
                break;
            default:
                throw new FormatException("has an option that is unknown here or wrong; sslmode, sslrootcert, host (a socket folder) and max_pool_size are understood");
        }
    }
}
