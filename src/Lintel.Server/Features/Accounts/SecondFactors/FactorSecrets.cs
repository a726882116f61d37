using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Lintel.Platform.Configuration;
using Lintel.Platform.Security;

namespace Lintel.Features.Accounts.SecondFactors;

/// <summary>
/// What keeps second factors from whoever reads the database: secrets that must be known again are encrypted, those that are only compared are hashed, each with a key that
/// comes from the server's. What was made with the server's key of before is taken too, for as long as that is set.
/// </summary>
internal sealed class FactorSecrets(SecretKey key)
{
    private const string SealPurpose = "lintel authenticator secret v1";
    private const string HashPurpose = "lintel second factor hash v1";
    private const int KeyLength = 32;
    private const int TokenBytes = 32;

    private readonly SecretSeal _seal = new(key, SealPurpose);
    private readonly byte[] _hashKey = key.Derive(HashPurpose, [], KeyLength);
    private readonly byte[]? _previousHashKey = key.Previous?.Derive(HashPurpose, [], KeyLength);

    /// <summary>Whether there may be secrets that are encrypted with the key of before.</summary>
    public bool HasPreviousKey => key.Previous is not null;

    /// <summary>A text that nobody guesses.</summary>
    public static string NewToken() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(TokenBytes));

    /// <summary>What to keep of a text that is compared, and never shown again.</summary>
    /// <param name="use">What kind of text it is: the same text of another kind has another hash.</param>
    public byte[] Hash(string use, string text) => Hash(_hashKey, use, text);

    /// <summary>What it would have been with the key of before; the same as now where there is none.</summary>
    public byte[] PreviousHash(string use, string text) => Hash(_previousHashKey ?? _hashKey, use, text);

    /// <summary>What to keep of a secret. It is an account's, and means nothing in another's row.</summary>
    public byte[] Encrypt(long accountId, ReadOnlySpan<byte> secret) => _seal.Seal(secret, PlaceOf(accountId));

    /// <summary>The secret again; null where it was not encrypted for this account, with the present key or the one of before.</summary>
    public byte[]? Decrypt(long accountId, byte[] kept) => _seal.Open(kept, PlaceOf(accountId));

    /// <summary>The secret again, if it was encrypted with the key of before.</summary>
    public byte[]? DecryptPrevious(long accountId, byte[] kept) => _seal.OpenFormer(kept, PlaceOf(accountId));

    private static byte[] Hash(byte[] hashKey, string use, string text) => HMACSHA256.HashData(hashKey, Encoding.UTF8.GetBytes($"{use}\0{text}"));

    private static byte[] PlaceOf(long accountId)
    {
        var data = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(data, accountId);
        return data;
    }
}
