using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using Lintel.Platform.Errors;
using Lintel.Platform.Http;
using Lintel.Platform.RateLimits;
using Lintel.Platform.Security;

namespace Lintel.Features.ApiKeys;

/// <summary>
/// Checks the keys that people made. A key that was seen in the last minute is known from memory; its end, and whether it was revoked, are looked at on
/// every use. What is no key is told by its checksum. Only a well-formed key that is not known costs a read, and of those one address may send few.
/// </summary>
internal sealed class StoredApiKeys(
    ApiKeyTable table, ApiKeyUse use, RevokedCredentials revoked, RateLimiting limits, RateLimitPartitions partitions, ForwardedClient client, TimeProvider time)
    : IApiKeyVerifier, IDisposable
{
    /// <summary>How many well-formed keys that do not exist one address may send before the next one is not looked up.</summary>
    public static readonly RateLimitPolicy UnknownKeys = new("unknown API keys", 100, TimeSpan.FromMinutes(1));

    /// <summary>How long what was read counts. Revocations and expiry do not wait for it: it is for what is changed in the database by hand.</summary>
    public static readonly TimeSpan Freshness = TimeSpan.FromMinutes(1);

    private const int MaxKnown = 16 * 1024;
    private const int MaxUnknown = 16 * 1024;

    // Base64 of the SHA-256: what is compared in memory is never the key, so the time that comparing takes tells nothing of one.
    private const int DigestLength = 44;

    // However many addresses take part in guessing, others still get their turn at the database.
    private const int ConcurrentReads = 8;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly RecentlyUsed<KnownApiKey> _known = new(MaxKnown);

    // Apart from the good ones, which guesses must not push out.
    private readonly RecentlyUsed<DateTimeOffset> _unknown = new(MaxUnknown);
    private readonly ConcurrentDictionary<string, Lazy<Task<CallerResult>>> _reading = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _reads = new(ConcurrentReads, ConcurrentReads);
    private long _readCount;

    /// <summary>How often the database was asked.</summary>
    public long ReadCount => Interlocked.Read(ref _readCount);

    public ValueTask<CallerResult> VerifyAsync(string key, HttpContext context, CancellationToken cancellationToken)
    {
        if (!ApiKeyText.IsWellFormed(key))
        {
            return new(CallerResult.Invalid);
        }

        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        Span<char> digest = stackalloc char[DigestLength];
        ApiKeyText.Hash(key, hash);
        Convert.TryToBase64Chars(hash, digest, out _);

        var now = time.GetUtcNow();
        if (_known.TryGet(digest, out var known) && now - known.ReadAt < Freshness)
        {
            return new(Judge(known, now));
        }

        return _unknown.TryGet(digest, out var readAt) && now - readAt < Freshness
            ? new(CallerResult.Invalid)
            : ReadOnceAsync(digest.ToString(), known is not null, client.AddressOf(context), cancellationToken);
    }

    public void Dispose() => _reads.Dispose();

    private CallerResult Judge(KnownApiKey key, DateTimeOffset now)
    {
        if (key.IsRevoked || revoked.Contains(key.Id))
        {
            return CallerResult.Revoked;
        }

        if (key.Caller.ExpiresAt <= now)
        {
            return CallerResult.Expired;
        }

        use.Note(key, now);
        return CallerResult.Valid(key.Caller);
    }

    /// <summary>Those who come with the same key at once share one read.</summary>
    private async ValueTask<CallerResult> ReadOnceAsync(string digest, bool wasKnown, IPAddress address, CancellationToken cancellationToken)
    {
        var reading = _reading.GetOrAdd(digest, text => new(() => ReadAsync(text, wasKnown, address)));
        return await reading.Value.WaitAsync(cancellationToken);
    }

    private async Task<CallerResult> ReadAsync(string digest, bool wasKnown, IPAddress address)
    {
        try
        {
            // A key that was good a minute ago is read again whoever else guesses from its address, and does not queue with guesses.
            return wasKnown ? await ReadAsync(digest) : await ReadUnknownAsync(digest, RateLimitPartition.OfAddress(UnknownKeys, address));
        }
        finally
        {
            _reading.TryRemove(digest, out _);
        }
    }

    private async Task<CallerResult> ReadUnknownAsync(string digest, RateLimitPartition guesses)
    {
        // Counted first and given back: no moment is left in which many at once go uncounted.
        if (await partitions.TakeAsync(guesses) is { IsAllowed: false } refused)
        {
            return CallerResult.Limited(refused.ResetAfter);
        }

        if (!await _reads.WaitAsync(Patience))
        {
            throw new ServiceUnavailableException("Too many API keys are being looked up; try again shortly.") { RetryAfter = Patience };
        }

        try
        {
            var result = await ReadAsync(digest);
            if (result.Status != CredentialStatus.Invalid)
            {
                partitions.GiveBack(guesses);
            }

            return result;
        }
        finally
        {
            _reads.Release();
        }
    }

    private async Task<CallerResult> ReadAsync(string digest)
    {
        Interlocked.Increment(ref _readCount);
        var readAt = time.GetUtcNow();
        if (await table.FindAsync(Convert.FromBase64String(digest), CancellationToken.None) is not { } stored)
        {
            _unknown.Set(digest, readAt);
            return CallerResult.Invalid;
        }

        var known = new KnownApiKey(stored.Id, CallerOf(stored), stored.IsRevoked, readAt);
        _known.Set(digest, known);
        return Judge(known, time.GetUtcNow());
    }

    private Caller CallerOf(StoredApiKey key) => new()
    {
        OwnerId = key.OwnerId,
        KeyId = key.Id,
        Email = key.Email,
        Scopes = key.Scopes,
        ExpiresAt = key.ExpiresAt ?? DateTimeOffset.MaxValue,
        RateLimitKey = string.Create(CultureInfo.InvariantCulture, $"key:{key.Id}"),
        RateLimit = limits.OwnLimit(key.RateLimit),
    };
}
