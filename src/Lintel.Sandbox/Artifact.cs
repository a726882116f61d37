using Lintel.Sandbox.Native;
using Microsoft.Win32.SafeHandles;

namespace Lintel.Sandbox;

/// <summary>
/// A compiled program, kept open: it can be run however often, and while it is being removed from the cache. Dispose of it
/// when no further run will start.
/// </summary>
public sealed class Artifact : IDisposable
{
    private readonly SafeFileHandle _file;
    private readonly long _offset;

    internal Artifact(SafeFileHandle file, long offset)
    {
        _file = file;
        _offset = offset;
        Length = RandomAccess.GetLength(file) - offset;
    }

    public long Length { get; }

    public void Dispose() => _file.Dispose();

    internal Artifact Duplicate() => new(Descriptor.ReopenAsHandle(_file), _offset);

    /// <summary>The content at its beginning, with a position of its own.</summary>
    internal Descriptor Reopen() => Descriptor.Reopen(_file, _offset);
}
