using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Json;

namespace Lintel.Features.Accounts.Keys;

/// <summary>
/// A JSON Web Signature in its compact form (RFC 7515), read as strictly as it is written: one way to write it, an algorithm that the header names once, and no key that the token brings
/// along. Whose signature it is, is for <see cref="VerificationKey"/> to tell.
/// </summary>
internal sealed class JsonWebSignature
{
    public const int MaxLength = 8 * 1024;

    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    private static readonly SearchValues<char> Characters = SearchValues.Create(Alphabet);

    private JsonWebSignature(byte[] signed, byte[] payload, byte[] signature) => (Signed, Payload, Signature) = (signed, payload, signature);

    public string Algorithm { get; private set; } = "";

    public string? KeyId { get; private set; }

    public string? Type { get; private set; }

    /// <summary>The bytes that the signature is over.</summary>
    public byte[] Signed { get; }

    public byte[] Payload { get; }

    public byte[] Signature { get; }

    /// <returns>Null for what is none.</returns>
    public static JsonWebSignature? Parse(string text)
    {
        if (text.Length > MaxLength)
        {
            return null;
        }

        var header = text.IndexOf('.', StringComparison.Ordinal);
        var payload = text.IndexOf('.', header + 1);
        if (header < 0 || payload < 0
            || Decode(text.AsSpan(0, header)) is not { } headerBytes
            || Decode(text.AsSpan(header + 1, payload - header - 1)) is not { } payloadBytes
            || Decode(text.AsSpan(payload + 1)) is not { } signature)
        {
            return null;
        }

        var jws = new JsonWebSignature(Encoding.ASCII.GetBytes(text, 0, payload), payloadBytes, signature);
        try
        {
            return jws.TryReadHeader(headerBytes) ? jws : null;
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private bool TryReadHeader(ReadOnlySpan<byte> header)
    {
        var json = new Utf8JsonReader(header);
        json.Read();
        if (json.TokenType != JsonTokenType.StartObject)
        {
            return false;
        }

        string? algorithm = null;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var name = json.GetString();
            json.Read();
            switch (name)
            {
                case "alg" when algorithm is null:
                    algorithm = json.GetString();
                    break;
                case "kid" when KeyId is null:
                    KeyId = json.GetString();
                    break;
                case "typ" when Type is null:
                    Type = json.GetString();
                    break;

                // A key that comes with the token, or where to get one, proves nothing; what changes how it is to be read (crit, b64) is nothing that we know; and nothing is said twice.
                case "alg" or "kid" or "typ" or "jwk" or "jku" or "x5c" or "x5u" or "crit" or "b64" or "zip":
                    return false;
                default:
                    json.Skip();
                    break;
            }
        }

        // Nothing may follow; the reader would throw.
        json.Read();
        Algorithm = algorithm ?? "";
        return Algorithm.Length != 0;
    }

    /// <summary>As RFC 4648 has it and in one way only: nothing else in between, and the bits that stand for nothing are zero.</summary>
    private static byte[]? Decode(ReadOnlySpan<char> text)
    {
        if (text.Length % 4 == 1 || text.ContainsAnyExcept(Characters))
        {
            return null;
        }

        if (text.IsEmpty)
        {
            return [];
        }

        var unused = (text.Length % 4) switch { 2 => 0b1111, 3 => 0b11, _ => 0 };
        return (Alphabet.IndexOf(text[^1], StringComparison.Ordinal) & unused) == 0 ? Base64Url.DecodeFromChars(text) : null;
    }
}
