using System.Collections.Concurrent;

namespace Lintel.Platform.Security;

/// <summary>
/// The sessions whose access tokens must no longer be taken, although they have not expired. An entry is needed only as long as
/// such a token could live, which bounds their number. Accounts fills it; it is asked on every request.
/// </summary>
internal sealed class RevokedSessions(TimeProvider time)
{
    private readonly ConcurrentDictionary<Guid, DateTimeOffset> _until = new();

    public int Count => _until.Count;

    public bool Contains(Guid sessionId) => _until.ContainsKey(sessionId);

    /// <param name="until">When the last access token of the session has expired by itself.</param>
    public void Add(Guid sessionId, DateTimeOffset until) => _until[sessionId] = until;

    /// <summary>Forgets the sessions whose tokens have all expired.</summary>
    public void Prune()
    {
        var now = time.GetUtcNow();
        foreach (var entry in _until)
        {
            if (entry.Value < now)
            {
                _until.TryRemove(entry);
            }
        }
    }
}
