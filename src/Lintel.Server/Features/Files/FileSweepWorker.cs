using Lintel.Features.Files.Storage;
using Lintel.Platform.Errors;
using Lintel.Platform.Storage;

namespace Lintel.Features.Files;

/// <summary>Removes what is stored of files that nobody will ask for again: deleted, given up by their uploader, or of an account that is gone. The bytes first, then the row.</summary>
internal sealed partial class FileSweepWorker(
    Database database, FileTable table, IFileStorage storage, ContentDigests digests, TimeProvider time, ILogger<FileSweepWorker> logger) : RetentionWorker(database, time, logger, "Old files")
{
    private const int BatchSize = 100;

    // The store is out of service perhaps, or this one thing cannot be removed: others come first then.
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMinutes(10);

    private bool _isStarted;

    public override async Task ForgetAsync(CancellationToken cancellationToken)
    {
        List<StoredFile> batch;
        do
        {
            batch = await table.ListExpiredAsync(BatchSize, cancellationToken);
            foreach (var file in batch)
            {
                await SweepAsync(file, cancellationToken);
            }
        }
        while (batch.Count == BatchSize);
    }

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        if (!_isStarted)
        {
            _isStarted = true;
            await table.ForgetLeasesAsync(cancellationToken);
        }

        await base.StartAsync(cancellationToken);
    }

    private async Task SweepAsync(StoredFile file, CancellationToken cancellationToken)
    {
        if (file.State != FileStates.Deleted && await table.ExpireAsync(file.Id, cancellationToken) is null)
        {
            // It went on meanwhile.
            return;
        }

        try
        {
            digests.Forget(file.Id);
            await storage.DeleteAsync(file.Id, file.Draft, cancellationToken);
            await table.ForgetAsync(file.Id, cancellationToken);
        }
        catch (ServiceUnavailableException failure) when (failure is not StorageUnavailableException)
        {
            Log.NotRemoved(logger, file.Id, failure.InnerException?.Message ?? failure.Message);
            await table.PostponeAsync(file.Id, RetryAfter, cancellationToken);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "What is stored of the file {FileId} could not be removed and is tried again later: {Reason}")]
        public static partial void NotRemoved(ILogger logger, Guid fileId, string reason);
    }
}
