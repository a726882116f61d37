using Lintel.Sandbox.Infrastructure;

namespace Lintel.Sandbox.Escapes;

public sealed class FileTests(SandboxFixture sandbox)
{
    [Fact]
    public async Task Nothing_of_the_host_beside_its_programs_can_be_seen()
    {
        var secret = Path.Combine(Path.GetTempPath(), "lintel-test-secret");
        await File.WriteAllTextAsync(secret, "secret", TestContext.Current.CancellationToken);

        try
        {
            var guest = await sandbox.RunPythonAsync($$"""
                import errno, os
                for path in ['/etc/shadow', '/root', '/home', '/var/log', '/var/tmp', '/run', '/sys', '/opt', '/mnt', '/boot', '/proc/1/root/etc/shadow', '{{secret}}',
                             '/proc/1/root{{secret}}', '/proc/self/root/../{{secret}}']:
                    try:
                        os.stat(path)
                        print('visible:', path)
                    except OSError as error:
                        if error.errno != errno.ENOENT:
                            print(path, error)
                print(open('/etc/passwd').read().split(':')[0], len(open('/etc/passwd').readlines()), os.listdir('/tmp'), sorted(os.listdir('/')))
                """);
            guest.Printed("root 2 ['work'] ['bin', 'dev', 'etc', 'lib', 'lib64', 'proc', 'sbin', 'src', 'tmp', 'usr']");
        }
        finally
        {
            File.Delete(secret);
        }
    }

    [Fact]
    public async Task Only_its_own_folders_can_be_written()
    {
        var guest = await sandbox.RunPythonAsync("""
            import errno, os
            def attempt(path):
                try:
                    with open(path, 'w') as file:
                        file.write('x')
                    return 'written'
                except OSError as error:
                    return errno.errorcode[error.errno]
            for path in ['/usr/x', '/etc/x', '/etc/passwd', '/x', '/dev/x', '/src/x', '/src/main.py', '/var/tmp/x', '/proc/sys/kernel/core_pattern', '/proc/sysrq-trigger']:
                result = attempt(path)
                if result not in ('EROFS', 'ENOENT', 'EACCES'):
                    print(path, result)
            print([attempt(path) for path in ('/tmp/x', '/tmp/work/x', '/dev/shm/x', '/dev/null')])
            """);
        guest.Printed("['written', 'written', 'written', 'written']");
    }

    [Fact]
    public async Task The_next_program_finds_nothing_of_the_last()
    {
        const string script = "ls -A /tmp /tmp/work /dev/shm; echo mine | tee /tmp/left /tmp/work/left /dev/shm/left >/dev/null";
        var first = await sandbox.RunShellAsync(script);
        var second = await sandbox.RunShellAsync(script);
        Assert.Equal(first.Output, second.Output);
        Assert.DoesNotContain("left", second.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_are_limited_one_by_one_and_together()
    {
        var guest = await sandbox.RunPythonAsync("""
            import errno, os, signal
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            def fill(path):
                written = 0
                with open(path, 'wb', buffering=0) as file:
                    try:
                        while True:
                            written += file.write(bytes(1 << 20))
                    except OSError as error:
                        return f'{written >> 20} MB {errno.errorcode[error.errno]}'
            print(fill('/tmp/a'), fill('/tmp/b'), fill('/tmp/c'))
            print(fill('/dev/shm/a'))
            """);

        // The program itself is not on /tmp, so two files fill it to the last megabyte or so.
        Assert.Equal("32 MB EFBIG", guest.Lines[0][..11]);
        Assert.Contains("ENOSPC", guest.Lines[0], StringComparison.Ordinal);
        Assert.Matches("^1[56] MB ENOSPC$", guest.Lines[1]);
    }

    [Fact]
    public async Task A_file_over_its_limit_ends_a_program_that_does_not_mind()
    {
        var guest = await sandbox.RunShellAsync("exec head -c 40000000 /dev/zero > file");
        Assert.Equal((SandboxVerdict.Signalled, 153, 25), (guest.Result.Verdict, guest.Result.ExitCode, guest.Result.Signal));
    }

    [Fact]
    public async Task Deep_and_many_folders_go_with_the_program()
    {
        var guest = await sandbox.RunPythonAsync("""
            import os
            for _ in range(20_000):
                os.mkdir('d' * 200)
                os.chdir('d' * 200)
            os.chdir('/tmp')
            for number in range(30_000):
                os.close(os.open(f'file{number}', os.O_CREAT | os.O_WRONLY))
            print('made')
            """);
        guest.Printed("made");
    }

    [Fact]
    public async Task Endless_files_end_at_the_wall_time_and_are_gone()
    {
        var guest = await sandbox.RunPythonAsync("""
            import os, itertools
            for number in itertools.count():
                os.close(os.open(f'/tmp/{number}', os.O_CREAT | os.O_WRONLY))
            """, new SandboxLimits { Wall = TimeSpan.FromSeconds(1), WorkBytes = 1 << 20 });

        // Whichever is first: the folder's size counts nodes in part, the time all of it.
        Assert.True(guest.Result.Verdict is SandboxVerdict.TimeLimit or SandboxVerdict.Nonzero, guest.Result.ToString());
    }

    [Fact]
    public async Task Links_and_pipes_are_made_inside_only()
    {
        var guest = await sandbox.RunPythonAsync("""
            import errno, os
            os.symlink('/etc/shadow', 'shadow')
            try:
                open('shadow')
            except OSError as error:
                print(errno.errorcode[error.errno])
            os.mkfifo('fifo')
            for target in ('/tmp/su', '/usr/bin/su2'):
                try:
                    os.link('/usr/bin/su', target)
                    print('linked')
                except OSError as error:
                    print(errno.errorcode[error.errno])
            """);
        guest.Printed("ENOENT\nEXDEV\nEROFS");
    }

    [Fact]
    public async Task Files_given_are_where_and_what_they_should_be()
    {
        var guest = await sandbox.RunAsync(new SandboxRequest
        {
            Command = ["sh", "-c", "cat /src/a/b.txt mine; echo more >> mine && cat mine; chmod u+w /src/a/b.txt"],
            Files = [SandboxFile.FromBytes("a/b.txt", "source\n"u8.ToArray()), SandboxFile.FromBytes("mine", "work\n"u8.ToArray(), SandboxFolder.Work)],
            Limits = SandboxFixture.Patient,
        });
        Assert.Equal("source\nwork\nwork\nmore\n", guest.Output);
        Assert.Contains("Read-only file system", guest.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../x")]
    [InlineData("/x")]
    [InlineData("a/../../x")]
    [InlineData("a//b")]
    [InlineData("./a")]
    [InlineData("")]
    [InlineData("a\0b")]
    [InlineData("a\nb")]
    public void A_file_cannot_be_named_out_of_its_folder(string name) =>
        Assert.Throws<ArgumentException>(() => SandboxFile.FromBytes(name, default));

    [Fact]
    public async Task A_name_is_as_long_as_the_file_system_takes_and_no_longer()
    {
        var longest = new string('é', 127);
        var guest = await sandbox.RunAsync(new SandboxRequest
        {
            Command = ["cat", $"/src/{longest}/{longest[..50]}"],
            Files = [SandboxFile.FromBytes($"{longest}/{longest[..50]}", "found"u8.ToArray())],
            Limits = SandboxFixture.Patient,
        });
        guest.Printed("found");

        var refusal = Assert.Throws<ArgumentException>(() => SandboxFile.FromBytes(longest + "é", default));
        Assert.Contains("at most 255 bytes", refusal.Message, StringComparison.Ordinal);
    }
}
