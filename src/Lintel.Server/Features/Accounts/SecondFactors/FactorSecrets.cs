using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Lintel.Platform.Configuration;

namespace Lintel.Features.Accounts.SecondFactors;

/// <summary>
/// What keeps second factors from whoever reads the database: secrets that must be known again are encrypted, those that are only compared are hashed, each with a key that
/// comes from the server's. What was made with the server's key of before is taken too, for as long as that is set.
/// </summary>
internal sealed class FactorSecrets(SecretKey key)
{
    private const string EncryptionPurpose = "lintel authenticator secret v1";
    private const string HashPurpose = "lintel second factor hash v1";
    private const int KeyLength = 32;
    private const int SaltLength = 16;
    private const int NonceLength = 12;
    private const int TagLength = 16;
    private const int Overhead = SaltLength + NonceLength + TagLength;
    private const int TokenBytes = 32;

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

    /// <summary>What to keep of a secret: salt, nonce, tag and ciphertext. It is an account's, and means nothing in another's row.</summary>
    public byte[] Encrypt(long accountId, ReadOnlySpan<byte> secret)
    {
        var kept = new byte[Overhead + secret.Length];
        RandomNumberGenerator.Fill(kept.AsSpan(0, SaltLength + NonceLength));
        using var cipher = CipherOf(key, kept);
        cipher.Encrypt(
            kept.AsSpan(SaltLength, NonceLength), secret, kept.AsSpan(Overhead), kept.AsSpan(SaltLength + NonceLength, TagLength), AssociatedData(accountId));
        return kept;
    }

    /// <summary>The secret again; null where it was not encrypted for this account, with the present key or the one of before.</summary>
    public byte[]? Decrypt(long accountId, byte[] kept) => Decrypt(key, accountId, kept) ?? DecryptPrevious(accountId, kept);

    /// <summary>The secret again, if it was encrypted with the key of before.</summary>
    public byte[]? DecryptPrevious(long accountId, byte[] kept) => key.Previous is { } previous ? Decrypt(previous, accountId, kept) : null;

    private static byte[]? Decrypt(SecretKey key, long accountId, byte[] kept)
    {
        if (kept.Length < Overhead)
        {
            return null;
        }

        var secret = new byte[kept.Length - Overhead];
        try
        {
            using var cipher = CipherOf(key, kept);
            cipher.Decrypt(
                kept.AsSpan(SaltLength, NonceLength), kept.AsSpan(Overhead), kept.AsSpan(SaltLength + NonceLength, TagLength), secret, AssociatedData(accountId));
            return secret;
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }

    private static byte[] Hash(byte[] hashKey, string use, string text) => HMACSHA256.HashData(hashKey, Encoding.UTF8.GetBytes($"{use}\0{text}"));

    private static AesGcm CipherOf(SecretKey key, byte[] kept) => new(key.Derive(EncryptionPurpose, kept[..SaltLength], KeyLength), TagLength);

    private static byte[] AssociatedData(long accountId)
    {
        var data = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(data, accountId);
        return data;
    }
}
