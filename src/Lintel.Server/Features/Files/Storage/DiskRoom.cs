namespace Lintel.Features.Files.Storage;

/// <summary>How many bytes of the disk that a folder is on are free.</summary>
internal delegate long FreeSpace(string folder);

/// <summary>
/// Sees to it that files leave some of their disk free. What all drafts together write is counted off what was free at the last look; there is another look when that is some time
/// ago, when much was written since, and before anything is refused.
/// </summary>
internal sealed class DiskRoom(FilesOptions options, FreeSpace freeSpace, TimeProvider time)
{
    private const long Step = 16 * 1024 * 1024;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private bool _hasLooked;
    private long _lookedAt;
    private long _free;
    private long _written;

    /// <summary>Counts bytes that are about to be written.</summary>
    /// <returns>False where they would take what must stay free; then they are not counted.</returns>
    public bool TryTake(long bytes)
    {
        lock (_gate)
        {
            var isFresh = _hasLooked && _written < Step && time.GetElapsedTime(_lookedAt) < Interval;
            if (!isFresh || !HasLocked(bytes))
            {
                LookLocked();
            }

            if (!HasLocked(bytes))
            {
                return false;
            }

            _written += bytes;
            return true;
        }
    }

    /// <summary>Tells whether there is room at this moment, and takes none.</summary>
    public bool Has(long bytes)
    {
        lock (_gate)
        {
            LookLocked();
            return HasLocked(bytes);
        }
    }

    private bool HasLocked(long bytes) => bytes <= _free - _written - options.MinFree;

    private void LookLocked()
    {
        (_free, _written, _lookedAt, _hasLooked) = (freeSpace(options.Folder), 0, time.GetTimestamp(), true);
    }
}
