using System.Collections.Concurrent;
using Lintel.Platform.Security;

namespace Lintel.Features.Accounts;

/// <summary>
/// Access tokens whose signature was checked, and who they stand for. Bounded: when the young half is full it becomes the old one, and
/// what was not used while it was old is forgotten.
/// </summary>
internal sealed class VerifiedTokens(int capacity)
{
    private readonly Lock _gate = new();
    private volatile Half _young = new();
    private volatile Half _old = new();

    public int Count => _young.Count + _old.Count;

    public bool TryGet(ReadOnlySpan<char> token, out Caller caller)
    {
        if (_young.ByToken.TryGetValue(token, out caller!))
        {
            return true;
        }

        if (!_old.ByToken.TryGetValue(token, out var text, out caller!))
        {
            return false;
        }

        Add(text, caller);
        return true;
    }

    public void Add(string token, Caller caller)
    {
        var young = _young;
        if (!young.Callers.TryAdd(token, caller) || Interlocked.Increment(ref young.Count) < capacity / 2)
        {
            return;
        }

        lock (_gate)
        {
            if (_young == young)
            {
                _old = young;
                _young = new();
            }
        }
    }

    private sealed class Half
    {
        public readonly ConcurrentDictionary<string, Caller> Callers = new(StringComparer.Ordinal);
        public readonly ConcurrentDictionary<string, Caller>.AlternateLookup<ReadOnlySpan<char>> ByToken;

        // The dictionary's own count takes all its locks.
        public int Count;

        public Half() => ByToken = Callers.GetAlternateLookup<ReadOnlySpan<char>>();
    }
}
