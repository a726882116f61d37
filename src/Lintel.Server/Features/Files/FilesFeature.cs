using Lintel.Features.Files.Storage;
using Lintel.Features.Files.Tus;
using Lintel.Platform.Breakers;
using Lintel.Platform.Configuration;
using Lintel.Platform.Health;
using Lintel.Platform.Http;
using Lintel.Platform.OpenApi;
using Lintel.Platform.Privacy;

namespace Lintel.Features.Files;

internal static class FilesFeature
{
    public static void AddFiles(this IHostApplicationBuilder builder)
    {
        var options = builder.AddSettings(FilesOptions.Read);
        builder.AddJson(FilesJson.Default);
        builder.DescribeTag("Files", "What you have stored: uploaded in one request or in as many as a bad connection takes, got back whole or in parts, and given to jobs.");
        if (options.S3 is { } s3)
        {
            builder.AddBreaker(S3Store.BreakerName, new() { IsFailure = S3Store.IsOutage });
            builder.Services.AddSingleton(s3);
            builder.Services.AddSingleton<S3Store>();
            builder.Services.AddSingleton<IFileStorage, S3Storage>();
        }
        else
        {
            builder.Services.AddSingleton<FreeSpace>(static folder => new DriveInfo(OperatingSystem.IsWindows() ? Path.GetPathRoot(folder)! : folder).AvailableFreeSpace);
            builder.Services.AddSingleton<DiskRoom>();
            builder.Services.AddSingleton<IFileStorage, DiskStorage>();
        }

        builder.Services.AddSingleton<IPersonalData, FilePersonalData>();
        builder.Services.AddSingleton<FileTable>();
        builder.Services.AddSingleton<UploadLeases>();
        builder.Services.AddSingleton<FileUploads>();
        builder.Services.AddSingleton<FileDownloads>();
        builder.Services.AddSingleton<JobFiles>();
        builder.Services.AddSingleton<ContentDigests>();
        builder.Services.AddSingleton<ResumableUploads>();
        builder.Services.AddSingleton<FileSweepWorker>();
        builder.Services.AddHostedService(static services => services.GetRequiredService<FileSweepWorker>());
        builder.Services.AddSingleton<IReadinessCheck, FileStorageCheck>();
    }

    /// <summary>Tells whether files can be stored. Where they cannot, the node serves everything else.</summary>
    private sealed class FileStorageCheck(IFileStorage storage) : IReadinessCheck
    {
        public string Name => "files";

        public async ValueTask<Readiness> CheckAsync(CancellationToken cancellationToken)
        {
            try
            {
                await storage.CheckAsync(cancellationToken);
                return Readiness.Ready;
            }
            catch (Platform.Errors.ServiceUnavailableException failure)
            {
                return Readiness.Degraded(failure.Message);
            }
        }
    }
}
