using System.Security.Cryptography;
using Lintel.Platform.Configuration;

namespace Lintel.Features.Webhooks;

/// <summary>
/// What signs. A secret is derived from the server's key and a salt that is stored: the database alone does not give it, and it can be made again for each signature. Who changes
/// <c>SECRET_KEY</c> changes them all.
/// </summary>
internal sealed class WebhookSecrets(SecretKey key)
{
    private const string Purpose = "lintel webhook v1 ";
    private const string Prefix = "whsec_";
    private const int Bytes = 32;

    /// <summary>For a new secret.</summary>
    public static byte[] NewSalt() => RandomNumberGenerator.GetBytes(Bytes);

    /// <summary>The secret as its owner gets it, in the form of Standard Webhooks.</summary>
    public string Show(Guid webhookId, byte[] salt) => Prefix + Convert.ToBase64String(Get(webhookId, salt));

    /// <summary>The HMAC-SHA256 key. Of a salt that was moved to another webhook it is another.</summary>
    public byte[] Get(Guid webhookId, byte[] salt) => key.Derive(Purpose + webhookId, salt, Bytes);
}
