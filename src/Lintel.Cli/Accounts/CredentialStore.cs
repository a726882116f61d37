using System.Runtime.InteropServices;
using System.Text.Json;
using Lintel.Cli.Terminals;
using Microsoft.Win32.SafeHandles;

namespace Lintel.Cli.Accounts;

/// <summary>
/// The credentials, in a file that only its owner can read, made so from its first byte. Whoever changes it holds a lock beside it, and puts a whole new file in its
/// place, so that a reader needs none.
/// </summary>
internal sealed class CredentialStore
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private const UnixFileMode Others =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    private readonly string _folder = FindFolder();

    public string Path => System.IO.Path.Combine(_folder, "credentials.json");

    /// <exception cref="CommandException">Others can read the file, or it is damaged.</exception>
    public CredentialFile Read()
    {
        try
        {
            using var file = new FileStream(Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if ((File.GetUnixFileMode(file.SafeFileHandle) & Others) != UnixFileMode.None)
            {
                throw new CommandException(
                    ExitCode.Configuration, $"Others can read your credentials in {Path}; run `chmod 600 {Path}`, and sign in anew if somebody may have done so.");
            }

            var read = JsonSerializer.Deserialize(file, CredentialsJson.Default.CredentialFile);
            return read ?? throw new JsonException("null");
        }
        catch (Exception absent) when (absent is FileNotFoundException or DirectoryNotFoundException)
        {
            return new CredentialFile();
        }
        catch (JsonException damaged)
        {
            throw new CommandException(ExitCode.Configuration, $"The file of credentials {Path} is damaged; delete it and run `lintel login`.", damaged.Message, damaged);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.Configuration, $"The file of credentials {Path} cannot be read: {failure.Message}", inner: failure);
        }
    }

    /// <summary>Keeps other processes from changing the file until the result is disposed.</summary>
    public async Task<IDisposable> LockAsync(CancellationToken cancellationToken)
    {
        try
        {
            Directory.CreateDirectory(_folder, OwnerOnly | UnixFileMode.UserExecute);

            // Held only while one request is under way, and let go by the kernel when its process dies.
            return await Task.Run(() => Flock(System.IO.Path.Combine(_folder, "credentials.lock")), cancellationToken);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.Configuration, $"The folder for credentials {_folder} cannot be used: {failure.Message}", inner: failure);
        }
    }

    /// <summary>Writes the file; the lock must be held.</summary>
    public void WriteLocked(CredentialFile content)
    {
        var next = System.IO.Path.Combine(_folder, $"credentials.{Environment.ProcessId}.new");
        try
        {
            // One that was left by a process that died may have been made by anybody.
            File.Delete(next);
            using (var file = new FileStream(next, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }))
            {
                JsonSerializer.Serialize(file, content, CredentialsJson.Default.CredentialFile);
                file.Flush(flushToDisk: true);
            }

            File.Move(next, Path, overwrite: true);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.Configuration, $"The credentials cannot be stored in {Path}: {failure.Message}", inner: failure);
        }
    }

    /// <summary>Stores a sign-in to a server, and makes it the one that is used.</summary>
    /// <param name="device">The token by which the server remembers this machine from now on; null where it gave none.</param>
    public async Task SetAsync(string server, StoredSignIn signIn, string? device, CancellationToken cancellationToken)
    {
        using var held = await LockAsync(cancellationToken);
        var file = Read();
        file.Servers[server] = signIn;
        if (device is not null)
        {
            file.Remember(server, signIn.Email!, device);
        }

        WriteLocked(file with { Current = server });
    }

    /// <summary>Forgets all that is stored for a server.</summary>
    public async Task ForgetAsync(string server, CancellationToken cancellationToken)
    {
        using var held = await LockAsync(cancellationToken);
        var file = Read();
        file.Servers.Remove(server);
        file.Devices.Remove(server);
        WriteLocked(file with { Current = file.Current == server ? file.Servers.Keys.FirstOrDefault() : file.Current });
    }

    /// <summary>Not by a <see cref="FileStream"/>, which locks what it opens by itself and does not wait.</summary>
    private static SafeFileHandle Flock(string path)
    {
        var fd = Libc.open(path, Libc.O_RDWR | Libc.O_CREAT | Libc.O_CLOEXEC, (uint)OwnerOnly);
        if (fd < 0)
        {
            throw new IOException(Marshal.GetPInvokeErrorMessage(Libc.Error));
        }

        var file = new SafeFileHandle(fd, ownsHandle: true);
        while (Libc.flock(fd, Libc.LOCK_EX) != 0)
        {
            if (Libc.Error != Libc.EINTR)
            {
                file.Dispose();
                throw new IOException(Marshal.GetPInvokeErrorMessage(Libc.Error));
            }
        }

        return file;
    }

    private static string FindFolder()
    {
        var root = Environment.GetEnvironmentVariable("XDG_CONFIG_HOME");
        if (string.IsNullOrEmpty(root) || !System.IO.Path.IsPathRooted(root))
        {
            var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
            if (home.Length == 0)
            {
                throw new CommandException(ExitCode.Configuration, "There is no home folder to keep credentials in; set HOME or XDG_CONFIG_HOME, or use LINTEL_API_KEY.");
            }

            root = System.IO.Path.Combine(home, ".config");
        }

        return System.IO.Path.Combine(root, "lintel");
    }
}
