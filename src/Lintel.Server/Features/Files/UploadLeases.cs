using Lintel.Platform.Storage;

namespace Lintel.Features.Files;

/// <summary>Keeps the leases of those who write, however slowly their bytes come.</summary>
internal sealed partial class UploadLeases(FileTable table, TimeProvider time, ILogger<UploadLeases> logger)
{
    private static readonly TimeSpan RenewInterval = FileTable.LeaseTime / 3;

    /// <summary>Tells now and then that the writer is alive, and stops it when the upload is not its own any more.</summary>
    /// <param name="lost">Is cancelled then.</param>
    /// <param name="over">The writer has ended.</param>
    /// <exception cref="StorageUnavailableException">The database could not be told; whose the upload is now is not known.</exception>
    public async Task KeepAsync(Guid id, Guid lease, CancellationTokenSource lost, CancellationToken over)
    {
        using var timer = new PeriodicTimer(RenewInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(over))
            {
                if (!await table.RenewAsync(id, lease, over))
                {
                    await lost.CancelAsync();
                    return;
                }
            }
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
        }
        catch (StorageUnavailableException failure)
        {
            Log.NotRenewed(logger, id, failure.Message);
            await lost.CancelAsync();
            throw;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "The upload {FileId} is stopped, since the database cannot be told that it goes on: {Reason}")]
        public static partial void NotRenewed(ILogger logger, Guid fileId, string reason);
    }
}
