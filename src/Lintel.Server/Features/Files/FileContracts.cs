using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Lintel.Platform.Http;
using Lintel.Platform.OpenApi;

namespace Lintel.Features.Files;

/// <summary>A form that brings a file.</summary>
/// <param name="File">The file, with its name and its type.</param>
public sealed record FileForm([property: Required] BinaryContent File);

/// <summary>A file. It never changes.</summary>
/// <param name="Id">Names the file in routes, and as the input of a job.</param>
/// <param name="Filename">The name that it was sent with, without folders and what could mislead.</param>
/// <param name="Size">Its length in bytes.</param>
/// <param name="ContentType">What it is, as it was declared and compared with its content.</param>
/// <param name="Sha256">The SHA-256 of its content in hex; as <c>ETag</c> it is in quotes.</param>
/// <param name="CreatedAt">When its upload began.</param>
/// <example>{"id":"019b3c4e-7a10-7c1e-9d3f-2f6a5b8c9d01","filename":"building.csv","size":48211,"content_type":"text/csv","sha256":"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08","created_at":"2026-01-31T12:00:00.123456Z"}</example>
public sealed record FileView(
    Guid Id,
    [property: Required] string Filename,
    long Size,
    [property: Required] string ContentType,
    [property: Required] string Sha256,
    DateTimeOffset CreatedAt)
{
    internal static FileView From(StoredFile file) => new(file.Id, file.Filename, file.Size, file.ContentType, file.Sha256!, file.CreatedAt);
}

/// <summary>A page of a person's files.</summary>
/// <param name="Files">Newest first.</param>
/// <param name="Next">Goes into <c>after</c> for the next page; null on the last one.</param>
public sealed record FileList([property: Required] IReadOnlyList<FileView> Files, string? Next);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(BinaryContent))]
[JsonSerializable(typeof(FileForm))]
[JsonSerializable(typeof(FileView))]
[JsonSerializable(typeof(FileList))]
internal sealed partial class FilesJson : JsonSerializerContext;
