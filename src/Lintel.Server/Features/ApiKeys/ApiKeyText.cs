using System.Buffers;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;

namespace Lintel.Features.ApiKeys;

/// <summary>
/// What a key looks like: <c>ltl_</c>, 36 random letters and digits (214 bits), and six that are the CRC-32C of all before them. The checksum is no secret:
/// it lets us, and those who search files for leaked keys, tell a key from garbage without asking anybody.
/// </summary>
internal static class ApiKeyText
{
    /// <summary>What every key begins with.</summary>
    public const string Start = "ltl_";

    public const int Length = 46;

    /// <summary>What may be shown to tell keys apart; 166 random bits stay unknown.</summary>
    public const int PrefixLength = 12;

    private const int ChecksumLength = 6;
    private const string Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    private static readonly SearchValues<char> AnyDigit = SearchValues.Create(Digits);

    /// <summary>A new key, from the system's source of randomness.</summary>
    public static string Create() => string.Create(Length, 0, static (key, _) =>
    {
        Start.CopyTo(key);
        RandomNumberGenerator.GetItems(Digits, key[Start.Length..^ChecksumLength]);
        WriteChecksum(key[..^ChecksumLength], key[^ChecksumLength..]);
    });

    public static string PrefixOf(string key) => key[..PrefixLength];

    /// <summary>True for what could be a key of ours. No one else's string is, but by a chance of one in four billions or on purpose.</summary>
    public static bool IsWellFormed(ReadOnlySpan<char> key)
    {
        if (key.Length != Length || !key.StartsWith(Start, StringComparison.Ordinal) || key[Start.Length..].ContainsAnyExcept(AnyDigit))
        {
            return false;
        }

        Span<char> checksum = stackalloc char[ChecksumLength];
        WriteChecksum(key[..^ChecksumLength], checksum);
        return key.EndsWith(checksum, StringComparison.Ordinal);
    }

    /// <summary>The SHA-256 of a key. A slow hash would protect guessable secrets; these are not.</summary>
    public static void Hash(ReadOnlySpan<char> key, Span<byte> hash)
    {
        Span<byte> ascii = stackalloc byte[Length];
        SHA256.HashData(ascii[..Encoding.ASCII.GetBytes(key, ascii)], hash);
    }

    private static void WriteChecksum(ReadOnlySpan<char> text, Span<char> checksum)
    {
        var crc = ~0u;
        foreach (var character in text)
        {
            crc = BitOperations.Crc32C(crc, (byte)character);
        }

        crc = ~crc;
        for (var i = checksum.Length - 1; i >= 0; i--)
        {
            (crc, var digit) = Math.DivRem(crc, (uint)Digits.Length);
            checksum[i] = Digits[(int)digit];
        }
    }
}
