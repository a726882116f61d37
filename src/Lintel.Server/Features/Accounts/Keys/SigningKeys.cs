using System.Collections.Frozen;
using Lintel.Platform.Caching;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.Keys;

/// <summary>
/// The signing keys as this node knows them. Nothing here waits for the database on the way of a request, but for a token whose key is not known: then it is looked for, once for all who ask
/// and not again for a while, so that made-up key ids cost a query now and then and no more.
/// </summary>
internal sealed class SigningKeys(SigningKeyTable table, Hints hints, TimeProvider time) : IDisposable
{
    public const string Topic = "signing-keys";

    // SHA-256 in base64url.
    public const int IdLength = 43;

    public static readonly TimeSpan RefetchInterval = TimeSpan.FromSeconds(10);

    private readonly SemaphoreSlim _loading = new(1, 1);
    private readonly Lock _gate = new();
    private volatile Known _known = new([]);
    private Task _refetch = Task.CompletedTask;
    private long? _refetchedAt;

    /// <summary>Is called when a key was taken out of use: nothing that was checked with it may be remembered.</summary>
    public Action? Removed { get; set; }

    /// <summary>How often a key was looked for in the database because of a token that named it.</summary>
    public int Refetches { get; private set; }

    public IReadOnlyList<SigningKey> All => _known.All;

    /// <summary>The key that signs.</summary>
    public SigningKey Active => _known.Active ?? throw new InvalidOperationException("There is no key to sign with.");

    /// <summary>The public keys, as the world gets them.</summary>
    public CachedBody Published => _known.Published;

    public SigningKey? Find(string? keyId) => keyId is null ? null : _known.ById.GetValueOrDefault(keyId);

    /// <summary>Looks into the database, unless that was done a moment ago.</summary>
    public Task RefetchAsync()
    {
        lock (_gate)
        {
            if (_refetch.IsCompleted && (_refetchedAt is not { } last || time.GetElapsedTime(last) >= RefetchInterval))
            {
                _refetchedAt = time.GetTimestamp();
                Refetches++;

                // It is everybody's: none of those who wait ends it by going away.
                _refetch = LoadAsync(renewsSeals: false, CancellationToken.None);
            }

            return _refetch;
        }
    }

    /// <summary>Takes what is in the database.</summary>
    /// <returns>How many keys there could not be opened.</returns>
    public async Task<int> LoadAsync(bool renewsSeals, CancellationToken cancellationToken)
    {
        await _loading.WaitAsync(cancellationToken);
        try
        {
            var (keys, closed) = await table.LoadAsync(renewsSeals, cancellationToken);
            var before = _known;
            _known = new(keys);
            if (before.All.Any(key => Find(key.Id) is null))
            {
                Removed?.Invoke();
            }

            return closed;
        }
        finally
        {
            _loading.Release();
        }
    }

    /// <summary>Loads what this node has just changed, and makes the others do so.</summary>
    public async Task ChangedAsync(CancellationToken cancellationToken)
    {
        hints.Send(Topic, "");
        await LoadAsync(renewsSeals: false, cancellationToken);
    }

    public void Dispose() => _loading.Dispose();

    private sealed class Known(List<SigningKey> keys)
    {
        public IReadOnlyList<SigningKey> All { get; } = keys;

        public SigningKey? Active { get; } = keys.Find(static key => key.State == SigningKeyStates.Active);

        public FrozenDictionary<string, SigningKey> ById { get; } = keys.ToFrozenDictionary(static key => key.Id, StringComparer.Ordinal);

        public CachedBody Published { get; } = CachedBody.Of(new JsonWebKeySet([.. keys.Select(PublicKey.From)]), KeysJson.Default.JsonWebKeySet);
    }
}
