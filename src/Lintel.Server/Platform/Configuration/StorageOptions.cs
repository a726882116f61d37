using Lintel.Platform.Storage;

namespace Lintel.Platform.Configuration;

/// <summary>Which database, from <c>DATABASE_URL</c>.</summary>
internal sealed class StorageOptions
{
    public required DatabaseKind Kind { get; init; }

    /// <summary>The absolute path of the database file, where <see cref="Kind"/> is SQLite.</summary>
    public string SqlitePath { get; init; } = "";

    /// <summary>For Npgsql, where <see cref="Kind"/> is PostgreSQL. It holds the password: never log it.</summary>
    public string PostgresConnectionString { get; init; } = "";

    public static StorageOptions Read(SettingsReader settings)
    {
        if (settings.Text("DATABASE_URL") is not { } url)
        {
            return new() { Kind = DatabaseKind.Sqlite, SqlitePath = Path.Combine(settings.DataFolder, "lintel.db") };
        }

        try
        {
            return DatabaseUrl.Parse(url);
        }
        catch (FormatException failure)
        {
            settings.Refuse("DATABASE_URL", failure.Message);
            return new() { Kind = DatabaseKind.Sqlite };
        }
    }
}
