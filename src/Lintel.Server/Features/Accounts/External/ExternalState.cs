using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Lintel.Platform.Configuration;
using Microsoft.AspNetCore.Authentication;

namespace Lintel.Features.Accounts.External;

/// <summary>
/// The state that goes to a provider and comes back: encrypted, for one provider, for ten minutes. Any node can read it, so none has to remember who began.
/// </summary>
internal sealed class ExternalState(SecretKey secret, string provider, TimeProvider time) : ISecureDataFormat<AuthenticationProperties>
{
    private const string Purpose = "lintel external sign-in v1";
    private const int SaltLength = 16;
    private const int NonceLength = 12;
    private const int TagLength = 16;
    private const int MaxLength = 4096;

    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    public string Protect(AuthenticationProperties data)
    {
        data.IssuedUtc = time.GetUtcNow();
        var plain = PropertiesSerializer.Default.Serialize(data);
        var state = new byte[SaltLength + NonceLength + plain.Length + TagLength];
        RandomNumberGenerator.Fill(state.AsSpan(0, SaltLength + NonceLength));
        using var aes = KeyOf(secret, state);
        aes.Encrypt(
            state.AsSpan(SaltLength, NonceLength), plain, state.AsSpan(SaltLength + NonceLength, plain.Length), state.AsSpan(state.Length - TagLength), Encoding.UTF8.GetBytes(provider));
        return Base64Url.EncodeToString(state);
    }

    public AuthenticationProperties? Unprotect(string? protectedText)
    {
        if (protectedText is not { Length: > 0 and <= MaxLength } || !Base64Url.IsValid(protectedText))
        {
            return null;
        }

        var state = Base64Url.DecodeFromChars(protectedText);
        var properties = Open(secret, state) ?? (secret.Previous is { } previous ? Open(previous, state) : null);
        return properties?.IssuedUtc + Lifetime > time.GetUtcNow() ? properties : null;
    }

    string ISecureDataFormat<AuthenticationProperties>.Protect(AuthenticationProperties data, string? purpose) => Protect(data);

    AuthenticationProperties? ISecureDataFormat<AuthenticationProperties>.Unprotect(string? protectedText, string? purpose) => Unprotect(protectedText);

    private AuthenticationProperties? Open(SecretKey key, byte[] state)
    {
        var length = state.Length - SaltLength - NonceLength - TagLength;
        if (length <= 0)
        {
            return null;
        }

        var plain = new byte[length];
        using var aes = KeyOf(key, state);
        try
        {
            aes.Decrypt(
                state.AsSpan(SaltLength, NonceLength), state.AsSpan(SaltLength + NonceLength, length), state.AsSpan(state.Length - TagLength), plain, Encoding.UTF8.GetBytes(provider));
            return PropertiesSerializer.Default.Deserialize(plain);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private static AesGcm KeyOf(SecretKey key, byte[] state) => new(key.Derive(Purpose, state[..SaltLength], 32), TagLength);
}
