using Lintel.Platform.Configuration;
using Lintel.Platform.RateLimits;

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

    /// <summary>What stays free of the disk that files are kept on: often it is the database's too, which must be able to write.</summary>
    public long MinFree { get; init; } = 1024 * Megabyte;

    /// <summary>How often one owner may go on with uploads and end them: each is a transaction or two, however little it brings.</summary>
    public RateLimitPolicy UploadRequests { get; init; } = UploadsOf(600);

    /// <summary>The folder of files that are kept on disk.</summary>
    public required string Folder { get; init; }

    /// <summary>Where files are kept instead; null for the disk.</summary>
    public S3Options? S3 { get; init; }

    public static FilesOptions Read(SettingsReader settings)
    {
        var s3 = S3Options.Read(settings);
        return new()
        {
            MaxFormFile = settings.Number("FILE_MAX_MB", 10, 1, 10_240) * Megabyte,
            MaxResumable = settings.Number("FILE_RESUMABLE_MAX_MB", 5120, 1, 48_000) * Megabyte,
            Quota = settings.Number("FILE_QUOTA_MB", 10_240, 1, 1_000_000_000) * Megabyte,
            MaxFiles = settings.Number("FILES_PER_ACCOUNT", 10_000, 1, 1_000_000),
            UploadsKept = TimeSpan.FromHours(settings.Number("FILE_UPLOAD_HOURS", 24, 1, 720)),
            MinFree = settings.Number("FILE_MIN_FREE_MB", 1024, 0, 1_000_000_000) * Megabyte,
            UploadRequests = UploadsOf(settings.Number("RATE_LIMIT_UPLOADS", 600, 1, 1_000_000_000)),
            Folder = Path.GetFullPath(settings.Text("FILES_FOLDER") ?? Path.Combine(settings.DataFolder, "files")),
            S3 = settings.Choice("FILE_STORAGE", s3 is not null, ("disk", false), ("s3", true)) ? s3 ?? S3Options.Missing(settings) : null,
        };
    }

    private static RateLimitPolicy UploadsOf(int requests) => new("uploads", requests, TimeSpan.FromMinutes(1)) { CountsOwners = true };
}

/// <summary>An object store that speaks S3. It holds the secret key: never log it.</summary>
internal sealed record S3Options
{
    public required string Bucket { get; init; }

    /// <summary>The address of a store that is not Amazon's.</summary>
    public Uri? Endpoint { get; init; }

    public string Region { get; init; } = "us-east-1";

    /// <summary>Null where the machine's own credentials are taken.</summary>
    public string? AccessKey { get; init; }

    public string? SecretKey { get; init; }

    /// <summary>What the names of all objects begin with.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>The bucket is in the path rather than in the host's name.</summary>
    public bool UsesPathStyle { get; init; }

    public static S3Options? Read(SettingsReader settings)
    {
        var bucket = settings.Text("S3_BUCKET");
        var endpoint = settings.Text("S3_ENDPOINT") is { } text ? ReadEndpoint(settings, text) : null;
        var (access, secret) = (settings.Text("S3_ACCESS_KEY"), settings.Text("S3_SECRET_KEY"));
        if (access is null != secret is null)
        {
            settings.Refuse("S3_ACCESS_KEY", "and S3_SECRET_KEY must be given together");
        }

        var options = new S3Options
        {
            Bucket = bucket ?? "",
            Endpoint = endpoint,
            Region = settings.Text("S3_REGION") ?? "us-east-1",
            AccessKey = access,
            SecretKey = secret,
            Prefix = settings.Text("S3_PREFIX") is { } prefix ? prefix.Trim('/') + "/" : "",
            UsesPathStyle = settings.Flag("S3_PATH_STYLE", endpoint is not null),
        };
        return bucket is null ? null : options;
    }

    /// <summary>What stands in for a bucket that is not named; the server does not start with it.</summary>
    public static S3Options Missing(SettingsReader settings)
    {
        settings.Refuse("S3_BUCKET", "must name the bucket, since FILE_STORAGE is s3");
        return new() { Bucket = "" };
    }

    private static Uri? ReadEndpoint(SettingsReader settings, string text)
    {
        if (Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri.PathAndQuery == "/")
        {
            return uri;
        }

        settings.Refuse("S3_ENDPOINT", "must be an address such as https://s3.example.com");
        return null;
    }
}
