using System.Security.Cryptography;
using System.Text;
using Lintel.Platform.Configuration;

namespace Lintel.Features.Accounts;

/// <summary>How access and refresh tokens are signed and how long they live. A class, not a record: nothing may print the key.</summary>
internal sealed class TokenOptions
{
    private const int MinKeyBytes = 32;

    /// <summary>The key that signs, at least 32 bytes.</summary>
    public required byte[] SecretKey { get; init; }

    public required TimeSpan AccessTokenLifetime { get; init; }

    public required TimeSpan RefreshTokenLifetime { get; init; }

    public static TokenOptions Read(SettingsReader settings)
    {
        if (settings.Text("ALGORITHM") is { } algorithm && !algorithm.Equals("HS256", StringComparison.OrdinalIgnoreCase))
        {
            settings.Refuse("ALGORITHM", "must be HS256, the only one that this version signs with; remove the setting to use it");
        }

        return new()
        {
            SecretKey = ReadSecretKey(settings),
            AccessTokenLifetime = TimeSpan.FromMinutes(settings.Number("ACCESS_TOKEN_EXPIRE_MINUTES", 15, 1, 1440)),
            RefreshTokenLifetime = TimeSpan.FromDays(settings.Number("REFRESH_TOKEN_EXPIRE_DAYS", 7, 1, 365)),
        };
    }

    private static byte[] ReadSecretKey(SettingsReader settings)
    {
        if (settings.Text("SECRET_KEY") is { } text)
        {
            var key = Encoding.UTF8.GetBytes(text);
            if (key.Length < MinKeyBytes)
            {
                settings.Refuse("SECRET_KEY", "is too short: it must have at least 32 bytes, for example the output of `openssl rand -hex 32`");
            }

            return key;
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

            try
            {
                File.Move(made, path, overwrite: false);
            }
            catch (IOException) when (File.Exists(path))
            {
                File.Delete(made);
            }
        }

        var key = File.ReadAllBytes(path);
        return key.Length >= MinKeyBytes ? key : throw new IOException("The kept key is damaged.");
    }
}
