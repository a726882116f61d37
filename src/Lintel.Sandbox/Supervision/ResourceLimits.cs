using System.ComponentModel;
using System.Runtime.InteropServices;
using Lintel.Sandbox.Native;

namespace Lintel.Sandbox.Supervision;

/// <summary>
/// The kernel's limits, set from outside on the sandbox's first process while bubblewrap waits: no program in between is
/// needed for them. Not earlier: while a spawned process is still in its exec it has neither its final identity, so that
/// setting limits may be refused, nor its final stack limit. And the number of processes, when set before the user namespace
/// exists, counts whatever else runs under the same uid: of two sandboxes, the second could start nothing.
/// </summary>
internal static unsafe class ResourceLimits
{
    private const ulong StackBytes = 8 << 20;   // each thread's stack counts as its data: with more, there are fewer threads

    public static void Apply(int pid, SandboxLimits limits, long largestInput)
    {
        Set(pid, Libc.Resource.Processes, (ulong)limits.Processes);
        Set(pid, Libc.Resource.Core, 0);
        Set(pid, Libc.Resource.OpenFiles, (ulong)limits.OpenFiles);

        // bubblewrap may still be writing the input files, under this limit.
        Set(pid, Libc.Resource.FileSize, (ulong)Math.Max(limits.FileBytes, largestInput));
        Set(pid, Libc.Resource.Data, (ulong)limits.MemoryBytes);
        Set(pid, Libc.Resource.Stack, StackBytes);
        Set(pid, Libc.Resource.MessageQueues, 0);
        Set(pid, Libc.Resource.LockedMemory, 65536);

        if (limits.AddressSpaceBytes is { } space)
        {
            Set(pid, Libc.Resource.AddressSpace, (ulong)space);
        }

        // SIGXCPU first, SIGKILL a second later for those who ignore it.
        var seconds = (ulong)Math.Max(1, Math.Ceiling(limits.Cpu.TotalSeconds));
        Set(pid, Libc.Resource.Cpu, seconds, seconds + 1);
    }

    private static void Set(int pid, Libc.Resource resource, ulong soft, ulong? hard = null)
    {
        Libc.ResourceLimit previous;

        if (Libc.prlimit(pid, resource, null, &previous) != 0)
        {
            throw new Win32Exception(Libc.Error, $"prlimit({resource}): {Marshal.GetPInvokeErrorMessage(Libc.Error)}");
        }

        // Never upwards: that takes a capability which containers withhold even from root.
        var wanted = new Libc.ResourceLimit { Soft = Math.Min(soft, previous.Hard), Hard = Math.Min(hard ?? soft, previous.Hard) };

        if (Libc.prlimit(pid, resource, &wanted, null) != 0)
        {
            throw new Win32Exception(Libc.Error, $"prlimit({resource}): {Marshal.GetPInvokeErrorMessage(Libc.Error)}");
        }
    }
}
