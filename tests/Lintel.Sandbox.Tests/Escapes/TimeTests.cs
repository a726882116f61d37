using System.Diagnostics;
using Lintel.Sandbox.Infrastructure;

namespace Lintel.Sandbox.Escapes;

public sealed class TimeTests(SandboxFixture sandbox)
{
    private static readonly SandboxLimits s_short = new() { Wall = TimeSpan.FromSeconds(1.5) };

    [Theory]
    [InlineData("while :; do :; done")]
    [InlineData("trap '' TERM HUP INT QUIT PIPE; sleep 60; sleep 60")]
    [InlineData("trap 'echo no' TERM; while :; do sleep 60; done")]
    public async Task A_program_ends_at_its_wall_time_whatever_it_ignores(string script)
    {
        var guest = await sandbox.RunShellAsync(script, s_short);

        Assert.Equal((SandboxVerdict.TimeLimit, 137, 9), (guest.Result.Verdict, guest.Result.ExitCode, guest.Result.Signal));
        Assert.Equal("It ran longer than 1.5 s.", guest.Result.Reason);
        Assert.True(guest.Result.Elapsed >= s_short.Wall);
    }

    [Theory]
    [InlineData("while :; do :; done")]
    [InlineData("trap '' XCPU; while :; do :; done")]
    [InlineData("for i in 1 2 3 4; do (while :; do :; done) & done; wait")]
    public async Task Processor_time_is_limited_for_all_processes_together(string script)
    {
        var guest = await sandbox.RunShellAsync(script, SandboxFixture.Patient with { Cpu = TimeSpan.FromSeconds(1) });

        Assert.Equal(SandboxVerdict.TimeLimit, guest.Result.Verdict);
        Assert.Equal("It used more than 1 s of processor time.", guest.Result.Reason);
        Assert.InRange(guest.Result.Cpu.TotalSeconds, 1, 8);
    }

    [Fact]
    public async Task Children_that_nobody_waits_for_count_too()
    {
        var guest = await sandbox.RunPythonAsync("""
            import os, signal, time
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
            for _ in range(60):
                if os.fork() == 0:
                    while time.process_time() < 0.25:
                        pass
                    os._exit(0)
                try:
                    os.wait()
                except ChildProcessError:
                    pass
            print('still here')
            """, SandboxFixture.Patient with { Cpu = TimeSpan.FromSeconds(1) });

        Assert.Equal(("It used more than 1 s of processor time.", ""), (guest.Result.Reason, guest.Output));
    }

    [Fact]
    public async Task A_silent_program_ends_at_its_idle_time()
    {
        var guest = await sandbox.RunShellAsync("echo once; sleep 60", SandboxFixture.Patient with { Idle = TimeSpan.FromSeconds(1) });

        Assert.Equal((SandboxVerdict.TimeLimit, "once\n"), (guest.Result.Verdict, guest.Output));
        Assert.Equal("It printed and read nothing for 1 s.", guest.Result.Reason);
    }

    [Fact]
    public async Task A_killed_program_is_cancelled_with_all_it_started()
    {
        var cancel = TestContext.Current.CancellationToken;
        await using var run = await sandbox.Launcher.StartAsync(
            new SandboxRequest { Command = ["bash", "-c", "sleep 60 & sleep 60 & echo started; wait"], Limits = SandboxFixture.Patient }, cancel);

        await foreach (var _ in run.ReadOutputAsync(cancel))
        {
            break;
        }

        run.Kill();
        var result = await run.Completion;
        Assert.Equal((SandboxVerdict.Cancelled, 137), (result.Verdict, result.ExitCode));
        HostProcesses.AssertNoGuests(run.Process.Uid);
    }

    [Fact]
    public async Task A_program_killed_while_its_sandbox_is_made_leaves_nothing()
    {
        // A kill at every stage: between making its last user namespace and starting the program, the first process of a sandbox
        // is bound to nobody, and only our own kill reaches it.
        for (var round = 0; round < 60; round++)
        {
            var run = await sandbox.Launcher.StartAsync(
                new SandboxRequest { Command = ["sleep", "60"], Limits = SandboxFixture.Patient }, TestContext.Current.CancellationToken);
            var from = Stopwatch.GetTimestamp();
            SpinWait.SpinUntil(() => Stopwatch.GetElapsedTime(from) >= TimeSpan.FromMilliseconds(0.2 * round));
            await run.DisposeAsync();
            Assert.Equal(SandboxVerdict.Cancelled, (await run.Completion).Verdict);
            HostProcesses.AssertNoGuests(run.Process.Uid);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Endless_signals_to_one_program_do_not_lengthen_another(bool signals)
    {
        var cancel = TestContext.Current.CancellationToken;
        await using var flooded = await sandbox.Launcher.StartAsync(
            new SandboxRequest
            {
                Command = ["bash", "-c", "trap '' USR1; echo ready; sleep 60"],
                Terminal = new TerminalSize(80, 24),
                Limits = SandboxFixture.Patient,
            },
            cancel);

        await foreach (var _ in flooded.ReadOutputAsync(cancel))
        {
            break;
        }

        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        enough.CancelAfter(TimeSpan.FromSeconds(8));
        var flood = Task.Run(
            () =>
            {
                for (ushort turn = 0; !enough.IsCancellationRequested; turn++)
                {
                    if (signals)
                    {
                        flooded.Signal(SandboxSignal.User1);
                    }
                    else
                    {
                        flooded.Resize(new TerminalSize(80, turn));
                    }
                }
            },
            CancellationToken.None);

        var from = Stopwatch.GetTimestamp();
        await using var run = await sandbox.Launcher.StartAsync(new SandboxRequest { Command = ["sleep", "60"], Limits = s_short }, cancel);
        var guest = await Guest.FinishAsync(run);
        var took = Stopwatch.GetElapsedTime(from);
        await enough.CancelAsync();
        await flood;

        Assert.Equal(SandboxVerdict.TimeLimit, guest.Result.Verdict);
        Assert.InRange(took.TotalSeconds, 1.5, 5);
    }

    [Fact]
    public async Task Signals_can_be_sent_and_end_a_program()
    {
        var cancel = TestContext.Current.CancellationToken;
        await using var run = await sandbox.Launcher.StartAsync(
            SandboxFixture.Python("""
                import signal
                signal.signal(signal.SIGUSR1, lambda *_: print('caught'))
                print('ready')
                while True:
                    signal.pause()
                """), cancel);
        var seen = "";

        await foreach (var text in run.ReadTextAsync(cancel))
        {
            seen += text.Text;

            if (seen == "ready\n")
            {
                run.Signal(SandboxSignal.User1);
            }
            else if (seen == "ready\ncaught\n")
            {
                run.Signal(SandboxSignal.Terminate);
            }
        }

        var result = await run.Completion;
        Assert.Equal("ready\ncaught\n", seen);
        Assert.Equal((SandboxVerdict.Signalled, 143, 15), (result.Verdict, result.ExitCode, result.Signal));
    }
}
