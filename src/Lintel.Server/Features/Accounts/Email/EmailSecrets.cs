using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Lintel.Platform.Configuration;

namespace Lintel.Features.Accounts.Email;

/// <summary>Makes what is mailed as a proof, and the keyed hashes that the database has of it. The key is not in the database, so a copy of that tells nobody a link or a code.</summary>
internal sealed class EmailSecrets(SecretKey key)
{
    private const int TokenBytes = 32;
    private const int TokenLength = 43;
    private const int CodeDigits = 8;
    private const int CodeNumbers = 100_000_000;

    private readonly byte[] _key = key.Derive("lintel account e-mail v1", [], TokenBytes);

    /// <summary>For a link.</summary>
    public static string NewToken() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(TokenBytes));

    /// <summary>To be typed.</summary>
    public static string NewCode() => RandomNumberGenerator.GetInt32(CodeNumbers).ToString("D8", CultureInfo.InvariantCulture);

    public static bool IsToken(string text) => text.Length == TokenLength && Base64Url.IsValid(text);

    /// <summary>The digits of a code as people type it; null where it is none.</summary>
    public static string? ReadCode(string text)
    {
        var digits = text.Replace(" ", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal);
        return digits.Length == CodeDigits && digits.All(char.IsAsciiDigit) ? digits : null;
    }

    /// <param name="purpose">What it is for: the same text for another purpose has another hash.</param>
    public byte[] Hash(string purpose, string text) => HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes($"{purpose}\n{text}"));
}
