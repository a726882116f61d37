using System.Buffers;
using Lintel.Features.Files.Storage;
using Lintel.Platform.Errors;

namespace Lintel.Features.Files;

/// <summary>Takes whole files from one stream. At no time is more of a file in memory than one buffer.</summary>
internal sealed partial class FileUploads(FileTable table, IFileStorage storage, UploadLeases leases, ILogger<FileUploads> logger)
{
    public const int BufferSize = 64 * 1024;

    // Room is taken in steps, or each buffer would cost a transaction.
    private const long ReservationStep = 4 * 1024 * 1024;

    /// <summary>Stores what a stream has to its end, and shows the file once all of it is stored for good. Where it fails, nothing is left.</summary>
    /// <param name="content">Its failures are not caught.</param>
    /// <param name="limit">The most that it may have.</param>
    /// <exception cref="FileStorageException">The storage does not work now.</exception>
    public async Task<UploadResult> SaveAsync(NewFile file, Stream content, long limit, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            // Before anything is stored: most of what is refused is refused here.
            var read = await content.ReadAtLeastAsync(buffer.AsMemory(0, BufferSize), BufferSize, throwOnEndOfStream: false, cancellationToken);
            if (read > limit)
            {
                return new(null, UploadRefusal.TooLarge);
            }

            if (ContentTypes.Check(buffer.AsSpan(0, Math.Min(read, ContentTypes.HeadLength)), file.ContentType, file.Filename, out var type) is { } problem)
            {
                return new(null, UploadRefusal.WrongType, problem);
            }

            storage.CheckRoom(read);
            var lease = Guid.NewLease();
            var room = await table.AddAsync(file with { ContentType = type }, lease, size: -1, reserved: read, metadata: null, cancellationToken);
            if (room != Reservation.Made)
            {
                return new(null, Refusal(room));
            }

            return await SaveAsync(file, type, new Incoming(content, buffer, read, limit), lease, cancellationToken);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Removes what is stored of a file that is hidden already. What cannot be removed now stays for the worker.</summary>
    public async Task RemoveAsync(StoredFile? hidden)
    {
        if (hidden is null)
        {
            return;
        }

        try
        {
            // Begun, it is not left half done because a client went away.
            await storage.DeleteAsync(hidden.Id, hidden.Draft, CancellationToken.None);
            await table.ForgetAsync(hidden.Id, CancellationToken.None);
        }
        catch (ServiceUnavailableException failure)
        {
            Log.NotRemoved(logger, hidden.Id, failure.InnerException?.Message ?? failure.Message);
        }
    }

    public static UploadRefusal Refusal(Reservation room) => room switch
    {
        Reservation.Made => UploadRefusal.None,
        Reservation.OverQuota => UploadRefusal.OverQuota,
        Reservation.TooMany => UploadRefusal.TooMany,
        _ => UploadRefusal.NotFound,
    };

    private async Task<UploadResult> SaveAsync(NewFile file, string type, Incoming incoming, Guid lease, CancellationToken cancellationToken)
    {
        using var lost = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var over = new CancellationTokenSource();
        var renewing = leases.KeepAsync(file.Id, lease, lost, over.Token);
        var result = default(UploadResult);
        try
        {
            // A crash here leaves a row that expires, and what is stored with it.
            await using var draft = await storage.OpenDraftAsync(file.Id, 0, "", lost.Token);
            using var digest = new ContentDigest();
            var refusal = await CopyAsync(file, incoming, draft, digest, lease, lost.Token);
            if (refusal != UploadRefusal.None)
            {
                return result = new(null, refusal);
            }

            await draft.CommitAsync(lost.Token);

            // A crash here too: the bytes are all there, and nobody was told so.
            var stored = await table.FinishAsync(file.Id, lease, digest.Length, type, digest.Sha256(), lost.Token);
            return result = new(stored, stored is null ? UploadRefusal.NotFound : UploadRefusal.None);
        }
        catch (OperationCanceledException) when (lost.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            // It is not its writer's any more; or that is not known, which this tells then.
            await renewing;
            return new(null, UploadRefusal.NotFound);
        }
        finally
        {
            await over.CancelAsync();
            await renewing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (result.File is null)
            {
                await RemoveAsync(await table.AbandonAsync(file.Id, lease, CancellationToken.None));
            }
        }
    }

    private async Task<UploadRefusal> CopyAsync(NewFile file, Incoming incoming, DraftWriter draft, ContentDigest digest, Guid lease, CancellationToken cancellationToken)
    {
        var (content, buffer, read, limit) = incoming;
        var reserved = (long)read;
        while (read > 0)
        {
            if (digest.Length + read > limit)
            {
                return UploadRefusal.TooLarge;
            }

            if (digest.Length + read > reserved)
            {
                var step = Math.Min(ReservationStep, limit - reserved);
                var room = await table.GrowAsync(file.Id, file.UserId, lease, step, cancellationToken);
                if (room == Reservation.OverQuota)
                {
                    // Near the end of the quota there is room for this much perhaps.
                    step = digest.Length + read - reserved;
                    room = await table.GrowAsync(file.Id, file.UserId, lease, step, cancellationToken);
                }

                if (room != Reservation.Made)
                {
                    return Refusal(room);
                }

                reserved += step;
            }

            var bytes = buffer.AsMemory(0, read);
            digest.Append(bytes.Span);
            await draft.WriteAsync(bytes, cancellationToken);
            read = await content.ReadAtLeastAsync(buffer.AsMemory(0, BufferSize), BufferSize, throwOnEndOfStream: false, cancellationToken);
        }

        return UploadRefusal.None;
    }

    /// <summary>What comes, of which the first bytes are in the buffer.</summary>
    private readonly record struct Incoming(Stream Content, byte[] Buffer, int Read, long Limit);

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "What is stored of the file {FileId} could not be removed and is tried again later: {Reason}")]
        public static partial void NotRemoved(ILogger logger, Guid fileId, string reason);
    }
}

internal static class LeaseExtensions
{
    extension(Guid)
    {
        /// <summary>A name for one writer.</summary>
        public static Guid NewLease() => Guid.CreateVersion7();
    }
}
