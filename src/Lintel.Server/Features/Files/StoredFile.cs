using System.Data.Common;
using Lintel.Platform.Storage;

namespace Lintel.Features.Files;

/// <summary>The states of a file's row.</summary>
internal static class FileStates
{
    /// <summary>Its bytes are still coming.</summary>
    public const string Uploading = "uploading";

    /// <summary>It is all there, and never changes.</summary>
    public const string Ready = "ready";

    /// <summary>Nobody sees it any more; what is stored of it is being removed.</summary>
    public const string Deleted = "deleted";
}

/// <summary>Somebody's file, or what has come of it.</summary>
/// <param name="Number">The order in which files were begun.</param>
/// <param name="Size">How long it is in the end; -1 while nobody knows.</param>
/// <param name="Received">How much of it is stored for good.</param>
/// <param name="Metadata">Of a resumable upload, as its client sent it.</param>
/// <param name="Draft">What the storage needs to know to go on with an upload; empty where it has not told yet, null where there is no draft any more.</param>
/// <param name="ExpiresAt">When what is stored of it is removed; null for a file that is ready.</param>
internal sealed record StoredFile(
    long Number,
    Guid Id,
    long UserId,
    string State,
    string Filename,
    string ContentType,
    long Size,
    long Received,
    string? Sha256,
    string? Metadata,
    string? Draft,
    DateTimeOffset CreatedAt,
    DateTimeOffset? ExpiresAt)
{
    public const string Columns = "number, id, user_id, state, filename, content_type, size, received, sha256, metadata, draft, created_at, expires_at";

    public bool IsReady => State == FileStates.Ready;

    public string ETag => $"\"{Sha256}\"";

    public static StoredFile Map(DbDataReader row) => new(
        row.GetInt64(0),
        row.GetGuid(1),
        row.IsDBNull(2) ? 0 : row.GetInt64(2),
        row.GetString(3),
        row.GetString(4),
        row.GetString(5),
        row.GetInt64(6),
        row.GetInt64(7),
        row.GetNullableString(8),
        row.GetNullableString(9),
        row.GetNullableString(10),
        row.GetInstant(11),
        row.GetNullableInstant(12));
}

/// <summary>A file that is to be made.</summary>
/// <param name="Filename">As it is told to whoever gets the file; never a name in the storage.</param>
/// <param name="ContentType">What its content is said to be; null where nothing was said.</param>
internal sealed record NewFile(Guid Id, long UserId, string Filename, string? ContentType);
