using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Lintel.Features.Accounts.SecondFactors.Codes;

/// <summary>Codes of RFC 4226 (by a counter) and RFC 6238 (by the time), as authenticator apps show them: HMAC-SHA-1, six digits, half a minute each.</summary>
internal static class OneTimeCode
{
    public const int Digits = 6;
    public const int SecretLength = 20;

    private const long StepSeconds = 30;
    private const string Base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    /// <summary>The code of RFC 4226 section 5.3, for the hash function whose HMAC RFC 6238 takes in its place.</summary>
    public static string Compute(ReadOnlySpan<byte> secret, long counter, int digits, HashAlgorithmName function)
    {
        Span<byte> message = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(message, counter);
        Span<byte> hash = stackalloc byte[SHA512.HashSizeInBytes];
        var length = CryptographicOperations.HmacData(function, secret, message, hash);
        var offset = hash[length - 1] & 0xF;
        var number = BinaryPrimitives.ReadUInt32BigEndian(hash[offset..]) & 0x7FFF_FFFF;
        return (number % (uint)Math.Pow(10, digits)).ToString(CultureInfo.InvariantCulture).PadLeft(digits, '0');
    }

    public static string Compute(ReadOnlySpan<byte> secret, long step) => Compute(secret, step, Digits, HashAlgorithmName.SHA1);

    /// <summary>The number of the half minute that a moment is in.</summary>
    public static long StepAt(DateTimeOffset moment) => moment.ToUnixTimeSeconds() / StepSeconds;

    /// <summary>
    /// The half minute whose code this is: the present one, or the one before or after, for clocks that differ. Null for none, and for one that is not later than
    /// <paramref name="last"/>, whose code was used. All three are compared, whichever it is.
    /// </summary>
    public static long? Match(ReadOnlySpan<byte> secret, string code, DateTimeOffset now, long last)
    {
        var given = Encoding.UTF8.GetBytes(code);
        var present = StepAt(now);
        long? match = null;
        for (var step = present - 1; step <= present + 1; step++)
        {
            var isIt = CryptographicOperations.FixedTimeEquals(given, Encoding.ASCII.GetBytes(Compute(secret, step)));
            match = isIt && step > last ? step : match;
        }

        return match;
    }

    /// <summary>The code without the space that many apps show in it; null where it can be none.</summary>
    public static string? Normalize(string code)
    {
        var digits = code.Replace(" ", "", StringComparison.Ordinal);
        return digits.Length == Digits && digits.All(char.IsAsciiDigit) ? digits : null;
    }

    /// <summary>A secret as people type it: base32 of RFC 4648, without padding.</summary>
    public static string Show(ReadOnlySpan<byte> secret)
    {
        var text = new StringBuilder();
        var (bits, count) = (0, 0);
        foreach (var value in secret)
        {
            (bits, count) = ((bits << 8) | value, count + 8);
            while (count >= 5)
            {
                count -= 5;
                text.Append(Base32[(bits >> count) & 31]);
            }

            bits &= (1 << count) - 1;
        }

        return (count > 0 ? text.Append(Base32[(bits << (5 - count)) & 31]) : text).ToString();
    }
}
