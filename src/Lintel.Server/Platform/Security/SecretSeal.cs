using System.Security.Cryptography;
using Lintel.Platform.Configuration;

namespace Lintel.Platform.Security;

/// <summary>
/// Encrypts what the server must be able to read again, and nobody else who gets hold of it: AES-256-GCM under a key that is derived anew for each text from <c>SECRET_KEY</c>, its
/// purpose and a random salt. What was sealed under <c>SECRET_KEY_PREVIOUS</c> is opened too, for as long as that is set.
/// </summary>
/// <param name="purpose">What it is for, in words that no other purpose has.</param>
internal sealed class SecretSeal(SecretKey key, string purpose)
{
    private const int KeyLength = 32;
    private const int SaltLength = 16;
    private const int NonceLength = 12;
    private const int TagLength = 16;
    private const int Overhead = SaltLength + NonceLength + TagLength;

    /// <summary>Salt, nonce, tag and ciphertext, one behind the other.</summary>
    /// <param name="boundTo">Where it belongs, such as the id of its row: it cannot be opened as something else's.</param>
    public byte[] Seal(ReadOnlySpan<byte> plain, ReadOnlySpan<byte> boundTo)
    {
        var whole = new byte[Overhead + plain.Length];
        RandomNumberGenerator.Fill(whole.AsSpan(0, SaltLength + NonceLength));
        using var cipher = CipherOf(key, whole);
        cipher.Encrypt(whole.AsSpan(SaltLength, NonceLength), plain, whole.AsSpan(Overhead), whole.AsSpan(SaltLength + NonceLength, TagLength), boundTo);
        return whole;
    }

    /// <returns>Null for what was not sealed for this purpose and place, under the present key or the one of before.</returns>
    public byte[]? Open(ReadOnlySpan<byte> whole, ReadOnlySpan<byte> boundTo) => Open(key, whole, boundTo) ?? OpenFormer(whole, boundTo);

    /// <returns>Null for what was not sealed under the key of before: only that is to be sealed anew.</returns>
    public byte[]? OpenFormer(ReadOnlySpan<byte> whole, ReadOnlySpan<byte> boundTo) => key.Previous is { } former ? Open(former, whole, boundTo) : null;

    private byte[]? Open(SecretKey with, ReadOnlySpan<byte> whole, ReadOnlySpan<byte> boundTo)
    {
        if (whole.Length < Overhead)
        {
            return null;
        }

        var plain = new byte[whole.Length - Overhead];
        using var cipher = CipherOf(with, whole);
        try
        {
            cipher.Decrypt(whole.Slice(SaltLength, NonceLength), whole[Overhead..], whole.Slice(SaltLength + NonceLength, TagLength), plain, boundTo);
            return plain;
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }

    private AesGcm CipherOf(SecretKey with, ReadOnlySpan<byte> whole) => new(with.Derive(purpose, whole[..SaltLength].ToArray(), KeyLength), TagLength);
}
