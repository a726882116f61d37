using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Lintel.Platform.Configuration;

/// <summary>The key that the server's secrets come from: <c>SECRET_KEY</c>. A class, not a record: nothing may print it.</summary>
internal sealed partial class SecretKey
{
    private const int MinKeyBytes = 32;

    private SecretKey(byte[] bytes, SecretKey? previous = null) => (Bytes, Previous) = (bytes, previous);

    /// <summary>At least 32 bytes.</summary>
    public byte[] Bytes { get; }

    /// <summary>The one of before, <c>SECRET_KEY_PREVIOUS</c>: what was made with it is still taken, and nothing is made with it.</summary>
    public SecretKey? Previous { get; }

    public static SecretKey Read(SettingsReader settings) =>
        new(ReadBytes(settings), settings.Text("SECRET_KEY_PREVIOUS") is { } previous ? new(Parse(settings, "SECRET_KEY_PREVIOUS", previous)) : null);

    /// <summary>A key for one purpose, by HKDF-SHA256: it tells nothing of this one, nor of the keys for other purposes.</summary>
    /// <param name="purpose">What it is for, in words that no other purpose has.</param>
    /// <param name="salt">Random bytes that are kept beside what the key protects.</param>
    public byte[] Derive(string purpose, byte[] salt, int length) => HKDF.DeriveKey(HashAlgorithmName.SHA256, Bytes, length, salt, Encoding.UTF8.GetBytes(purpose));

    private static byte[] ReadBytes(SettingsReader settings)
    {
        if (settings.Text("SECRET_KEY") is { } text)
        {
            return Parse(settings, "SECRET_KEY", text);
        }

        if (!settings.IsDevelopment)
        {
            settings.Refuse(
                "SECRET_KEY",
                "is missing: production needs one of at least 32 bytes, for example the output of `openssl rand -hex 32` (DEBUG=true makes one for development)");
            return [];
        }

        try
        {
            return KeptKey(Path.Combine(settings.MakeDataFolder(), "secret.key"));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            settings.Refuse(
                "SECRET_KEY",
                $"is not set, and the one that development keeps in {settings.DataFolder} cannot be read or made: "
                + "set it, or give LINTEL_DATA a folder that this user may write to");
            return [];
        }
    }

    private static byte[] Parse(SettingsReader settings, string name, string text)
    {
        var key = Encoding.UTF8.GetBytes(text);
        if (key.Length < MinKeyBytes)
        {
            settings.Refuse(name, "is too short: it must have at least 32 bytes, for example the output of `openssl rand -hex 32`");
        }

        return key;
    }

    /// <summary>Development's own key: made once, readable by this user alone, so that tokens survive a restart.</summary>
    private static byte[] KeptKey(string path)
    {
        if (!File.Exists(path))
        {
            // Moved into place whole, and never over another's: two servers that start together end up with one key.
            var made = path + "." + Path.GetRandomFileName();
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            using (var file = new FileStream(made, options))
            {
                file.Write(Encoding.ASCII.GetBytes(RandomNumberGenerator.GetHexString(64, lowercase: true)));
            }

            // Moving without overwriting looks first and renames then, so of two at once both would; a second name is given to one file alone.
            if (!OperatingSystem.IsWindows() && (Link(made, path) == 0 || File.Exists(path)))
            {
                File.Delete(made);
            }
            else
            {
                MoveToFree(made, path);
            }
        }

        var key = File.ReadAllBytes(path);
        return key.Length >= MinKeyBytes ? key : throw new IOException("The kept key is damaged.");
    }

    private static void MoveToFree(string made, string path)
    {
        try
        {
            File.Move(made, path, overwrite: false);
        }
        catch (IOException) when (File.Exists(path))
        {
            File.Delete(made);
        }
    }

    [LibraryImport("libc", EntryPoint = "link", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string existing, string added);
}
