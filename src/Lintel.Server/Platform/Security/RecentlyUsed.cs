using System.Collections.Concurrent;

namespace Lintel.Platform.Security;

/// <summary>
/// What is known of credentials that were seen lately. Bounded: when the young half is full it becomes the old one, and what was not used
/// while it was old is forgotten.
/// </summary>
internal sealed class RecentlyUsed<TValue>(int capacity)
{
    private readonly Lock _gate = new();
    private volatile Half _young = new();
    private volatile Half _old = new();

    public int Count => _young.Count + _old.Count;

    public bool TryGet(ReadOnlySpan<char> credential, out TValue value)
    {
        if (_young.BySpan.TryGetValue(credential, out value!))
        {
            return true;
        }

        if (!_old.BySpan.TryGetValue(credential, out var text, out value!))
        {
            return false;
        }

        // Whoever has put a newer value there meanwhile is right.
        TryAdd(_young, text, value);
        return true;
    }

    /// <summary>Remembers a credential, in the place of what was known of it.</summary>
    public void Set(string credential, TValue value)
    {
        var young = _young;
        if (!TryAdd(young, credential, value))
        {
            young.Values[credential] = value;
        }
    }

    private bool TryAdd(Half young, string credential, TValue value)
    {
        if (!young.Values.TryAdd(credential, value))
        {
            return false;
        }

        if (Interlocked.Increment(ref young.Count) >= capacity / 2)
        {
            lock (_gate)
            {
                if (_young == young)
                {
                    _old = young;
                    _young = new();
                }
            }
        }

        return true;
    }

    private sealed class Half
    {
        public readonly ConcurrentDictionary<string, TValue> Values = new(StringComparer.Ordinal);
        public readonly ConcurrentDictionary<string, TValue>.AlternateLookup<ReadOnlySpan<char>> BySpan;

        // The dictionary's own count takes all its locks.
        public int Count;

        public Half() => BySpan = Values.GetAlternateLookup<ReadOnlySpan<char>>();
    }
}
