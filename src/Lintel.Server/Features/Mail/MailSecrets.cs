using System.Text;
using System.Text.Json;
using Lintel.Platform.Configuration;
using Lintel.Platform.Security;

namespace Lintel.Features.Mail;

/// <summary>
/// Keeps the fields of waiting mail from whoever reads the database or a copy of it: some hold links and codes that sign people in. Sealed, and bound to the message, so that what was moved to another row or recipient is nothing.
/// </summary>
internal sealed class MailSecrets(SecretKey key)
{
    private readonly SecretSeal _seal = new(key, "lintel waiting mail v1");

    public string Protect(Guid id, string recipient, string template, Dictionary<string, string?> fields)
    {
        var plain = JsonSerializer.SerializeToUtf8Bytes(fields, MailJson.Default.DictionaryStringString);
        return Convert.ToBase64String(_seal.Seal(plain, Message(id, recipient, template)));
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
            var plain = _seal.Open(Convert.FromBase64String(text), Message(id, recipient, template));
            return plain is null ? null : JsonSerializer.Deserialize(plain, MailJson.Default.DictionaryStringString);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    // Neither an address nor a template's name has a line break.
    private static byte[] Message(Guid id, string recipient, string template) => Encoding.UTF8.GetBytes($"{id}\n{recipient}\n{template}");
}
