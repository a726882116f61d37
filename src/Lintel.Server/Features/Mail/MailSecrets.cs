using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Lintel.Platform.Configuration;

namespace Lintel.Features.Mail;

/// <summary>
/// Keeps the fields of waiting mail from whoever reads the database or a copy of it: some hold links and codes that sign people in. AES-GCM under a key that comes from
/// <c>SECRET_KEY</c>, bound to the message, so that what was moved to another row or recipient is nothing.
/// </summary>
internal sealed class MailSecrets(SecretKey key)
{
    private const int KeyBytes = 32;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;

    private readonly byte[] _key = DeriveFrom(key);
    private readonly byte[]? _previousKey = key.Previous is { } previous ? DeriveFrom(previous) : null;

    public string Protect(Guid id, string recipient, string template, Dictionary<string, string?> fields)
    {
        var plain = JsonSerializer.SerializeToUtf8Bytes(fields, MailJson.Default.DictionaryStringString);
        var sealedBytes = new byte[NonceBytes + TagBytes + plain.Length];
        var nonce = sealedBytes.AsSpan(0, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(_key, TagBytes);
        aes.Encrypt(nonce, plain, sealedBytes.AsSpan(NonceBytes + TagBytes), sealedBytes.AsSpan(NonceBytes, TagBytes), Message(id, recipient, template));
        return Convert.ToBase64String(sealedBytes);
    }

    /// <returns>Null for what was written under another <c>SECRET_KEY</c>, or for another message.</returns>
    public Dictionary<string, string?>? Unprotect(Guid id, string recipient, string template, string text)
    {
        if (text.StartsWith('{'))
        {
            // It waited while a version that did not encrypt was replaced by this one.
            return JsonSerializer.Deserialize(text, MailJson.Default.DictionaryStringString);
        }

        try
        {
            var sealedBytes = Convert.FromBase64String(text);
            var message = Message(id, recipient, template);
            return Open(_key, sealedBytes, message) ?? (_previousKey is null ? null : Open(_previousKey, sealedBytes, message));
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private static byte[] DeriveFrom(SecretKey key) => key.Derive("lintel waiting mail v1", [], KeyBytes);

    private static Dictionary<string, string?>? Open(byte[] key, ReadOnlySpan<byte> sealedBytes, byte[] message)
    {
        if (sealedBytes.Length < NonceBytes + TagBytes)
        {
            return null;
        }

        try
        {
            var plain = new byte[sealedBytes.Length - NonceBytes - TagBytes];
            using var aes = new AesGcm(key, TagBytes);
            aes.Decrypt(sealedBytes[..NonceBytes], sealedBytes[(NonceBytes + TagBytes)..], sealedBytes.Slice(NonceBytes, TagBytes), plain, message);
            return JsonSerializer.Deserialize(plain, MailJson.Default.DictionaryStringString);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    // Neither an address nor a template's name has a line break.
    private static byte[] Message(Guid id, string recipient, string template) => Encoding.UTF8.GetBytes($"{id}\n{recipient}\n{template}");
}
