using Lintel.Sandbox.Infrastructure;

namespace Lintel.Sandbox.Escapes;

public sealed class EnvironmentTests(SandboxFixture sandbox)
{
    [Fact]
    public async Task The_servers_environment_cannot_be_read()
    {
        // PATH at least is in the environment of these tests, with a value of its own.
        const string name = "LINTEL_TEST_SECRET", secret = "d1fe0a25c7";
        System.Environment.SetEnvironmentVariable(name, secret);

        try
        {
            var guest = await sandbox.RunPythonAsync("""
                import os
                print(sorted(os.environ))
                for pid in sorted((name for name in os.listdir('/proc') if name.isdigit()), key=int):
                    print(pid, len(open(f'/proc/{pid}/environ').read().split('\0')) - 1, open(f'/proc/{pid}/cmdline').read().split('\0')[0])
                """);
            Assert.DoesNotContain(secret, guest.Output, StringComparison.Ordinal);
            guest.Printed("""
                ['HOME', 'LANG', 'PATH', 'PWD', 'TERM', 'USER']
                1 0 /usr/bin/bwrap
                2 6 python3
                """);
        }
        finally
        {
            System.Environment.SetEnvironmentVariable(name, null);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task No_descriptor_of_the_server_is_inherited(bool onTerminal)
    {
        // One without a close-on-exec mark, as a library may have opened it.
        using var open = new FileStream("/dev/null", FileMode.Open);
        var copies = Enumerable.Range(0, 20).Select(_ => Dup((int)open.SafeFileHandle.DangerousGetHandle())).ToList();

        try
        {
            Assert.DoesNotContain(-1, copies);
            var guest = await sandbox.RunPythonAsync("""
                import os
                print(sorted(int(name) for name in os.listdir('/proc/self/fd') if os.path.exists(f'/proc/self/fd/{name}')))
                """, terminal: onTerminal ? new TerminalSize(80, 24) : null);

            // One more is the listing itself, closed by the time it is looked at; Python's own script file is closed before.
            guest.Printed("[0, 1, 2]");
        }
        finally
        {
            copies.ForEach(copy => new Native.Descriptor(copy).Dispose());
        }
    }

    [Fact]
    public async Task Files_can_be_opened_up_to_the_limit_and_limits_not_raised()
    {
        var guest = await sandbox.RunPythonAsync("""
            import os, resource
            opened = 0
            try:
                while True:
                    os.open('/dev/null', os.O_RDONLY)
                    opened += 1
            except OSError as error:
                print(opened, error.strerror)
            for name in ('NOFILE', 'NPROC', 'DATA', 'FSIZE', 'CORE', 'CPU', 'STACK', 'MEMLOCK', 'MSGQUEUE'):
                kind = getattr(resource, 'RLIMIT_' + name)
                soft, hard = resource.getrlimit(kind)
                try:
                    resource.setrlimit(kind, (soft, hard + 1))
                    print(name, 'raised')
                except ValueError:
                    pass
            """);
        guest.Printed("253 Too many open files");
    }

    [Fact]
    public async Task Aborting_leaves_no_core_file()
    {
        var guest = await sandbox.RunShellAsync("python3 -c 'import os; os.abort()'; echo $?; ls -A");
        Assert.Equal(["134"], guest.Lines);
    }

    [Fact]
    public async Task A_broken_pipe_ends_a_writer()
    {
        // .NET ignores SIGPIPE, and children would too: yes would not end.
        (await sandbox.RunShellAsync("yes | head -n 1; echo ${PIPESTATUS[0]}")).Printed("y\n141");
    }

    [Fact]
    public async Task Every_signal_has_its_default()
    {
        (await sandbox.RunShellAsync("grep -E '^Sig(Blk|Ign)' /proc/self/status")).Printed("SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000");
    }

    [Fact]
    public async Task Arguments_are_passed_as_they_are()
    {
        string[] arguments = ["$(id)", "`id`", "; id", "' \"", "--", "-x", "", "ž\n"];
        var guest = await sandbox.RunAsync(new SandboxRequest
        {
            Command = ["python3", "-c", "import sys; print(sys.argv[1:])", .. arguments],
            Limits = SandboxFixture.Patient,
        });
        guest.Printed("""['$(id)', '`id`', '; id', '\' "', '--', '-x', '', 'ž\n']""");
    }

    [Fact]
    public async Task A_program_that_does_not_exist_is_named()
    {
        await using var run = await sandbox.Launcher.StartAsync(new SandboxRequest { Command = ["no-such-program"] }, TestContext.Current.CancellationToken);
        var failure = await Assert.ThrowsAsync<SandboxException>(() => run.Completion);
        Assert.Contains("could not start 'no-such-program'", failure.Message, StringComparison.Ordinal);
        Assert.Contains("No such file or directory", failure.Message, StringComparison.Ordinal);
    }

    [System.Runtime.InteropServices.DllImport("libc", EntryPoint = "dup")]
    [System.Runtime.InteropServices.DefaultDllImportSearchPaths(System.Runtime.InteropServices.DllImportSearchPath.SafeDirectories)]
    private static extern int Dup(int descriptor);
}
