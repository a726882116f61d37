using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Lintel.Sandbox.Languages;

/// <summary>
/// Compiled programs on disk, the least recently used removed first. Its folder is the server's alone, and what a compiler
/// printed becomes a file here only under a name that the server made. Each entry carries a digest, so that one that was
/// cut short or changed is found out and compiled again.
/// </summary>
internal sealed class CompileCache
{
    private static readonly byte[] s_magic = "LINTEL01"u8.ToArray();
    private const int DigestAt = 8, DiagnosticsLengthAt = DigestAt + SHA256.HashSizeInBytes, HeaderSize = DiagnosticsLengthAt + sizeof(int);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, (long Bytes, long LastUse)> _entries = [];
    private readonly string _folder;
    private readonly long _maxBytes;
    private long _bytes;
    private long _uses;

    public CompileCache(string folder, long maxBytes)
    {
        _folder = folder;
        _maxBytes = maxBytes;
        const UnixFileMode ownerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        var directory = Directory.CreateDirectory(folder, ownerOnly);

        if (directory.LinkTarget is not null)
        {
            throw new SandboxException($"The compile cache {folder} is a symbolic link; it must be a folder of the server's own.");
        }

        // Only its owner can do this, so it also shows whose it is.
        File.SetUnixFileMode(folder, ownerOnly);

        // Entries keep their order of use over a restart; what a killed server left half written goes.
        foreach (var file in directory.EnumerateFiles().OrderBy(file => file.LastAccessTimeUtc))
        {
            if (file.Name.EndsWith(".new", StringComparison.Ordinal))
            {
                file.Delete();
                continue;
            }

            _entries[file.Name] = (file.Length, ++_uses);
            _bytes += file.Length;
        }

        MakeRoomLocked(0);
    }

    public long Bytes
    {
        get
        {
            lock (_lock)
            {
                return _bytes;
            }
        }
    }

    /// <summary>The compiled program of that key, opened, or null when it is not there or not whole.</summary>
    public async Task<(Artifact Artifact, string Diagnostics)?> TryOpenAsync(string key, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (!_entries.TryGetValue(key, out var entry))
            {
                return null;
            }

            _entries[key] = entry with { LastUse = ++_uses };
        }

        try
        {
            var found = await OpenAsync(PathOf(key), cancellationToken);

            if (found is not null)
            {
                File.SetLastAccessTimeUtc(PathOf(key), TimeProvider.System.GetUtcNow().UtcDateTime);
                return found;
            }
        }
        catch (FileNotFoundException)
        {
            // Removed to make room, or by somebody's hand.
        }

        Remove(key);
        return null;
    }

    /// <summary>Keeps a compiled program and opens it. One that is larger than the whole cache is opened all the same, and not kept.</summary>
    public async Task<Artifact> StoreAsync(string key, Stream program, string diagnostics, CancellationToken cancellationToken)
    {
        var half = PathOf($"{key}.{Guid.CreateVersion7():N}.new");

        try
        {
            await WriteAsync(half, program, diagnostics, cancellationToken);
            var (artifact, _) = await OpenAsync(half, cancellationToken) ?? throw new SandboxException("A compiled program could not be read back from the cache's disk.");
            Keep(key, half);
            return artifact;
        }
        finally
        {
            File.Delete(half);
        }
    }

    private void Keep(string key, string half)
    {
        var bytes = new FileInfo(half).Length;

        lock (_lock)
        {
            if (bytes > _maxBytes)
            {
                return;
            }

            RemoveLocked(key);
            MakeRoomLocked(bytes);

            // Whole or not at all, whenever the server may be killed.
            File.Move(half, PathOf(key), overwrite: true);
            _entries[key] = (bytes, ++_uses);
            _bytes += bytes;
        }
    }

    private static async Task WriteAsync(string path, Stream program, string diagnostics, CancellationToken cancellationToken)
    {
        var said = Encoding.UTF8.GetBytes(diagnostics);
        var header = new byte[HeaderSize];
        s_magic.CopyTo(header, 0);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(DiagnosticsLengthAt), said.Length);

        await using var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        await file.WriteAsync(header, cancellationToken);
        await file.WriteAsync(said, cancellationToken);
        await program.CopyToAsync(file, cancellationToken);

        file.Position = DiagnosticsLengthAt;
        var digest = await SHA256.HashDataAsync(file, cancellationToken);
        file.Position = DigestAt;
        await file.WriteAsync(digest, cancellationToken);
    }

    private static async Task<(Artifact Artifact, string Diagnostics)?> OpenAsync(string path, CancellationToken cancellationToken)
    {
        // What is checked is what is run: the same opening of the file.
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        var header = new byte[HeaderSize];

        if (await file.ReadAtLeastAsync(header, HeaderSize, throwOnEndOfStream: false, cancellationToken) < HeaderSize || !header.AsSpan().StartsWith(s_magic))
        {
            return null;
        }

        file.Position = DiagnosticsLengthAt;
        var digest = await SHA256.HashDataAsync(file, cancellationToken);

        if (!digest.AsSpan().SequenceEqual(header.AsSpan(DigestAt, digest.Length)))
        {
            return null;
        }

        var said = new byte[BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(DiagnosticsLengthAt))];
        file.Position = HeaderSize;
        await file.ReadExactlyAsync(said, cancellationToken);
        var again = new Artifact(Native.Descriptor.ReopenAsHandle(file.SafeFileHandle), HeaderSize + said.Length);
        return (again, Encoding.UTF8.GetString(said));
    }

    private string PathOf(string key) => Path.Combine(_folder, key);

    private void Remove(string key)
    {
        lock (_lock)
        {
            RemoveLocked(key);
        }
    }

    private void RemoveLocked(string key)
    {
        if (_entries.Remove(key, out var entry))
        {
            _bytes -= entry.Bytes;
            File.Delete(PathOf(key));
        }
    }

    private void MakeRoomLocked(long bytes)
    {
        while (_bytes + bytes > _maxBytes && _entries.Count > 0)
        {
            RemoveLocked(_entries.MinBy(entry => entry.Value.LastUse).Key);
        }
    }
}
