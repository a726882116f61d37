using Lintel.Sandbox.Supervision;

namespace Lintel.Sandbox;

/// <summary>
/// Against a tree of plain files, which shows what is written where and read from where, and nothing of what a kernel does with it:
/// no machine of the project has a delegated cgroup v2 subtree.
/// </summary>
public sealed class CgroupTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("lintel-cgroup-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void A_run_is_put_into_a_group_with_its_limits()
    {
        var tree = Delegate("cpu memory pids")!;
        var run = tree.Add(4321, new SandboxLimits { MemoryBytes = 100, WorkBytes = 20, SharedMemoryBytes = 3, Processes = 64 });
        var group = Assert.Single(Directory.EnumerateDirectories(Path.Combine(_root, "service"), "run-*"));

        Assert.Equal($"{System.Environment.ProcessId}", Read("service/server/cgroup.procs"));
        Assert.Equal("+memory +pids +cpu", Read("service/cgroup.subtree_control"));
        Assert.Equal(
            ("123", "0", "1", "65", "100000 100000", "4321"),
            (Read(group, "memory.max"), Read(group, "memory.swap.max"), Read(group, "memory.oom.group"), Read(group, "pids.max"), Read(group, "cpu.max"), Read(group, "cgroup.procs")));

        run.Kill();
        Assert.Equal("1", Read(group, "cgroup.kill"));

        File.WriteAllText(Path.Combine(group, "memory.peak"), "98765\n");
        File.WriteAllText(Path.Combine(group, "memory.events"), "low 0\nmax 7\noom 1\noom_kill 3\n");
        Assert.Equal(new CgroupUsage(98765, true), run.Finish());
    }

    [Fact]
    public void A_group_without_a_kill_for_memory_was_not_out_of_it()
    {
        var run = Delegate("memory pids")!.Add(1, new SandboxLimits());
        var group = Assert.Single(Directory.EnumerateDirectories(Path.Combine(_root, "service"), "run-*"));
        File.WriteAllText(Path.Combine(group, "memory.events"), "oom 0\noom_kill 0\n");
        Assert.Equal(new CgroupUsage(-1, false), run.Finish());
    }

    [Fact]
    public void A_group_that_is_not_empty_yet_is_removed_later()
    {
        var tree = Delegate("memory pids")!;
        var run = tree.Add(1, new SandboxLimits());
        var group = Assert.Single(Directory.EnumerateDirectories(Path.Combine(_root, "service"), "run-*"));

        // Plain files keep the folder from going, as processes would.
        run.Finish();
        Assert.True(Directory.Exists(group));
        Array.ForEach(Directory.GetFiles(group), File.Delete);
        tree.Add(2, new SandboxLimits());
        Assert.False(Directory.Exists(group));
    }

    [Theory]
    [InlineData("memory")]
    [InlineData("pids hugetlb")]
    [InlineData("")]
    [InlineData(null)]
    public void A_subtree_without_memory_and_pids_is_not_used(string? controllers) => Assert.Null(Delegate(controllers));

    [Fact]
    public void A_machine_with_only_the_old_layout_has_none()
    {
        var own = Path.Combine(_root, "own");
        File.WriteAllText(own, "4:memory:/service\n1:name=systemd:/service\n");
        Assert.Null(CgroupTree.Find(null, own, _root));
    }

    private CgroupTree? Delegate(string? controllers)
    {
        var own = Path.Combine(_root, "own");
        File.WriteAllText(own, "0::/service\n");
        Directory.CreateDirectory(Path.Combine(_root, "service"));

        if (controllers is not null)
        {
            File.WriteAllText(Path.Combine(_root, "service", "cgroup.controllers"), controllers + "\n");
        }

        return CgroupTree.Find(null, own, _root);
    }

    private string Read(params string[] path) => File.ReadAllText(Path.Combine([_root, .. path]));
}
