using System.Buffers;
using System.Security.Cryptography;
using Lintel.Features.Files.Storage;

namespace Lintel.Features.Files.Tus;

/// <summary>
/// Takes files in as many requests as it takes. What arrived is kept when a request breaks off; of two requests that want to write at the same offset the database lets one.
/// The last byte makes it a file, by the same checks as any other.
/// </summary>
internal sealed class ResumableUploads(FileTable table, IFileStorage storage, FileUploads uploads, ContentDigests digests, UploadLeases leases)
{
    // So much at most is sent again after a crash of the server; a connection's end loses nothing.
    private const long RecordedStep = 16 * 1024 * 1024;

    /// <summary>Begins an upload and takes room for all of it.</summary>
    /// <exception cref="FileStorageException">The storage has no room for it now.</exception>
    public Task<Reservation> CreateAsync(NewFile file, long length, string? metadata, CancellationToken cancellationToken)
    {
        storage.CheckRoom(length);
        return table.AddAsync(file, lease: null, length, reserved: length, metadata, cancellationToken);
    }

    /// <summary>Goes on with an upload.</summary>
    /// <param name="offset">Where the caller believes it to be.</param>
    /// <param name="content">The bytes from there on; null where there are none, which then costs no more than to look. When it breaks off, what came before that is kept.</param>
    /// <param name="checksum">What the bytes must be, all together, or none of them is kept.</param>
    /// <exception cref="FileStorageException">The storage does not work now.</exception>
    public async Task<UploadResult> AppendAsync(Guid id, long userId, long offset, Stream? content, UploadChecksum? checksum, CancellationToken cancellationToken)
    {
        if (content is null)
        {
            var (look, found) = await table.LookAsync(id, userId, offset, cancellationToken);
            if (look != Claim.Made || found!.Received < found.Size)
            {
                return look != Claim.Made ? Refuse(look, found)
                    : IsWrong(checksum) ? new(found, UploadRefusal.WrongChecksum)
                    : new(found);
            }
        }

        var lease = Guid.NewLease();
        var (claim, file) = await table.ClaimAsync(id, userId, offset, lease, cancellationToken);
        if (claim != Claim.Made)
        {
            return Refuse(claim, file);
        }

        using var lost = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var over = new CancellationTokenSource();
        var renewing = leases.KeepAsync(id, lease, lost, over.Token);
        var writing = new Writing(file!, lease, digests.Take(id, offset));
        try
        {
            return await AppendAsync(writing, content ?? Stream.Null, checksum, lost.Token);
        }
        catch (OperationCanceledException) when (lost.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            // It was ended, or taken over, by somebody else; or that is not known, which this tells then.
            await renewing;
            return new(null, UploadRefusal.NotFound);
        }
        finally
        {
            await over.CancelAsync();
            await renewing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await ReleaseAsync(writing);
        }
    }

    /// <summary>Makes a file of an upload that is all there, where a crash came between its last byte and that.</summary>
    public Task<UploadResult> FinishAsync(StoredFile whole, CancellationToken cancellationToken) =>
        AppendAsync(whole.Id, whole.UserId, whole.Size, null, null, cancellationToken);

    private static UploadResult Refuse(Claim claim, StoredFile? file) =>
        new(file, claim switch { Claim.WrongOffset => UploadRefusal.WrongOffset, Claim.Locked => UploadRefusal.Locked, _ => UploadRefusal.NotFound });

    /// <summary>Whether a checksum is that of anything but nothing.</summary>
    private static bool IsWrong(UploadChecksum? checksum)
    {
        using var nothing = checksum?.Begin();
        return nothing is not null && !checksum!.Matches(nothing);
    }

    private async Task<UploadResult> AppendAsync(Writing writing, Stream content, UploadChecksum? checksum, CancellationToken cancellationToken)
    {
        await using var draft = await storage.OpenDraftAsync(writing.File.Id, writing.File.Received, writing.File.Draft ?? "", cancellationToken);
        using var check = checksum?.Begin();
        var (refusal, message, broken) = await CopyAsync(writing, draft, content, check, cancellationToken);
        if (refusal == UploadRefusal.WrongType)
        {
            await DiscardAsync(writing);
            return new(null, refusal, message);
        }

        // A checksum of half of the bytes says nothing: none of them is kept. The next writer begins where this one did.
        if (check is not null && (broken is not null || !checksum!.Matches(check)))
        {
            writing.Forget();
            return broken is null ? new(writing.File, UploadRefusal.WrongChecksum) : throw broken;
        }

        // Begun, it is not left because the client went away: that is what a resumable upload is for.
        var isWhole = refusal == UploadRefusal.None && broken is null && writing.Received == writing.File.Size;
        if (!isWhole && writing.Received == writing.Recorded)
        {
            // Nothing came since the last note. The lease is let go of below.
            return broken is null ? new(writing.File with { Received = writing.Received }, refusal) : throw broken;
        }

        if (!await RecordAsync(writing, draft, isLast: true, keepsLease: isWhole, CancellationToken.None))
        {
            return new(null, UploadRefusal.NotFound);
        }

        return isWhole ? await FinishAsync(writing, draft)
            : broken is not null ? throw broken
            : new(writing.File with { Received = writing.Received }, refusal);
    }

    /// <summary>Writes what comes, until it ends, breaks off or is refused.</summary>
    private async Task<(UploadRefusal Refusal, string? Message, Exception? Broken)> CopyAsync(
        Writing writing, DraftWriter draft, Stream content, IncrementalHash? check, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(FileUploads.BufferSize);
        try
        {
            while (true)
            {
                int read;
                try
                {
                    read = await content.ReadAsync(buffer.AsMemory(0, FileUploads.BufferSize), cancellationToken);
                }
                catch (Exception failure) when (failure is IOException or OperationCanceledException)
                {
                    return (UploadRefusal.None, null, failure);
                }

                if (read == 0)
                {
                    return default;
                }

                if (writing.Received + read > writing.File.Size)
                {
                    return (UploadRefusal.TooLarge, null, null);
                }

                var bytes = buffer.AsMemory(0, read);
                check?.AppendData(bytes.Span);

                // What is read is kept, whatever becomes of the connection meanwhile.
                await draft.WriteAsync(bytes, CancellationToken.None);
                if (writing.Append(bytes.Span) is { } problem)
                {
                    return (UploadRefusal.WrongType, problem, null);
                }

                if (check is null && writing.Received - writing.Recorded >= RecordedStep && !await RecordAsync(writing, draft, isLast: false, keepsLease: true, CancellationToken.None))
                {
                    return (UploadRefusal.NotFound, null, null);
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Stores for good what has come, and notes how much that is.</summary>
    private async Task<bool> RecordAsync(Writing writing, DraftWriter draft, bool isLast, bool keepsLease, CancellationToken cancellationToken)
    {
        var (stored, state) = await draft.FlushAsync(isLast, cancellationToken);
        if (!keepsLease)
        {
            // Before the next writer may open it, which none can while it is open here.
            await draft.DisposeAsync();
        }

        // A crash here loses what came since the last note: the client sends it again.
        writing.IsLost = !await table.ProgressAsync(writing.File.Id, writing.Lease, stored, state, keepsLease, cancellationToken);
        (writing.Recorded, writing.State) = (stored, state);
        writing.IsReleased = !keepsLease;
        return !writing.IsLost;
    }

    private async Task<UploadResult> FinishAsync(Writing writing, DraftWriter draft)
    {
        var file = writing.File;
        await draft.CommitAsync(CancellationToken.None);

        // A crash here: whoever asks for the offset makes it a file, and so does whoever sends nothing more at the end.
        if (writing.Digest is null)
        {
            writing.Digest = await ReadAsync(file);
        }

        if (ContentTypes.Check(writing.Digest.Head, file.ContentType, file.Filename, out var type) is { } problem)
        {
            await DiscardAsync(writing);
            return new(null, UploadRefusal.WrongType, problem);
        }

        var stored = await table.FinishAsync(file.Id, writing.Lease, file.Size, type, writing.Digest.Sha256(), CancellationToken.None);
        writing.IsReleased = stored is not null;
        writing.IsLost = stored is null;
        return new(stored, stored is null ? UploadRefusal.NotFound : UploadRefusal.None);
    }

    /// <summary>What was not seen by one server from its beginning to its end is read again.</summary>
    private async Task<ContentDigest> ReadAsync(StoredFile file)
    {
        var digest = new ContentDigest();
        var buffer = ArrayPool<byte>.Shared.Rent(FileUploads.BufferSize);
        try
        {
            if (file.Size > 0)
            {
                await using var content = await storage.OpenReadAsync(file.Id, 0, file.Size, CancellationToken.None);
                int read;
                while (digest.Length < file.Size && (read = await content.ReadAsync(buffer.AsMemory(0, FileUploads.BufferSize), CancellationToken.None)) > 0)
                {
                    digest.Append(buffer.AsSpan(0, read));
                }
            }

            return digest.Length == file.Size ? digest : throw new FileStorageException("The file is shorter in the storage than it should be.");
        }
        catch
        {
            digest.Dispose();
            throw;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async Task DiscardAsync(Writing writing)
    {
        var abandoned = await table.AbandonAsync(writing.File.Id, writing.Lease, CancellationToken.None);
        (writing.IsReleased, writing.IsLost) = (abandoned is not null, abandoned is null);
        await uploads.RemoveAsync(abandoned);
    }

    /// <summary>Lets others write, and keeps the digest for them where it fits what is stored.</summary>
    private async Task ReleaseAsync(Writing writing)
    {
        var id = writing.File.Id;
        if (!writing.IsLost && !writing.IsReleased)
        {
            // It broke off between two notes, or the storage does not work: the last note counts.
            writing.Forget();
            writing.IsLost = !await table.ReleaseAsync(id, writing.Lease, CancellationToken.None);
        }

        if (writing.IsLost && await table.FindUploadAsync(id, writing.File.UserId, CancellationToken.None) is null)
        {
            // It was ended while this one wrote, which may have stored something behind that.
            await uploads.RemoveAsync(writing.File with { Draft = writing.State ?? writing.File.Draft });
        }

        if (writing.Digest is { } digest)
        {
            if (!writing.IsLost && digest.Length == writing.Recorded && digest.Length < writing.File.Size)
            {
                digests.Keep(id, digest);
            }
            else
            {
                digest.Dispose();
            }
        }
    }

    /// <summary>What one request knows of the upload that it writes to.</summary>
    private sealed class Writing(StoredFile file, Guid lease, ContentDigest? digest)
    {
        private bool _isChecked = file.Received >= ContentTypes.HeadLength;

        public StoredFile File => file;

        public Guid Lease => lease;

        public ContentDigest? Digest { get; set; } = digest;

        public long Received { get; private set; } = file.Received;

        /// <summary>How much the database knows to be stored for good.</summary>
        public long Recorded { get; set; } = file.Received;

        /// <summary>What the storage gave for that.</summary>
        public string? State { get; set; }

        public bool IsReleased { get; set; }

        public bool IsLost { get; set; }

        /// <summary>Counts what was written.</summary>
        /// <returns>What is wrong with the content, as soon as its beginning tells.</returns>
        public string? Append(ReadOnlySpan<byte> bytes)
        {
            Received += bytes.Length;
            Digest?.Append(bytes);
            if (_isChecked || Digest is not { IsHeadWhole: true })
            {
                return null;
            }

            _isChecked = true;
            return ContentTypes.Check(Digest.Head, file.ContentType, file.Filename, out _);
        }

        /// <summary>Takes back what was written since the last note.</summary>
        public void Forget()
        {
            if (Digest?.Length != Recorded)
            {
                Digest?.Dispose();
                Digest = null;
            }
        }
    }
}
