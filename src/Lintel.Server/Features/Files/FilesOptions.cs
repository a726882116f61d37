using Lintel.Platform.Configuration;

namespace Lintel.Features.Files;

/// <summary>Where files are kept and how much anybody may have.</summary>
internal sealed record FilesOptions
{
    private const long Megabyte = 1024 * 1024;

    /// <summary>The largest file that one request of a form may bring.</summary>
    public long MaxFormFile { get; init; } = 10 * Megabyte;

    /// <summary>The largest file that comes in as many requests as it takes.</summary>
    public long MaxResumable { get; init; } = 5120 * Megabyte;

    /// <summary>What the files of one person may take together.</summary>
    public long Quota { get; init; } = 10_240 * Megabyte;

    /// <summary>How many files one person may have, unfinished uploads among them.</summary>
    public int MaxFiles { get; init; } = 10_000;

    /// <summary>How long an upload waits for its next bytes.</summary>
    public TimeSpan UploadsKept { get; init; } = TimeSpan.FromHours(24);

    /// <summary>The folder of files that are kept on disk.</summary>
    public required string Folder { get; init; }

    public static FilesOptions Read(SettingsReader settings)
    {
        var options = new FilesOptions
        {
            MaxFormFile = settings.Number("FILE_MAX_MB", 10, 1, 10_240) * Megabyte,
            MaxResumable = settings.Number("FILE_RESUMABLE_MAX_MB", 5120, 1, 48_000) * Megabyte,
            Quota = settings.Number("FILE_QUOTA_MB", 10_240, 1, 1_000_000_000) * Megabyte,
            MaxFiles = settings.Number("FILES_PER_ACCOUNT", 10_000, 1, 1_000_000),
            UploadsKept = TimeSpan.FromHours(settings.Number("FILE_UPLOAD_HOURS", 24, 1, 720)),
            Folder = Path.GetFullPath(settings.Text("FILES_FOLDER") ?? Path.Combine(settings.DataFolder, "files")),
        };
        return options;
    }
}
