using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Lintel.Platform.Configuration;

namespace Lintel.Features.Accounts.SecondFactors;

/// <summary>
/// What keeps second factors from whoever reads the database: secrets that must be known again are encrypted, those that are only compared are hashed, each with a key that
/// comes from the server's. Who changes <c>SECRET_KEY</c> makes all of them worthless.
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

    /// <summary>A text that nobody guesses.</summary>
    public static string NewToken() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(TokenBytes));

    /// <summary>What to keep of a text that is compared, and never shown again.</summary>
    /// <param name="use">What kind of text it is: the same text of another kind has another hash.</param>
    public byte[] Hash(string use, string text) => HMACSHA256.HashData(_hashKey, Encoding.UTF8.GetBytes($"{use}\0{text}"));

    /// <summary>What to keep of a secret: salt, nonce, tag and ciphertext. It is an account's, and means nothing in another's row.</summary>
    public byte[] Encrypt(long accountId, ReadOnlySpan<byte> secret)
    {
        var kept = new byte[Overhead + secret.Length];
        RandomNumberGenerator.Fill(kept.AsSpan(0, SaltLength + NonceLength));
        using var cipher = CipherOf(kept);
        cipher.Encrypt(
            kept.AsSpan(SaltLength, NonceLength), secret, kept.AsSpan(Overhead), kept.AsSpan(SaltLength + NonceLength, TagLength), AssociatedData(accountId));
        return kept;
    }

    /// <summary>The secret again; null where it was not encrypted for this account with the present key.</summary>
    public byte[]? Decrypt(long accountId, byte[] kept)
    {
        if (kept.Length < Overhead)
        {
            return null;
        }

        var secret = new byte[kept.Length - Overhead];
        try
        {
            using var cipher = CipherOf(kept);
            cipher.Decrypt(
                kept.AsSpan(SaltLength, NonceLength), kept.AsSpan(Overhead), kept.AsSpan(SaltLength + NonceLength, TagLength), secret, AssociatedData(accountId));
            return secret;
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }

    private AesGcm CipherOf(byte[] kept) => new(key.Derive(EncryptionPurpose, kept[..SaltLength], KeyLength), TagLength);

    private static byte[] AssociatedData(long accountId)
    {
        var data = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(data, accountId);
        return data;
    }
}
