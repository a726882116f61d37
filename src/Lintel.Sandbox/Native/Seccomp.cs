using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Lintel.Sandbox.Native;

/// <summary>
/// The system call filter, as the kernel's classic BPF. Namespaces hide what a guest can name; this takes away kernel
/// surface that namespaces do not cover: vsock reaches the hypervisor side from any network namespace, io_uring,
/// user-fault handling, keyrings and BPF have had most of the recent escalations.
/// </summary>
internal static class Seccomp
{
    private const uint ArchX64 = 0xC000003E;
    private const uint Allow = 0x7FFF0000, KillProcess = 0x80000000, Errno = 0x00050000;
    private const uint EPERM = 1, ENOSYS = 38, ENOTSUP = 95, EAFNOSUPPORT = 97;

    // Offsets in struct seccomp_data; arguments are 64 bits wide, low half first.
    private const uint OffsetNumber = 0, OffsetArch = 4;

    private const uint CloneNewUser = 0x10000000;
    private const uint FirstX32Call = 0x40000000;

    private const uint NrIoctl = 16, NrSocket = 41, NrSocketPair = 53, NrSetSockOpt = 54, NrClone = 56, NrClone3 = 435;

    // Terminal injection (TIOCSTI, TIOCLINUX) and line disciplines (TIOCSETD), the latter a source of kernel bugs.
    private static readonly uint[] s_refusedIoctls = [0x5412, 0x541C, 0x5423];

    private static readonly uint[] s_allowedFamilies = [1 /* UNIX */, 2 /* INET */, 10 /* INET6 */, 16 /* NETLINK */];

    // They write up to 64 KB of kernel memory into an empty file. The answer is that of a file system without them, which cp -p knows.
    private static readonly (string Name, uint Number)[] s_unsupportedCalls =
        [("setxattr", 188), ("lsetxattr", 189), ("fsetxattr", 190), ("setxattrat", 463)];

    private const uint LevelSocket = 1;

    // Up to megabytes of kernel memory for each socket.
    private static readonly uint[] s_bufferOptions = [7 /* SO_SNDBUF */, 8 /* SO_RCVBUF */];

    // What no program of the supported languages needs. Shared memory that rlimits cannot see (memfd, System V) is among it.
    private static readonly (string Name, uint Number)[] s_refusedCalls =
    [
        ("shmget", 29), ("shmat", 30), ("semget", 64), ("msgget", 68), ("ptrace", 101), ("syslog", 103), ("personality", 135),
        ("modify_ldt", 154), ("pivot_root", 155), ("adjtimex", 159), ("chroot", 161), ("acct", 163), ("settimeofday", 164),
        ("mount", 165), ("umount2", 166), ("swapon", 167), ("swapoff", 168), ("reboot", 169), ("sethostname", 170),
        ("setdomainname", 171), ("iopl", 172), ("ioperm", 173), ("create_module", 174), ("init_module", 175), ("delete_module", 176),
        ("quotactl", 179), ("clock_settime", 227), ("mq_open", 240), ("kexec_load", 246), ("add_key", 248), ("request_key", 249),
        ("keyctl", 250), ("unshare", 272), ("perf_event_open", 298), ("fanotify_init", 300), ("name_to_handle_at", 303),
        ("open_by_handle_at", 304), ("clock_adjtime", 305), ("setns", 308), ("process_vm_readv", 310), ("process_vm_writev", 311),
        ("kcmp", 312), ("finit_module", 313), ("memfd_create", 319), ("kexec_file_load", 320), ("bpf", 321), ("userfaultfd", 323),
        ("io_uring_setup", 425), ("io_uring_enter", 426), ("io_uring_register", 427), ("open_tree", 428), ("move_mount", 429),
        ("fsopen", 430), ("fsconfig", 431), ("fsmount", 432), ("fspick", 433), ("pidfd_getfd", 438), ("mount_setattr", 442),
        ("quotactl_fd", 443), ("memfd_secret", 447), ("open_tree_attr", 467),
    ];

    /// <summary>The calls that are refused whatever their arguments.</summary>
    public static IEnumerable<(string Name, uint Number)> RefusedCallNumbers => s_refusedCalls;

    /// <summary>The program in the form that <c>bwrap --seccomp</c> reads.</summary>
    public static byte[] Assemble()
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64)
        {
            throw new SandboxUnavailableException(
                $"The system call filter is written for x86-64 and this machine is {RuntimeInformation.ProcessArchitecture}: programs cannot be run here.");
        }

        List<(ushort Code, byte True, byte False, uint Value)> program = [];

        Load(OffsetArch);
        Unless(ArchX64, KillProcess);                               // the 32-bit table has other numbers: int 0x80 would pass the filter
        Load(OffsetNumber);
        program.Add((JumpGreaterOrEqual, 0, 1, FirstX32Call));      // so has the x32 table
        Return(Errno | ENOSYS);

        // Its flags are behind a pointer, where a filter cannot look; every C library falls back to clone.
        When(NrClone3, Errno | ENOSYS);

        // The flags of clone come first on this machine type.
        OnCall(NrClone, 0, () =>
        {
            program.Add((JumpBitsSet, 0, 1, CloneNewUser));
            Return(Errno | EPERM);
        });

        // Low half only: the kernel takes a 32-bit command, and a filter that compared 64 bits was passed with high bits set.
        OnCall(NrIoctl, 1, () =>
        {
            foreach (var command in s_refusedIoctls)
            {
                When(command, Errno | EPERM);
            }
        });

        foreach (var call in (uint[])[NrSocket, NrSocketPair])
        {
            OnCall(call, 0, () =>
            {
                foreach (var family in s_allowedFamilies)
                {
                    When(family, Allow);
                }

                Return(Errno | EAFNOSUPPORT);
            });
        }

        // As if done: programs take the size for a wish, and stop when it is refused.
        OnCall(NrSetSockOpt, 1, () =>
        {
            Unless(LevelSocket, Allow);
            Load(16 + (8 * 2));

            foreach (var option in s_bufferOptions)
            {
                When(option, Errno);
            }
        });

        foreach (var (_, number) in s_unsupportedCalls)
        {
            When(number, Errno | ENOTSUP);
        }

        foreach (var (_, number) in s_refusedCalls)
        {
            When(number, Errno | EPERM);
        }

        Return(Allow);
        return Encode(program);

        void Load(uint offset) => program.Add((LoadWord, 0, 0, offset));
        void Return(uint action) => program.Add((ReturnValue, 0, 0, action));

        void When(uint value, uint action)
        {
            program.Add((JumpEqual, 0, 1, value));
            Return(action);
        }

        void Unless(uint value, uint action)
        {
            program.Add((JumpEqual, 1, 0, value));
            Return(action);
        }

        // Looks at one argument's low half; a call that the body lets fall through is allowed.
        void OnCall(uint number, uint argument, Action body)
        {
            var jump = program.Count;
            program.Add(default);
            Load(16 + (8 * argument));
            body();
            Return(Allow);
            program[jump] = (JumpEqual, 0, checked((byte)(program.Count - jump - 1)), number);
        }
    }

    private const ushort LoadWord = 0x20, JumpEqual = 0x15, JumpGreaterOrEqual = 0x35, JumpBitsSet = 0x45, ReturnValue = 0x06;

    private static byte[] Encode(List<(ushort Code, byte True, byte False, uint Value)> program)
    {
        var bytes = new byte[8 * program.Count];

        for (var index = 0; index < program.Count; index++)
        {
            var at = bytes.AsSpan(8 * index, 8);
            BinaryPrimitives.WriteUInt16LittleEndian(at, program[index].Code);
            at[2] = program[index].True;
            at[3] = program[index].False;
            BinaryPrimitives.WriteUInt32LittleEndian(at[4..], program[index].Value);
        }

        return bytes;
    }
}
