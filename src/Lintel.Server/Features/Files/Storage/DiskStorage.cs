using Microsoft.Win32.SafeHandles;

namespace Lintel.Features.Files.Storage;

/// <summary>
/// Files in a folder. A draft lies beside them and takes its place by being renamed, so a file under its own name is whole. Where a crash of the machine undid the renaming
/// alone, it is done again when the file is next asked for.
/// </summary>
internal sealed class DiskStorage : IFileStorage
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    // EWOULDBLOCK, and ERROR_SHARING_VIOLATION.
    private const int LockedOnLinux = 11;
    private const int LockedOnMac = 35;
    private const int LockedOnWindows = unchecked((int)0x80070020);

    private readonly string _folder;
    private readonly string _drafts;

    private readonly DiskRoom _room;

    public DiskStorage(FilesOptions options, DiskRoom room)
    {
        _room = room;
        _folder = options.Folder;
        _drafts = Path.Combine(_folder, "drafts");
    }

    public ValueTask<DraftWriter> OpenDraftAsync(Guid id, long length, string state, CancellationToken cancellationToken) => Guarded(() =>
    {
        // All was committed by an attempt that ended right behind that: there is nothing more to write.
        if (length > 0 && !File.Exists(DraftOf(id)) && File.Exists(PathOf(id)))
        {
            return ValueTask.FromResult<DraftWriter>(new Draft(this, id, null, length));
        }

        MakeFolder(_drafts);
        var file = OpenAlone(DraftOf(id));
        try
        {
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(file, OwnerOnly);
            }

            var found = RandomAccess.GetLength(file);
            if (found < length)
            {
                throw new FileStorageException("A part of the upload is missing in the server's storage; begin it again.");
            }

            if (found > length)
            {
                RandomAccess.SetLength(file, length);
            }

            return ValueTask.FromResult<DraftWriter>(new Draft(this, id, file, length));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    });

    public ValueTask<Stream> OpenReadAsync(Guid id, long offset, long length, CancellationToken cancellationToken) => Guarded(() =>
    {
        if (!File.Exists(PathOf(id)) && File.Exists(DraftOf(id)))
        {
            Rename(id);
        }

        var file = new FileStream(PathOf(id), FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0, FileOptions.Asynchronous | FileOptions.SequentialScan);
        file.Position = offset;
        return ValueTask.FromResult<Stream>(file);
    });

    public ValueTask DeleteAsync(Guid id, string? state, CancellationToken cancellationToken) => Guarded(() =>
    {
        foreach (var path in new[] { DraftOf(id), PathOf(id) })
        {
            // Deleting in a folder that was never made is an error, deleting what is not there is not.
            if (File.Exists(path))
            {
                File.Delete(path);
            }
        }

        return ValueTask.CompletedTask;
    });

    public void CheckRoom(long bytes) => Guarded(() =>
    {
        MakeFolder(_drafts);
        return _room.Has(bytes) ? true : throw Full();
    });

    public ValueTask CheckAsync(CancellationToken cancellationToken) => Guarded(() =>
    {
        CheckRoom(0);
        using var probe = new FileStream(
            Path.Combine(_drafts, $"check-{Environment.ProcessId}"), FileMode.Create, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 1, FileOptions.DeleteOnClose);
        return ValueTask.CompletedTask;
    });

    // One folder of a million files is slow to look at. The last digits of an id are random, the first are its time.
    private string PathOf(Guid id) => Path.Combine(_folder, id.ToString("N")[^2..], id.ToString("N"));

    private string DraftOf(Guid id) => Path.Combine(_drafts, id.ToString("N"));

    private void Rename(Guid id)
    {
        MakeFolder(Path.GetDirectoryName(PathOf(id))!);
        File.Move(DraftOf(id), PathOf(id), overwrite: true);
    }

    private static void MakeFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
        }
        else
        {
            Directory.CreateDirectory(folder, OwnerOnly | UnixFileMode.UserExecute);
        }
    }

    private static T Guarded<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw Unavailable(failure);
        }
    }

    /// <summary>
    /// Opens a draft that nobody else has open. Its lease is not enough: a server that stood still for longer than that still holds bytes which it would write when it goes on. The
    /// system's lock is let go of when the handle is closed, by whatever end of the process too.
    /// </summary>
    private static SafeFileHandle OpenAlone(string path)
    {
        try
        {
            return File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None, FileOptions.Asynchronous);
        }
        catch (IOException failure) when (failure.HResult is LockedOnLinux or LockedOnMac or LockedOnWindows)
        {
            throw new FileStorageException("The writer that this upload had before still holds it, though it has stopped. Try again later.", failure) { RetryAfter = TimeSpan.FromSeconds(5) };
        }
    }

    private static FileStorageException Full() =>
        new("Files cannot be stored at this moment: the server's disk is nearly full. Delete files that you no longer need, or try again later.") { RetryAfter = TimeSpan.FromSeconds(30) };

    private static FileStorageException Unavailable(Exception failure) =>
        new("Files cannot be stored or read at this moment: the server's disk is full or out of order. Try again later.", failure) { RetryAfter = TimeSpan.FromSeconds(30) };

    /// <param name="file">Null where the draft is the file already.</param>
    private sealed class Draft(DiskStorage storage, Guid id, SafeFileHandle? file, long length) : DraftWriter
    {
        private long _length = length;

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
        {
            if (!Guarded(() => storage._room.TryTake(bytes.Length)))
            {
                throw Full();
            }

            try
            {
                await RandomAccess.WriteAsync(file ?? throw new InvalidOperationException("The draft is committed."), bytes, _length, cancellationToken);
                _length += bytes.Length;
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                throw Unavailable(failure);
            }
        }

        public override async ValueTask<DraftMark> FlushAsync(bool isLast, CancellationToken cancellationToken)
        {
            // It waits for the disk, so not on a thread that others wait for.
            await Task.Run(Flush, cancellationToken);
            return new(_length, "");
        }

        public override async ValueTask CommitAsync(CancellationToken cancellationToken)
        {
            if (file is not null)
            {
                await Task.Run(Flush, cancellationToken);
                file.Dispose();
                Guarded(() =>
                {
                    storage.Rename(id);
                    return true;
                });
            }
        }

        public override ValueTask DisposeAsync()
        {
            file?.Dispose();
            return ValueTask.CompletedTask;
        }

        private void Flush() => Guarded(() =>
        {
            if (file is { IsClosed: false })
            {
                RandomAccess.FlushToDisk(file);
            }

            return true;
        });
    }
}
