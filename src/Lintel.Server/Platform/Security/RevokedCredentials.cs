using System.Collections.Concurrent;

namespace Lintel.Platform.Security;

/// <summary>
/// The sessions and keys that must no longer be taken, although a token of theirs has not expired or a memory of them is young. An entry is
/// needed only as long as such a token or memory could live, which bounds their number. Accounts fills it; it is asked on every request.
/// </summary>
internal sealed class RevokedCredentials(TimeProvider time)
{
    /// <summary>What is issued for a session or key to be used later, tickets and job tokens, is good for no longer than this.</summary>
    public static readonly TimeSpan LongestIssued = TimeSpan.FromMinutes(15);

    private readonly ConcurrentDictionary<Guid, DateTimeOffset> _until = new();

    public int Count => _until.Count;

    public bool Contains(Guid credentialId) => _until.ContainsKey(credentialId);

    /// <param name="credentialId">The session or the key.</param>
    /// <param name="until">When nothing that was issued or remembered for it can still be taken.</param>
    public void Add(Guid credentialId, DateTimeOffset until) => _until[credentialId] = until;

    /// <summary>Forgets those whose time is over.</summary>
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
