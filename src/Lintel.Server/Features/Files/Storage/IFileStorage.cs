namespace Lintel.Features.Files.Storage;

/// <summary>
/// The bytes of files, by the ids that the server gives them. What is written is a draft until it is committed; then it never changes. Who may write to what, and what there is
/// at all, is the database's to know.
/// </summary>
internal interface IFileStorage
{
    /// <summary>Goes on with a draft, or begins one.</summary>
    /// <param name="length">How much of it is stored for good; what was written behind that is forgotten.</param>
    /// <param name="state">What <see cref="DraftWriter.FlushAsync"/> gave when that much was stored; empty where it was never asked.</param>
    /// <exception cref="FileStorageException">The storage does not work now.</exception>
    ValueTask<DraftWriter> OpenDraftAsync(Guid id, long length, string state, CancellationToken cancellationToken);

    /// <summary>Reads a part of a committed file.</summary>
    /// <exception cref="FileStorageException">The storage does not work now.</exception>
    ValueTask<Stream> OpenReadAsync(Guid id, long offset, long length, CancellationToken cancellationToken);

    /// <summary>Removes all that is stored under an id, whether a draft or a file; it may be nothing.</summary>
    /// <param name="state">As for <see cref="OpenDraftAsync"/>; null where there is no draft.</param>
    /// <exception cref="FileStorageException">The storage does not work now.</exception>
    ValueTask DeleteAsync(Guid id, string? state, CancellationToken cancellationToken);

    /// <summary>Tells, before anything else is done for them, whether so many bytes have room. It takes none: drafts look for themselves while they are written.</summary>
    /// <exception cref="FileStorageException">They have none.</exception>
    void CheckRoom(long bytes);

    /// <summary>Tells whether the storage can be written to.</summary>
    /// <exception cref="FileStorageException">It cannot.</exception>
    ValueTask CheckAsync(CancellationToken cancellationToken);
}

/// <summary>How far a draft is stored for good.</summary>
/// <param name="State">What another writer must know to go on from there.</param>
internal readonly record struct DraftMark(long Length, string State);

/// <summary>Writes to a draft, one request at a time.</summary>
internal abstract class DraftWriter : IAsyncDisposable
{
    /// <summary>Adds bytes to the end.</summary>
    /// <exception cref="FileStorageException">The storage does not work now.</exception>
    public abstract ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken);

    /// <summary>Stores for good what was written.</summary>
    /// <param name="isLast">Nothing more comes for now: all of it, and not only what costs little.</param>
    /// <exception cref="FileStorageException">The storage does not work now.</exception>
    public abstract ValueTask<DraftMark> FlushAsync(bool isLast, CancellationToken cancellationToken);

    /// <summary>Stores for good all that was written and makes it the file. It may be done again after a crash.</summary>
    /// <exception cref="FileStorageException">The storage does not work now.</exception>
    public abstract ValueTask CommitAsync(CancellationToken cancellationToken);

    public abstract ValueTask DisposeAsync();
}
