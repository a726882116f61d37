using System.Globalization;
using System.Text;
using Lintel.Sandbox.Native;

namespace Lintel.Sandbox.Supervision;

/// <summary>
/// The sandbox's namespaces and mounts, as options of bubblewrap. They go over a descriptor rather than the command line,
/// which the guest can read in <c>/proc/1/cmdline</c>.
/// </summary>
internal static class BubblewrapArguments
{
    /// <summary>Written in one piece into the pipe at which bubblewrap waits, so that it never sees a part of them.</summary>
    public const int MaxBytes = 60_000;

    private static readonly byte[] s_passwd = "root:x:0:0:root:/:/usr/sbin/nologin\nuser:x:1000:1000:user:/tmp:/bin/bash\n"u8.ToArray();
    private static readonly byte[] s_group = "root:x:0:\nuser:x:1000:\n"u8.ToArray();

    // From nothing: a folder that is not named here does not exist inside. Each line closes something that was found open.
    private static readonly string[] s_namespaces =
    [
        "--unshare-user", "--uid", "1000", "--gid", "1000", "--disable-userns",
        "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--hostname", "sandbox", "--unshare-cgroup-try",
        "--die-with-parent",                        // a server that is killed takes its guests along
        "--new-session",                            // no terminal of the server's to inject into
        "--cap-drop", "ALL",
    ];

    private static readonly string[] s_system =
    [
        "--ro-bind", "/usr", "/usr",
        "--symlink", "usr/bin", "/bin", "--symlink", "usr/sbin", "/sbin", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64",
        "--ro-bind-try", "/etc/alternatives", "/etc/alternatives", "--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache",
    ];

    /// <summary>What bubblewrap gets under fixed numbers: where it reads its options, where it reports, where it waits before the program.</summary>
    public const int OptionsFd = 3, StatusFd = 4, BlockFd = 5;

    private const int FirstFileFd = 6;

    /// <summary>The options, and the descriptors that they name from number 6 on.</summary>
    public static (byte[] Options, List<Descriptor> Inherited) Build(SandboxRequest request, SandboxLimits limits, ReadOnlySpan<byte> filter)
    {
        List<string> options = [.. s_namespaces, .. s_system];
        List<Descriptor> inherited = [];

        try
        {
            AddFile("0444", Descriptor.Memory(s_passwd), "/etc/passwd");
            AddFile("0444", Descriptor.Memory(s_group), "/etc/group");
            options.AddRange(["--dir", "/src"]);
            AddFiles(SandboxFolder.Source, "/src/", "0444", "0555");

            foreach (var path in request.Mounts)
            {
                options.AddRange(["--ro-bind", path, path]);
            }

            // Without sizes, each of these could be filled with half of the machine's memory, /dev itself included.
            options.AddRange(["--proc", "/proc", "--dev", "/dev"]);
            options.AddRange(["--size", Text(limits.SharedMemoryBytes), "--tmpfs", "/dev/shm"]);
            options.AddRange(["--size", Text(limits.WorkBytes), "--tmpfs", "/tmp", "--dir", "/tmp/work"]);
            AddFiles(SandboxFolder.Work, "/tmp/work/", "0644", "0755");
            options.AddRange(["--chdir", "/tmp/work", "--remount-ro", "/dev", "--remount-ro", "/"]);

            options.AddRange(["--clearenv", "--setenv", "PATH", "/usr/bin:/bin", "--setenv", "HOME", "/tmp", "--setenv", "USER", "user"]);
            options.AddRange(["--setenv", "LANG", "C.UTF-8", "--setenv", "TERM", "xterm-256color"]);

            foreach (var (name, value) in request.Environment)
            {
                options.AddRange(["--setenv", name, value]);
            }

            options.AddRange(["--seccomp", Inherit(Descriptor.Memory(filter)), "--json-status-fd", Text(StatusFd), "--block-fd", Text(BlockFd)]);

            var bytes = Encoding.UTF8.GetBytes(string.Join('\0', options) + '\0');

            return bytes.Length <= MaxBytes
                ? (bytes, inherited)
                : throw new SandboxException("The names of the files, mounts and variables are too long in all.");
        }
        catch
        {
            inherited.ForEach(descriptor => descriptor.Dispose());
            throw;
        }

        void AddFiles(SandboxFolder folder, string prefix, string mode, string executableMode)
        {
            foreach (var file in request.Files.Where(file => file.Folder == folder))
            {
                var content = file.Stored?.Reopen() ?? Descriptor.Memory(file.Bytes.Span);
                AddFile(file.IsExecutable ? executableMode : mode, content, prefix + file.Name);
            }
        }

        void AddFile(string mode, Descriptor content, string path)
        {
            options.AddRange(["--perms", mode, "--file", Inherit(content), path]);
        }

        string Inherit(Descriptor descriptor)
        {
            inherited.Add(descriptor);
            return Text(FirstFileFd + inherited.Count - 1);
        }
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
