using Lintel.Sandbox.Infrastructure;

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
