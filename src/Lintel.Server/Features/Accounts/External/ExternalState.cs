using System.Buffers.Text;
using System.Text;
using Lintel.Platform.Configuration;
using Lintel.Platform.Security;
using Microsoft.AspNetCore.Authentication;

namespace Lintel.Features.Accounts.External;

/// <summary>
/// The state that goes to a provider and comes back: encrypted, for one provider, for ten minutes. Any node can read it, so none has to remember who began.
/// </summary>
internal sealed class ExternalState(SecretKey secret, string provider, TimeProvider time) : ISecureDataFormat<AuthenticationProperties>
{
    private const string Purpose = "lintel external sign-in v1";
    private const int MaxLength = 4096;

    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    private readonly SecretSeal _seal = new(secret, Purpose);
    private readonly byte[] _place = Encoding.UTF8.GetBytes(provider);

    public string Protect(AuthenticationProperties data)
    {
        data.IssuedUtc = time.GetUtcNow();
        return Base64Url.EncodeToString(_seal.Seal(PropertiesSerializer.Default.Serialize(data), _place));
    }

    public AuthenticationProperties? Unprotect(string? protectedText)
    {
        if (protectedText is not { Length: > 0 and <= MaxLength } || !Base64Url.IsValid(protectedText))
        {
            return null;
        }

        var plain = _seal.Open(Base64Url.DecodeFromChars(protectedText), _place);
        var properties = plain is null ? null : PropertiesSerializer.Default.Deserialize(plain);
        return properties?.IssuedUtc + Lifetime > time.GetUtcNow() ? properties : null;
    }

    string ISecureDataFormat<AuthenticationProperties>.Protect(AuthenticationProperties data, string? purpose) => Protect(data);

    AuthenticationProperties? ISecureDataFormat<AuthenticationProperties>.Unprotect(string? protectedText, string? purpose) => Unprotect(protectedText);
}
