using System.Globalization;
using Lintel.Sandbox.Native;

namespace Lintel.Sandbox.Supervision;

/// <summary>A bubblewrap that has been started: its exit, its reports, and the pipe at which it waits before the program.</summary>
internal sealed class Bubblewrap : IDisposable
{
    private Bubblewrap(int pid, Descriptor exit, BubblewrapStatus status, Descriptor block, CgroupRun? cgroup)
    {
        Pid = pid;
        Exit = exit;
        Status = status;
        Block = block;
        Cgroup = cgroup;
    }

    public int Pid { get; }

    public Descriptor Exit { get; }

    public BubblewrapStatus Status { get; }

    public Descriptor Block { get; }

    public CgroupRun? Cgroup { get; }

    /// <summary>Starts it. What it throws has left nothing behind.</summary>
    public static Bubblewrap Start(SandboxRequest request, SandboxLimits limits, Launch launch, GuestEnds ends, uint uid)
    {
        var (statusRead, statusWrite) = Descriptor.Pipe();
        using var guestStatus = statusWrite;
        var block = Descriptor.EndlessPipe();
        var (gateRead, gateWrite) = Descriptor.Pipe();
        using var guestGate = gateRead;
        using var gate = gateWrite;
        List<Descriptor> inherited = [];
        var pid = -1;
        Descriptor? exit = null;

        try
        {
            (var options, inherited) = BubblewrapArguments.Build(request, limits, launch.Filter);

            // Only the session's leader can take a terminal, and bubblewrap's --new-session made its first process that.
            string[] command = ends.IsTerminal ? ["/usr/bin/setsid", "--ctty", .. request.Command] : [.. request.Command];
            using var spawn = new Spawn(
                [launch.Bubblewrap, "--args", BubblewrapArguments.OptionsFd.ToString(CultureInfo.InvariantCulture), "--", .. command],
                ends.Guests, [gateRead, statusWrite, block, .. inherited]);

            launch.Identity.Run(uid, spawn, spawn => pid = spawn.Start());

            // Before it has children: it waits for its options.
            launch.Guard.Add(-pid);
            exit = new Descriptor(Libc.Check(Libc.syscall(Libc.SYS_pidfd_open, pid, 0, 0, 0), "pidfd_open"));

            // bubblewrap reads its options to their end before anything else, so it is in its group before it has children. A server
            // that dies here leaves a bubblewrap without options, which starts nothing.
            var cgroup = launch.Cgroups?.Add(pid, limits);
            OfferToTheKernel(pid);
            gate.WriteAll(options);
            return new Bubblewrap(pid, exit, new BubblewrapStatus(statusRead), block, cgroup);
        }
        catch
        {
            GiveUp(pid, launch.Guard);
            exit?.Dispose();
            statusRead.Dispose();
            block.Dispose();
            throw;
        }
        finally
        {
            inherited.ForEach(descriptor => descriptor.Dispose());
        }
    }

    public void Dispose()
    {
        Exit.Dispose();
        Status.Pipe.Dispose();
        Block.Dispose();
    }

    /// <summary>When the machine's memory is gone, the kernel takes this and what it starts, not the server. A root server's guest cannot take it back.</summary>
    private static void OfferToTheKernel(int pid)
    {
        try
        {
            File.WriteAllText($"/proc/{pid}/oom_score_adj", "1000");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // A help for the machine and no limit of the guest's: where the host forbids it, the program is run all the same.
        }
    }

    /// <summary>It has not got its options, so it has no children.</summary>
    private static unsafe void GiveUp(int pid, OrphanGuard guard)
    {
        if (pid > 0)
        {
            int status;
            _ = Libc.kill(pid, Libc.SIGKILL);
            _ = Libc.waitpid(pid, &status, 0);
            guard.Remove(-pid);
        }
    }
}
