using System.Collections.Concurrent;

namespace Lintel.Features.Tasks;

/// <summary>Whose tasks this node is searching. A search reads all that its owner has, so each may have one at a time.</summary>
internal sealed class TaskSearches
{
    private readonly ConcurrentDictionary<long, byte> _running = [];

    /// <summary>False where a search of the owner's is under way; else call <see cref="End"/> when this one is over.</summary>
    public bool TryBegin(long ownerId) => _running.TryAdd(ownerId, 0);

    public void End(long ownerId) => _running.TryRemove(ownerId, out _);
}
