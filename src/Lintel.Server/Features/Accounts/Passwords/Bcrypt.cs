using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Lintel.Features.Accounts.Passwords;

/// <summary>
/// Checks hashes that other systems made with bcrypt, by the system's <c>libcrypt</c>. As those systems did: of a password the first 72 bytes count, and one with a zero in it has no
/// hash, since they refused to make one.
/// </summary>
internal static unsafe class Bcrypt
{
    /// <summary>What it may cost to check one: 2 to the power of this, in rounds. What costs more would keep others from signing in.</summary>
    public const int LeastCost = 4;
    public const int MostCost = 14;

    private const int Length = 60;
    private const int MaxPasswordBytes = 72;
    private const int SettingLength = 29;

    // libxcrypt's structure has 32 KB; that of older libraries has 128.
    private const int DataBytes = 256 * 1024;

    // Of a well-known hash of "U*U", by which a library that knows bcrypt is told from one that does not.
    private const string KnownHash = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
    private const string SomeSalt = "LintelSpendsThisTime22";

    private static readonly delegate* unmanaged[Cdecl]<byte*, byte*, byte*, byte*> Crypt = Load();

    /// <summary>Whether this machine can check such hashes.</summary>
    public static bool IsAvailable { get; } = Crypt is not null && Verify(KnownHash, "U*U");

    /// <summary>True for what looks like such a hash, of whatever cost.</summary>
    public static bool IsHash(string? text)
    {
        if (text is not ['$', '2', 'a' or 'b' or 'y', '$', >= '0' and <= '9', >= '0' and <= '9', '$', ..] || text.Length != Length)
        {
            return false;
        }

        foreach (var c in text.AsSpan(7))
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '/'))
            {
                return false;
            }
        }

        return true;
    }

    public static int CostOf(string hash) => int.Parse(hash.AsSpan(4, 2), NumberStyles.None, CultureInfo.InvariantCulture);

    /// <summary>Whether this is the password of the hash; false too where this machine cannot tell, or will not for what it costs.</summary>
    public static bool Verify(string hash, string password)
    {
        if (!IsHash(hash) || CostOf(hash) is < LeastCost or > MostCost)
        {
            return false;
        }

        // Computed in any case, so that a zero does not save its time.
        Span<byte> computed = stackalloc byte[Length];
        var isComputed = TryHash(password, hash, computed);
        return isComputed && !password.Contains('\0', StringComparison.Ordinal) && CryptographicOperations.FixedTimeEquals(computed, Encoding.ASCII.GetBytes(hash));
    }

    /// <summary>Takes the time of checking a hash of that cost.</summary>
    public static void Spend(int cost, string password)
    {
        Span<byte> unused = stackalloc byte[Length];
        TryHash(password, string.Create(CultureInfo.InvariantCulture, $"$2b${cost:00}${SomeSalt}"), unused);
    }

    private static bool TryHash(string password, string setting, Span<byte> hash)
    {
        if (Crypt is null)
        {
            return false;
        }

        Span<byte> salt = stackalloc byte[SettingLength + 1];
        Encoding.ASCII.GetBytes(setting.AsSpan(0, SettingLength), salt);
        salt[SettingLength] = 0;

        // Whole bytes are cut, not characters: the other systems counted so.
        var encoded = Encoding.UTF8.GetBytes(password);
        var bytes = new byte[Math.Min(encoded.Length, MaxPasswordBytes) + 1];
        encoded.AsSpan(0, bytes.Length - 1).CopyTo(bytes);
        var data = (byte*)NativeMemory.AllocZeroed(DataBytes);
        try
        {
            fixed (byte* phrase = bytes, with = salt)
            {
                var result = Crypt(phrase, with, data);
                if (result is null)
                {
                    return false;
                }

                var text = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(result);
                return text.Length == Length && text.TryCopyTo(hash);
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(new Span<byte>(data, DataBytes));
            CryptographicOperations.ZeroMemory(bytes);
            CryptographicOperations.ZeroMemory(encoded);
            NativeMemory.Free(data);
        }
    }

    // crypt_r, since crypt keeps its result in one place for all threads.
    private static delegate* unmanaged[Cdecl]<byte*, byte*, byte*, byte*> Load()
    {
        foreach (var name in (ReadOnlySpan<string>)["libcrypt.so.1", "libcrypt.so.2", "libcrypt.so"])
        {
            if (NativeLibrary.TryLoad(name, out var library) && NativeLibrary.TryGetExport(library, "crypt_r", out var function))
            {
                return (delegate* unmanaged[Cdecl]<byte*, byte*, byte*, byte*>)function;
            }
        }

        return null;
    }
}
