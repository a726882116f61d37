using Lintel.Sandbox.Infrastructure;
using Lintel.Sandbox.Native;

namespace Lintel.Sandbox.Escapes;

public sealed class SystemCallTests(SandboxFixture sandbox)
{
    [Fact]
    public async Task Every_refused_call_is_refused_by_name()
    {
        // All arguments zero: without the filter these give EFAULT, EINVAL, ENOSYS or success, some of them EPERM. The filter's own
        // are told from those by being there for each.
        var numbers = string.Join(", ", Seccomp.RefusedCallNumbers.Select(call => $"'{call.Name}': {call.Number}"));
        var guest = await sandbox.RunPythonAsync($$"""
            import ctypes, errno
            libc = ctypes.CDLL(None, use_errno=True)
            for name, number in { {{numbers}} }.items():
                result = libc.syscall(number, 0, 0, 0, 0, 0, 0)
                if result != -1 or ctypes.get_errno() != errno.EPERM:
                    print(name, result, errno.errorcode[ctypes.get_errno()])
            print('done')
            """);
        guest.Printed("done");
        Assert.True(Seccomp.RefusedCallNumbers.Count() > 60);
    }

    [Fact]
    public async Task The_calls_that_break_out_of_sandboxes_are_refused()
    {
        // By numbers of its own, so that one that is dropped from the filter is missed here.
        var guest = await sandbox.RunPythonAsync("""
            import ctypes, errno
            libc = ctypes.CDLL(None, use_errno=True)
            calls = dict(ptrace=101, process_vm_readv=310, process_vm_writev=311, mount=165, umount2=166, unshare=272, setns=308, chroot=161, pivot_root=155,
                         open_by_handle_at=304, bpf=321, perf_event_open=298, userfaultfd=323, add_key=248, request_key=249, keyctl=250,
                         io_uring_setup=425, io_uring_enter=426, io_uring_register=427, init_module=175, finit_module=313, delete_module=176,
                         kexec_load=246, kexec_file_load=320, personality=135, syslog=103, memfd_create=319, memfd_secret=447, shmget=29, msgget=68, semget=64,
                         mq_open=240, pidfd_getfd=438, fsopen=430, fsmount=432, move_mount=429, open_tree=428, mount_setattr=442, kcmp=312, modify_ldt=154)
            for name, number in calls.items():
                if libc.syscall(number, 0, 0, 0, 0, 0, 0) != -1 or ctypes.get_errno() != errno.EPERM:
                    print(name)
            print(len(calls))
            """);
        guest.Printed("40");
    }

    [Fact]
    public async Task New_namespaces_identities_and_devices_are_refused()
    {
        var guest = await sandbox.RunPythonAsync("""
            import ctypes, errno, os
            libc = ctypes.CDLL(None, use_errno=True)
            def code(result):
                return errno.errorcode[ctypes.get_errno()] if result == -1 else str(result)
            CLONE_NEWUSER, SIGCHLD = 0x10000000, 17
            print('clone', code(libc.syscall(56, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0)))
            print('clone3', code(libc.syscall(435, 0, 0)))
            print('x32', code(libc.syscall(0x40000000 + 39)))
            print('setuid', code(libc.setuid(0)))
            print('setgid', code(libc.setgid(0)))
            print('mknod', code(libc.mknod(b'/tmp/disk', 0o60600, (8 << 8))))
            print('nice', code(libc.setpriority(0, 0, -5)))
            print('rr', code(libc.sched_setscheduler(0, 2, ctypes.byref(ctypes.c_int(1)))))
            print('uids', os.getresuid())
            """);
        guest.Printed("""
            clone EPERM
            clone3 ENOSYS
            x32 ENOSYS
            setuid EINVAL
            setgid EINVAL
            mknod EPERM
            nice EACCES
            rr EPERM
            uids (1000, 1000, 1000)
            """);
    }

    [Fact]
    public async Task A_call_of_the_32_bit_table_ends_the_program()
    {
        // mov eax, 20 (getpid of that table); int 0x80; ret
        var guest = await sandbox.RunPythonAsync("""
            import ctypes, mmap
            code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
            code.write(bytes.fromhex('b814000000cd80c3'))
            call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
            print('before')
            print('after', call())
            """);
        Assert.Equal(("before\n", SandboxVerdict.Signalled, 159, 31), (guest.Output, guest.Result.Verdict, guest.Result.ExitCode, guest.Result.Signal));
    }

    [Fact]
    public async Task Programs_with_a_set_user_id_gain_nothing()
    {
        var guest = await sandbox.RunShellAsync("grep -c nosuid <(grep ' /usr ' /proc/self/mountinfo); su -c id root </dev/null; echo $?; id -u");
        Assert.Equal("1", guest.Lines[0]);
        Assert.Equal("1", guest.Lines[^2]);
        Assert.Equal("1000", guest.Lines[^1]);
    }

    [Fact]
    public async Task Input_cannot_be_pushed_into_a_terminal()
    {
        var guest = await sandbox.RunPythonAsync("""
            import ctypes, errno, os
            libc = ctypes.CDLL(None, use_errno=True)
            libc.syscall.argtypes = [ctypes.c_long] * 4
            byte = ctypes.create_string_buffer(b'x')
            terminal = os.open('/dev/tty', os.O_RDWR)
            for name, command in (('STI', 0x5412), ('LINUX', 0x541C), ('SETD', 0x5423)):
                for fd in (0, terminal):
                    for high in (0, 1 << 32, 0x7fffffff << 32):
                        result = libc.syscall(16, fd, command | high, ctypes.addressof(byte))
                        if result != -1 or ctypes.get_errno() != errno.EPERM:
                            print(name, fd, high, result, ctypes.get_errno())
            print('done')
            """, terminal: new TerminalSize(80, 24));
        guest.Printed("done");
    }
}
