using System.Security.Cryptography;
using System.Text;
using Lintel.Platform.Security;

namespace Lintel.Features.ApiKeys;

/// <summary>The one key for machine clients that the settings give (<c>API_KEY</c>).</summary>
internal sealed class StaticApiKey : IApiKeyVerifier
{
    private const int MaxLength = 1024;

    private static readonly CallerResult Machine = CallerResult.Valid(new Caller
    {
        OwnerId = Caller.StaticKeyOwner,
        Scopes = Scopes.StaticKey,
        RateLimitKey = "key:static",
    });

    private readonly byte[]? _hash;

    public StaticApiKey(ApiKeyOptions options) => _hash = options.StaticKey is { } key ? SHA256.HashData(Encoding.UTF8.GetBytes(key)) : null;

    public ValueTask<CallerResult> VerifyAsync(string key, HttpContext context, CancellationToken cancellationToken) =>
        new(key.Length <= MaxLength && _hash is not null && Matches(key) ? Machine : CallerResult.Invalid);

    /// <summary>Compares hashes, which have one length, so that the time tells nothing about the key.</summary>
    private bool Matches(string key)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(key), hash);
        return CryptographicOperations.FixedTimeEquals(hash, _hash);
    }
}
