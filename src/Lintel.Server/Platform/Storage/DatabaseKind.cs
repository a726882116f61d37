namespace Lintel.Platform.Storage;

/// <summary>The two databases that Lintel runs on.</summary>
internal enum DatabaseKind
{
    Sqlite,
    Postgres,
}
