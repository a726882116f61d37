using System.Diagnostics;
using Lintel.Sandbox.Infrastructure;
using Lintel.Sandbox.Supervision;

namespace Lintel.Sandbox.Escapes;

public sealed class MemoryTests(SandboxFixture sandbox)
{
    [Fact]
    public async Task Anonymous_memory_stops_at_the_limit()
    {
        var guest = await sandbox.RunPythonAsync("""
            blocks = []
            try:
                while len(blocks) < 32:
                    blocks.append(bytearray(64 << 20))
            except MemoryError:
                print(len(blocks) * 64)
            """);
        guest.Printed("448");
    }

    [Fact]
    public async Task Children_are_counted_together()
    {
        var limits = SandboxFixture.Patient with { MemoryBytes = 512 << 20 };
        var guest = await sandbox.RunPythonAsync("""
            import os, time
            for _ in range(12):
                if os.fork() == 0:
                    held = bytearray(100 << 20)
                    held[::4096] = b'x' * len(held[::4096])
                    time.sleep(60)
                    os._exit(0)
            time.sleep(60)
            """, limits);

        Assert.Equal(SandboxVerdict.MemoryLimit, guest.Result.Verdict);
        Assert.Equal(137, guest.Result.ExitCode);
        Assert.Equal("Its processes together used more than 512 MB of memory.", guest.Result.Reason);
        Assert.InRange(guest.Result.PeakMemoryKb!.Value, 512 << 10, 1400 << 10);
    }

    [Fact]
    public async Task Memory_that_workers_share_is_counted_once()
    {
        var guest = await sandbox.RunPythonAsync("""
            import os, sys, time
            held = bytearray(b'x') * (200 << 20)
            ready, done = os.pipe()
            workers = []
            for _ in range(4):
                pid = os.fork()
                if pid == 0:
                    sum(held[::4096])
                    os.write(done, b'.')
                    time.sleep(1)
                    os._exit(0)
                workers.append(pid)
            for _ in workers:
                os.read(ready, 1)
            for pid in workers:
                os.waitpid(pid, 0)
            print('shared')
            """);

        // Each of the five has 200 MB resident: 1 GB in a plain sum.
        guest.Printed("shared");
        Assert.InRange(guest.Result.PeakMemoryKb!.Value, 200 << 10, 512 << 10);
    }

    [Fact]
    public async Task A_shared_mapping_is_refused_by_the_address_space_limit()
    {
        var guest = await sandbox.RunPythonAsync(SharedMapping, SandboxFixture.Patient with { AddressSpaceBytes = 512 << 20 });
        Assert.Equal("Cannot allocate memory after 448 MB", guest.Lines[^1]);
    }

    [Fact]
    public async Task A_shared_mapping_is_noticed_by_the_watchdog()
    {
        var guest = await sandbox.RunPythonAsync(SharedMapping);
        Assert.Equal(SandboxVerdict.MemoryLimit, guest.Result.Verdict);
    }

    [Fact]
    public async Task Memory_that_limits_cannot_see_is_refused()
    {
        var guest = await sandbox.RunPythonAsync("""
            import ctypes, errno
            libc = ctypes.CDLL(None, use_errno=True)
            def name(result):
                return errno.errorcode[ctypes.get_errno()] if result < 0 else 'allowed'
            print(name(libc.memfd_create(b'x', 0)))
            print(name(libc.shmget(0, 512 << 20, 0o1600)))
            """);
        guest.Printed("EPERM\nEPERM");
    }

    [Theory]
    [InlineData("socketpair")]
    [InlineData("tcp")]
    public async Task What_is_queued_in_sockets_is_counted(string kind)
    {
        var guest = await sandbox.RunPythonAsync($$"""
            import os, socket, time
            def pair():
                if '{{kind}}' == 'socketpair':
                    return socket.socketpair()
                with socket.create_server(('127.0.0.1', 0)) as server:
                    return socket.create_connection(server.getsockname()), server.accept()[0]
            held = []
            for _ in range(4):
                if os.fork() == 0:
                    try:
                        for _ in range(120):
                            for end in pair():
                                held.append(end)
                                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 24)
                        for end in held:
                            end.setblocking(False)
                            try:
                                while end.send(bytes(65000)):
                                    pass
                            except BlockingIOError:
                                pass
                    except OSError as error:
                        print(error)
                    time.sleep(60)
            time.sleep(60)
            """, SandboxFixture.Patient with { MemoryBytes = 96 << 20, Wall = TimeSpan.FromSeconds(20) });

        Assert.Equal(SandboxVerdict.MemoryLimit, guest.Result.Verdict);
    }

    [Fact]
    public async Task A_socket_holds_no_more_than_the_default_whatever_it_asks_for()
    {
        var guest = await sandbox.RunPythonAsync("""
            import socket
            one, other = socket.socketpair()
            before = one.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF), one.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 300000)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 300000)
            print(before == (one.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF), one.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)))
            one.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            print(one.getsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED))
            """);
        guest.Printed("True\n1");
    }

    [Fact]
    public async Task Empty_files_are_counted()
    {
        var guest = await sandbox.RunPythonAsync("""
            import os
            for folder in ('/tmp', '/dev/shm'):
                try:
                    for number in range(100_000):
                        os.close(os.open(f'{folder}/{number}', os.O_CREAT | os.O_WRONLY))
                except OSError as error:
                    print(error)
            print('made')
            """, SandboxFixture.Patient with { MemoryBytes = 64 << 20 });
        Assert.Equal(SandboxVerdict.MemoryLimit, guest.Result.Verdict);
    }

    [Fact]
    public async Task Attributes_of_files_take_no_memory_and_copying_goes_on_without()
    {
        var guest = await sandbox.RunPythonAsync("""
            import errno, os, subprocess
            open('file', 'w').close()
            for name in ('system.posix_acl_access', 'user.note'):
                try:
                    os.setxattr('file', name, bytes(60000))
                except OSError as error:
                    print(errno.errorcode[error.errno])
            print(subprocess.run(['cp', '-p', 'file', 'copy']).returncode, subprocess.run(['cp', '-a', 'file', 'other']).returncode)
            """);
        guest.Printed("ENOTSUP\nENOTSUP\n0 0");
    }

    [Fact]
    public async Task The_kernel_takes_a_guest_before_the_server()
    {
        var guest = await sandbox.RunShellAsync("cat /proc/self/oom_score_adj /proc/1/oom_score_adj");
        guest.Printed("1000\n1000");
    }

    [Fact]
    public async Task A_guest_that_is_dear_to_look_at_is_looked_at_less_often()
    {
        var cancel = TestContext.Current.CancellationToken;
        await using var run = await sandbox.Launcher.StartAsync(
            SandboxFixture.Python("""
                import os, time
                held = bytearray(b'x') * (200 << 20)
                for _ in range(40):
                    if os.fork() == 0:
                        time.sleep(60)
                        os._exit(0)
                print('ready')
                time.sleep(60)
                """),
            cancel);

        await foreach (var _ in run.ReadOutputAsync(cancel))
        {
            break;
        }

        // Above this limit in a plain sum, so that each process is asked for its share.
        var first = HostProcesses.FindGuests(run.Process.Uid).Where(guest => guest.Name == "bwrap").Min(guest => guest.Pid);
        using var watch = new UsageWatch(new ProcessTree(), SandboxFixture.Patient with { MemoryBytes = 16 << 20 });
        var before = Stopwatch.GetTimestamp();
        Assert.Equal(SandboxVerdict.MemoryLimit, watch.Look(first)?.Verdict);
        var after = Stopwatch.GetTimestamp();

        var cost = Stopwatch.GetElapsedTime(before, after).TotalSeconds;
        var pause = Stopwatch.GetElapsedTime(after, watch.Next).TotalSeconds;
        Assert.True(cost > 0.005, $"The look took {cost} s only.");
        Assert.InRange(pause, Math.Min(8 * cost, 1.9), 2);
    }

    // It goes on after the last block, so that the watchdog has time to see it on a machine of any speed.
    private const string SharedMapping = """
        import mmap, time
        blocks = []
        try:
            for _ in range(24):
                block = mmap.mmap(-1, 64 << 20)
                for at in range(0, 64 << 20, 4096):
                    block[at] = 1
                blocks.append(block)
        except OSError as error:
            print(error.strerror, 'after', len(blocks) * 64, 'MB')
            raise SystemExit
        time.sleep(60)
        """;
}
