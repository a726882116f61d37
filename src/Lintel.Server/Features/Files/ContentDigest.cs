using System.Security.Cryptography;

namespace Lintel.Features.Files;

/// <summary>What is known of content from having seen it go by: its SHA-256, its first bytes and its length.</summary>
internal sealed class ContentDigest : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] _head = new byte[ContentTypes.HeadLength];

    public long Length { get; private set; }

    public ReadOnlySpan<byte> Head => _head.AsSpan(0, (int)Math.Min(Length, _head.Length));

    /// <summary>Whether what the first bytes tell can still change.</summary>
    public bool IsHeadWhole => Length >= _head.Length;

    public void Append(ReadOnlySpan<byte> bytes)
    {
        _hash.AppendData(bytes);
        if (!IsHeadWhole)
        {
            var room = _head.Length - (int)Length;
            bytes[..Math.Min(room, bytes.Length)].CopyTo(_head.AsSpan((int)Length));
        }

        Length += bytes.Length;
    }

    /// <summary>The SHA-256 of all of it, in lower-case hex.</summary>
    public string Sha256() => Convert.ToHexStringLower(_hash.GetCurrentHash());

    public void Dispose() => _hash.Dispose();
}

/// <summary>
/// The digests of uploads that go on in another request. Only a shortcut, and bounded: where one is missing, because another node had it or there were many, the content is
/// read again in the end.
/// </summary>
internal sealed class ContentDigests : IDisposable
{
    private const int Capacity = 256;

    private readonly Lock _gate = new();
    private readonly OrderedDictionary<Guid, ContentDigest> _oldestFirst = [];

    /// <summary>The digest of an upload as far as its offset; null where it is not known. It is the caller's now.</summary>
    public ContentDigest? Take(Guid id, long offset)
    {
        lock (_gate)
        {
            if (_oldestFirst.Remove(id, out var digest) && digest.Length != offset)
            {
                digest.Dispose();
                digest = null;
            }

            return digest ?? (offset == 0 ? new ContentDigest() : null);
        }
    }

    public void Keep(Guid id, ContentDigest digest)
    {
        lock (_gate)
        {
            if (_oldestFirst.Remove(id, out var other))
            {
                other.Dispose();
            }

            if (_oldestFirst.Count >= Capacity)
            {
                _oldestFirst.GetAt(0).Value.Dispose();
                _oldestFirst.RemoveAt(0);
            }

            _oldestFirst.Add(id, digest);
        }
    }

    public void Forget(Guid id)
    {
        lock (_gate)
        {
            if (_oldestFirst.Remove(id, out var digest))
            {
                digest.Dispose();
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            foreach (var digest in _oldestFirst.Values)
            {
                digest.Dispose();
            }

            _oldestFirst.Clear();
        }
    }
}
