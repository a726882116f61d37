using System.Globalization;

namespace Lintel.Sandbox.Supervision;

internal readonly record struct CgroupUsage(long PeakBytes, bool WasOutOfMemory);

/// <summary>
/// A delegated cgroup v2 subtree, when the host gives one (systemd: <c>Delegate=yes</c>). It adds what limits on single
/// processes cannot see: shared mappings, files in memory, the kernel's own structures. Without one, everything else stands.
/// </summary>
/// <remarks>Tested against a tree of plain files only: no machine of the project has a delegated subtree so far.</remarks>
internal sealed class CgroupTree
{
    private readonly string _folder;
    private readonly List<string> _leftovers = [];
    private int _count;

    private CgroupTree(string folder) => _folder = folder;

    /// <summary>The subtree, or null when the host has given none that can hold memory and processes.</summary>
    public static CgroupTree? Find(string? folder, string ownGroups = "/proc/self/cgroup", string root = "/sys/fs/cgroup")
    {
        try
        {
            folder ??= OwnFolder(ownGroups, root);

            if (folder is null || !Has(Path.Combine(folder, "cgroup.controllers"), "memory", "pids"))
            {
                return null;
            }

            // A group that hands controllers to its children may have no processes of its own.
            var own = Directory.CreateDirectory(Path.Combine(folder, "server"));
            File.WriteAllText(Path.Combine(own.FullName, "cgroup.procs"), Text(System.Environment.ProcessId));
            var cpu = Has(Path.Combine(folder, "cgroup.controllers"), "cpu") ? " +cpu" : "";
            File.WriteAllText(Path.Combine(folder, "cgroup.subtree_control"), "+memory +pids" + cpu);
            return new CgroupTree(folder);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>A group for one run, with its first process in it, which waits and has no children yet.</summary>
    public CgroupRun Add(int pid, SandboxLimits limits)
    {
        _leftovers.RemoveAll(TryRemove);
        var folder = Path.Combine(_folder, $"run-{System.Environment.ProcessId}-{++_count}");
        Directory.CreateDirectory(folder);

        try
        {
            Write("memory.max", Text(limits.MemoryBytes + limits.WorkBytes + limits.SharedMemoryBytes));
            Write("memory.oom.group", "1");
            Write("pids.max", Text(limits.Processes + 1));      // bubblewrap's monitor stands outside of the guest's count

            // Neither is everywhere: swap accounting may be off, the cpu controller elsewhere.
            TryWrite("memory.swap.max", "0");
            TryWrite("cpu.max", "100000 100000");
            Write("cgroup.procs", Text(pid));
            return new CgroupRun(folder, Leave);
        }
        catch
        {
            Leave(folder);
            throw;
        }

        void Write(string file, string value) => File.WriteAllText(Path.Combine(folder, file), value);

        void TryWrite(string file, string value)
        {
            try
            {
                Write(file, value);
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
            }
        }
    }

    /// <summary>Removes a group, now or, when its last process has not gone yet, later.</summary>
    private void Leave(string folder)
    {
        if (!TryRemove(folder))
        {
            _leftovers.Add(folder);
        }
    }

    private static bool TryRemove(string folder)
    {
        try
        {
            Directory.Delete(folder);
            return true;
        }
        catch (DirectoryNotFoundException)
        {
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static string? OwnFolder(string ownGroups, string root) =>
        File.ReadLines(ownGroups).Where(line => line.StartsWith("0::/", StringComparison.Ordinal))
            .Select(line => Path.Combine(root, line["0::/".Length..])).FirstOrDefault();

    private static bool Has(string file, params string[] controllers) =>
        File.Exists(file) && controllers.All(File.ReadAllText(file).Split([' ', '\n']).Contains);

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}

/// <summary>The group of one run.</summary>
internal sealed class CgroupRun(string folder, Action<string> leave)
{
    /// <summary>Ends every process in it at once.</summary>
    public void Kill()
    {
        try
        {
            File.WriteAllText(Path.Combine(folder, "cgroup.kill"), "1");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // Kernels before 5.14 have no such file; the pid namespace ends them as well.
        }
    }

    public CgroupUsage Finish()
    {
        var usage = new CgroupUsage(ReadPeak(), WasOutOfMemory());
        leave(folder);
        return usage;
    }

    private long ReadPeak() => long.TryParse(TryRead("memory.peak"), NumberStyles.None, CultureInfo.InvariantCulture, out var peak) ? peak : -1;

    private bool WasOutOfMemory() =>
        TryRead("memory.events").Split('\n').Any(line => line.StartsWith("oom_kill ", StringComparison.Ordinal) && line != "oom_kill 0");

    private string TryRead(string file)
    {
        try
        {
            return File.ReadAllText(Path.Combine(folder, file)).TrimEnd();
        }
        catch (IOException)
        {
            return "";
        }
    }
}
