namespace Lintel.Features.Files.Storage;

/// <summary>
/// Files in a folder. A draft lies beside them and takes its place by being renamed, so a file under its own name is whole. Where a crash of the machine undid the renaming
/// alone, it is done again when the file is next asked for.
/// </summary>
internal sealed class DiskStorage : IFileStorage
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly string _folder;
    private readonly string _drafts;

    public DiskStorage(FilesOptions options)
    {
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
        var file = File.OpenHandle(DraftOf(id), FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read | FileShare.Delete, FileOptions.Asynchronous);
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

    public ValueTask CheckAsync(CancellationToken cancellationToken) => Guarded(() =>
    {
        MakeFolder(_drafts);
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

    private static FileStorageException Unavailable(Exception failure) =>
        new("Files cannot be stored or read at this moment: the server's disk is full or out of order. Try again later.", failure) { RetryAfter = TimeSpan.FromSeconds(30) };

    /// <param name="file">Null where the draft is the file already.</param>
    private sealed class Draft(DiskStorage storage, Guid id, Microsoft.Win32.SafeHandles.SafeFileHandle? file, long length) : DraftWriter
    {
        private long _length = length;

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
        {
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
