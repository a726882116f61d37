using System.Collections.Frozen;
using System.Text;

namespace Lintel.Features.Files;

/// <summary>What a file is, told from its first bytes and compared with what it is said to be, by its type and by its name.</summary>
internal static class ContentTypes
{
    public const string Unknown = "application/octet-stream";
    public const string PlainText = "text/plain";

    /// <summary>As many of the first bytes as are looked at.</summary>
    public const int HeadLength = 512;

    private const string Zip = "application/zip";
    private const string Gzip = "application/gzip";
    private const string Ole = "application/x-ole-storage";

    /// <summary>The first bytes of types that have them, with the place where they are; the more special first.</summary>
    private static readonly (int At, byte[] Bytes, string Type)[] Signatures =
    [
        (0, [0x89, .. "PNG\r\n\x1A\n"u8], "image/png"),
        (0, [0xFF, 0xD8, 0xFF], "image/jpeg"),
        (0, [.. "GIF87a"u8], "image/gif"),
        (0, [.. "GIF89a"u8], "image/gif"),
        (8, [.. "WEBP"u8], "image/webp"),
        (8, [.. "WAVE"u8], "audio/wav"),
        (8, [.. "AVI "u8], "video/x-msvideo"),
        (4, [.. "ftypavif"u8], "image/avif"),
        (4, [.. "ftypheic"u8], "image/heic"),
        (4, [.. "ftypqt"u8], "video/quicktime"),
        (4, [.. "ftyp"u8], "video/mp4"),
        (0, [.. "%PDF-"u8], "application/pdf"),
        (0, [.. "PK\x03\x04"u8], Zip),
        (0, [.. "PK\x05\x06"u8], Zip),
        (0, [0x1F, 0x8B], Gzip),
        (0, [.. "BZh"u8], "application/x-bzip2"),
        (0, [0xFD, .. "7zXZ\0"u8], "application/x-xz"),
        (0, [0x28, 0xB5, 0x2F, 0xFD], "application/zstd"),
        (0, [.. "7z"u8, 0xBC, 0xAF, 0x27, 0x1C], "application/x-7z-compressed"),
        (0, [.. "Rar!\x1A\x07"u8], "application/vnd.rar"),
        (257, [.. "ustar"u8], "application/x-tar"),
        (0, [0x7F, .. "ELF"u8], "application/x-executable"),
        (0, [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1], Ole),
        (0, [.. "OggS"u8], "application/ogg"),
        (0, [.. "fLaC"u8], "audio/flac"),
        (0, [.. "ID3"u8], "audio/mpeg"),
        (0, [0x1A, 0x45, 0xDF, 0xA3], "video/webm"),
        (0, [.. "II*\0"u8], "image/tiff"),
        (0, [.. "MM\0*"u8], "image/tiff"),
        (0, [.. "wOFF"u8], "font/woff"),
        (0, [.. "wOF2"u8], "font/woff2"),
        (0, [.. "SQLite format 3\0"u8], "application/vnd.sqlite3"),
    ];

    private static readonly FrozenSet<string> WithSignature = Signatures.Select(static signature => signature.Type).Append("image/bmp").ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Types that have the first bytes of another: what is inside is told apart by neither.</summary>
    private static readonly FrozenDictionary<string, string> Containers = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["application/x-zip-compressed"] = Zip,
        ["application/java-archive"] = Zip,
        ["application/epub+zip"] = Zip,
        ["application/vnd.openxmlformats-officedocument.wordprocessingml.document"] = Zip,
        ["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"] = Zip,
        ["application/vnd.openxmlformats-officedocument.presentationml.presentation"] = Zip,
        ["application/vnd.oasis.opendocument.text"] = Zip,
        ["application/vnd.oasis.opendocument.spreadsheet"] = Zip,
        ["application/vnd.oasis.opendocument.presentation"] = Zip,
        ["application/x-gzip"] = Gzip,
        ["application/x-gtar"] = Gzip,
        ["application/msword"] = Ole,
        ["application/vnd.ms-excel"] = Ole,
        ["application/vnd.ms-powerpoint"] = Ole,
        ["audio/ogg"] = "application/ogg",
        ["video/ogg"] = "application/ogg",
        ["audio/mp4"] = "video/mp4",
        ["video/x-matroska"] = "video/webm",
        ["image/jpg"] = "image/jpeg",
        ["audio/x-wav"] = "audio/wav",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly FrozenDictionary<string, string> ByExtension = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
    {
        [".png"] = "image/png",
        [".jpg"] = "image/jpeg",
        [".jpeg"] = "image/jpeg",
        [".gif"] = "image/gif",
        [".webp"] = "image/webp",
        [".avif"] = "image/avif",
        [".heic"] = "image/heic",
        [".tif"] = "image/tiff",
        [".tiff"] = "image/tiff",
        [".bmp"] = "image/bmp",
        [".svg"] = "image/svg+xml",
        [".pdf"] = "application/pdf",
        [".zip"] = Zip,
        [".gz"] = Gzip,
        [".tgz"] = Gzip,
        [".7z"] = "application/x-7z-compressed",
        [".mp4"] = "video/mp4",
        [".mov"] = "video/quicktime",
        [".webm"] = "video/webm",
        [".mp3"] = "audio/mpeg",
        [".wav"] = "audio/wav",
        [".docx"] = "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        [".xlsx"] = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        [".pptx"] = "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        [".txt"] = PlainText,
        [".csv"] = "text/csv",
        [".md"] = "text/markdown",
        [".html"] = "text/html",
        [".htm"] = "text/html",
        [".xml"] = "application/xml",
        [".json"] = "application/json",
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    /// <summary>Those that a browser shows without running anything.</summary>
    private static readonly FrozenSet<string> Inline = FrozenSet.Create(StringComparer.Ordinal, "image/png", "image/jpeg", "image/gif", "image/webp", PlainText);

    /// <summary>A type without its parameters, in lower case; null for what is none.</summary>
    public static string? Normalize(string? type)
    {
        var bare = type?.Split(';', 2)[0].Trim().ToLowerInvariant();
        return bare is { Length: > 0 and <= 127 } && bare.Count('/') == 1 && bare[0] != '/' && bare[^1] != '/' && bare.All(static c => char.IsAsciiLetterOrDigit(c) || "/!#$&-^_.+".Contains(c, StringComparison.Ordinal))
            ? bare
            : null;
    }

    public static bool IsShownInline(string type) => Inline.Contains(type);

    /// <summary>Whether content of this type is sent as UTF-8 text.</summary>
    public static bool IsText(string type) => type.StartsWith("text/", StringComparison.Ordinal);

    /// <summary>Compares the first bytes of a file with what it is said to be.</summary>
    /// <param name="head">Its first <see cref="HeadLength"/> bytes, or all of them.</param>
    /// <param name="declared">The type that its sender gave; null or <see cref="Unknown"/> where none.</param>
    /// <param name="type">The type that it is kept with.</param>
    /// <returns>What is wrong; null where nothing is.</returns>
    public static string? Check(ReadOnlySpan<byte> head, string? declared, string filename, out string type)
    {
        var said = Normalize(declared) is { } normal && normal != Unknown ? normal : null;
        var named = ByExtension.GetValueOrDefault(Path.GetExtension(filename));
        var found = Sniff(head);
        type = said ?? named ?? found ?? (LooksLikeText(head) ? PlainText : Unknown);
        return Contradiction(head, found, said, "declared as") ?? Contradiction(head, found, named, "named like");
    }

    private static string? Contradiction(ReadOnlySpan<byte> head, string? found, string? claim, string how)
    {
        if (claim is null || head.IsEmpty)
        {
            return null;
        }

        var basis = Containers.GetValueOrDefault(claim, claim);
        if (found is not null)
        {
            return found == basis || (claim.StartsWith("application/", StringComparison.Ordinal) && !WithSignature.Contains(basis) && !IsKnownText(claim)) ? null
                : $"The content is {found}, but it is {how} {claim}. Send it as what it is.";
        }

        // Sound in frames has no beginning that all have.
        if (WithSignature.Contains(basis) && basis != "audio/mpeg")
        {
            return $"The content is not {claim}, although it is {how} that. Send it as what it is.";
        }

        return IsKnownText(claim) && !LooksLikeText(head) ? $"The content is not text, but it is {how} {claim}. Send it as what it is." : null;
    }

    private static bool IsKnownText(string type) =>
        IsText(type) || type is "application/json" or "application/xml" or "image/svg+xml" || type.EndsWith("+json", StringComparison.Ordinal) || type.EndsWith("+xml", StringComparison.Ordinal);

    private static string? Sniff(ReadOnlySpan<byte> head)
    {
        foreach (var (at, bytes, type) in Signatures)
        {
            if (head.Length >= at + bytes.Length && head[at..].StartsWith(bytes) && (at != 8 || head.StartsWith("RIFF"u8)))
            {
                return type;
            }
        }

        // Two letters are many texts' beginning too; the reserved bytes tell.
        return head.Length >= 14 && head.StartsWith("BM"u8) && head.Slice(6, 4).IndexOfAnyExcept((byte)0) < 0 ? "image/bmp" : null;
    }

    private static bool LooksLikeText(ReadOnlySpan<byte> head)
    {
        // As Excel saves it.
        if (head.StartsWith(Encoding.Unicode.Preamble) || head.StartsWith(Encoding.BigEndianUnicode.Preamble))
        {
            return true;
        }

        // In UTF-8 and in the old one-byte codes alike any byte from 0x80 on may belong to a letter.
        foreach (var value in head)
        {
            if (value < 0x20 && value is not ((byte)'\t' or (byte)'\n' or (byte)'\r' or 0x0C or 0x1B))
            {
                return false;
            }
        }

        return true;
    }
}
