using System.Diagnostics;
using Lintel.Sandbox.Infrastructure;

namespace Lintel.Sandbox;

public sealed class RefusalTests(SandboxFixture sandbox) : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lintel-bwrap-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Without_bubblewrap_nothing_is_run_and_the_reason_says_what_to_install()
    {
        await using var launcher = await SandboxLauncher.CreateAsync(new SandboxOptions { BubblewrapPath = "/nowhere/bwrap" }, Cancel);

        Assert.False(launcher.IsAvailable);
        Assert.Contains("apt-get install bubblewrap", launcher.Reason, StringComparison.Ordinal);
        var refusal = await Assert.ThrowsAsync<SandboxUnavailableException>(() => launcher.StartAsync(new SandboxRequest { Command = ["true"] }, Cancel));
        Assert.Equal(launcher.Reason, refusal.Message);
    }

    [Theory]
    // What bubblewrap says where user namespaces are off, where AppArmor forbids them, and where a container masks /proc.
    [InlineData("bwrap: No permissions to create new namespace, likely because the kernel does not allow non-privileged user namespaces.", "user.max_user_namespaces")]
    [InlineData("bwrap: setting up uid map: Permission denied", "AppArmor")]
    [InlineData("bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted", "AppArmor")]
    [InlineData("bwrap: Can't mount proc on /newroot/proc: Operation not permitted", "unmasked /proc")]
    public async Task What_bubblewrap_cannot_do_is_explained(string says, string advice)
    {
        await using var launcher = await CreateWithAsync($"echo \"{says}\" >&2; exit 1");

        Assert.False(launcher.IsAvailable);
        Assert.Contains(says, launcher.Reason, StringComparison.Ordinal);
        Assert.Contains(advice, launcher.Reason, StringComparison.Ordinal);
        await Assert.ThrowsAsync<SandboxUnavailableException>(() => launcher.StartAsync(new SandboxRequest { Command = ["true"] }, Cancel));
    }

    // Each a bubblewrap that leaves one part of the profile out.
    [Theory]
    [InlineData("--unshare-net", 0, "network interfaces are visible")]
    [InlineData("--seccomp", 1, "no system call filter is active")]
    [InlineData("--unshare-pid", 0, "")]
    [InlineData("--remount-ro", 1, "can be written")]
    public async Task A_sandbox_that_does_not_hold_is_refused(string option, int values, string reason)
    {
        // Reads the options from the pipe, as bubblewrap does, and passes on all but the one.
        var filter = string.Concat(
            "import os, sys\n",
            "options = os.fdopen(3, 'rb').read().split(b'\\0')[:-1]\n",
            "kept, skip = [], 0\n",
            "for part in options:\n",
            $"    if part == b'{option}':\n        skip = {values + 1}\n",
            "    if skip:\n        skip -= 1\n    else:\n        kept.append(part)\n",
            "separator = sys.argv.index('--')\n",
            "for fd in range(4, 20):\n    try: os.set_inheritable(fd, True)\n    except OSError: pass\n",
            "os.execve('/usr/bin/bwrap', [b'/usr/bin/bwrap', *kept, *[part.encode() for part in sys.argv[separator:]]], {})\n");
        await using var launcher = await CreateWithAsync($"exec /usr/bin/python3 -I -c \"$(cat <<'END'\n{filter}END\n)\" \"$@\"");

        Assert.False(launcher.IsAvailable);
        Assert.Contains(reason, launcher.Reason, StringComparison.Ordinal);
        Assert.Contains("Programs are not run.", launcher.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task User_namespaces_that_are_off_are_a_refusal_with_the_setting_to_change()
    {
        // Inside a namespace of its own, where the setting can be changed without changing the machine's.
        var program = Path.Combine(AppContext.BaseDirectory, "Lintel.Sandbox.Tests.dll");
        var start = new ProcessStartInfo("unshare")
        {
            ArgumentList =
            {
                "--user", "--map-user=1000", "--map-group=1000", "--keep-caps", "sh", "-c",
                "echo 0 > /proc/sys/user/max_user_namespaces; exec setpriv --inh-caps=-all --ambient-caps=-all -- dotnet exec \"$0\" host true", program,
            },
            UseShellExecute = false,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync(Cancel);
        await process.WaitForExitAsync(Cancel);

        Assert.NotEqual(0, process.ExitCode);
        Assert.Contains("user.max_user_namespaces", await errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Too_many_at_once_are_refused()
    {
        await using var launcher = await SandboxLauncher.CreateAsync(new SandboxOptions { MaxRuns = 3 }, Cancel);
        Assert.True(launcher.IsAvailable, launcher.Reason);
        var sleeper = new SandboxRequest { Command = ["sleep", "60"], Limits = SandboxFixture.Patient };
        var runs = new List<SandboxRun>();

        for (var count = 0; count < 3; count++)
        {
            runs.Add(await launcher.StartAsync(sleeper, Cancel));
        }

        var refusal = await Assert.ThrowsAsync<SandboxException>(() => launcher.StartAsync(sleeper, Cancel));
        Assert.StartsWith("3 programs are running already", refusal.Message, StringComparison.Ordinal);

        // Stopping the launcher stops them.
        await launcher.DisposeAsync();
        Assert.All(runs, run => Assert.True(run.Completion.IsCompletedSuccessfully));
        runs.ForEach(run => HostProcesses.AssertNoGuests(run.Process.Uid));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => launcher.StartAsync(sleeper, Cancel));
    }

    [Fact]
    public async Task What_cannot_be_carried_out_is_refused_before_anything_is_done()
    {
        var fine = new SandboxRequest { Command = ["true"] };
        SandboxRequest[] wrong =
        [
            fine with { Command = [] },
            fine with { Command = ["a\0b"] },
            fine with { Command = ["true", new string('x', 200_000)] },
            fine with { Environment = new Dictionary<string, string> { ["PATH"] = "/tmp" } },
            fine with { Environment = new Dictionary<string, string> { ["A=B"] = "" } },
            fine with { Mounts = ["relative"] },
            fine with { Files = [SandboxFile.FromBytes("a", default), SandboxFile.FromBytes("a", default)] },
        ];

        foreach (var request in wrong)
        {
            await Assert.ThrowsAsync<ArgumentException>(() => sandbox.Launcher.StartAsync(request, Cancel));
        }
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private async Task<SandboxLauncher> CreateWithAsync(string script)
    {
        var path = Path.Combine(_folder, "bwrap");
        await File.WriteAllTextAsync(path, $"#!/bin/bash\n{script}\n", Cancel);
        File.SetUnixFileMode(path, (UnixFileMode)0x1ED);
        File.SetUnixFileMode(_folder, (UnixFileMode)0x1ED);
        return await SandboxLauncher.CreateAsync(new SandboxOptions { BubblewrapPath = path }, Cancel);
    }
}
