using System.Text;
using Lintel.Sandbox.Infrastructure;

namespace Lintel.Sandbox;

public sealed class TerminalTests(SandboxFixture sandbox)
{
    private static readonly TerminalSize s_size = new(100, 40);

    [Fact]
    public async Task It_has_the_size_asked_for_from_the_beginning()
    {
        (await sandbox.RunShellAsync("stty size; tty; test -t 0 -a -t 1 -a -t 2 && echo terminal", terminal: s_size)).Printed("40 100\n/dev/console\nterminal");
    }

    [Fact]
    public async Task A_resize_is_told_to_the_program()
    {
        await using var run = await StartPythonAsync("""
            import os, signal
            signal.signal(signal.SIGWINCH, lambda *_: (print(*os.get_terminal_size()), os._exit(0)))
            print('ready')
            while True:
                signal.pause()
            """);
        Assert.Equal("120 50\r\n", await AfterReadyAsync(run, () => run.Resize(new TerminalSize(120, 50))));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_interrupt_reaches_the_program_whose_own_exit_code_counts(bool typed)
    {
        await using var run = await StartPythonAsync("""
            import os, signal
            signal.signal(signal.SIGINT, lambda *_: os._exit(7))
            print('ready')
            while True:
                signal.pause()
            """);
        await AfterReadyAsync(run, () =>
        {
            if (typed)
            {
                _ = run.WriteInputAsync("\x03"u8.ToArray(), TestContext.Current.CancellationToken);
            }
            else
            {
                run.Signal(SandboxSignal.Interrupt);
            }
        });
        Assert.Equal((SandboxVerdict.Nonzero, 7), ((await run.Completion).Verdict, (await run.Completion).ExitCode));
    }

    [Fact]
    public async Task Jobs_can_be_stopped_and_continued()
    {
        await using var run = await StartAsync(["bash", "--norc", "-i"]);
        var seen = new StringBuilder();

        // Each step waits for the answer to the last; '' keeps the echo of a command from being taken for its answer.
        (string Expected, string Type)[] steps =
        [
            ("$ ", "PS1='% '; stty -echo; echo sta''rted; cat\n"),
            ("started", "line\n"),
            ("line\r\n", "\x1a"),
            ("Stopped", "jobs | grep -c Stop''ped\n"),
            ("1\r\n", "fg >/dev/null\n"),
            ("", "again\n"),
            ("again\r\n", "\x04"),
            ("% ", "exit 42\n"),
        ];
        var step = 0;

        await foreach (var text in run.ReadTextAsync(TestContext.Current.CancellationToken))
        {
            seen.Append(text.Text);

            while (step < steps.Length && seen.ToString().Contains(steps[step].Expected, StringComparison.Ordinal))
            {
                seen.Clear();
                await run.WriteInputAsync(Encoding.UTF8.GetBytes(steps[step++].Type), TestContext.Current.CancellationToken);
            }
        }

        Assert.Equal((steps.Length, 42), (step, (await run.Completion).ExitCode));
    }

    [Fact]
    public async Task Closing_the_input_types_the_end_of_file()
    {
        await using var run = await StartAsync(["bash", "-c", "echo ready; cat; echo end"]);
        Assert.Equal("end\r\n", await AfterReadyAsync(run, run.CloseInput));
    }

    [Theory]
    [InlineData("exit 42", SandboxVerdict.Nonzero, 42)]
    [InlineData("kill -SEGV $$", SandboxVerdict.Signalled, 139)]
    [InlineData("true", SandboxVerdict.Ok, 0)]
    public async Task Exit_codes_are_the_programs(string script, SandboxVerdict verdict, int code)
    {
        var guest = await sandbox.RunShellAsync(script, terminal: s_size);
        Assert.Equal((verdict, code), (guest.Result.Verdict, guest.Result.ExitCode));
    }

    [Fact]
    public async Task The_last_output_before_the_end_is_whole()
    {
        for (var round = 0; round < 5; round++)
        {
            var guest = await sandbox.RunShellAsync("seq 1 200000", terminal: s_size);
            Assert.Equal(200_000, guest.Lines.Length);
            Assert.Equal("200000", guest.Lines[^1]);
        }
    }

    [Fact]
    public async Task Pressing_ctrl_c_ends_only_what_runs_in_the_sandbox()
    {
        await using var run = await StartAsync(["bash", "-c", "echo ready; sleep 60"]);
        await AfterReadyAsync(run, () => _ = run.WriteInputAsync("\x03"u8.ToArray(), TestContext.Current.CancellationToken));
        Assert.Equal((SandboxVerdict.Signalled, 130, 2), ((await run.Completion).Verdict, (await run.Completion).ExitCode, (await run.Completion).Signal));
    }

    private Task<SandboxRun> StartPythonAsync(string code) => sandbox.Launcher.StartAsync(
        SandboxFixture.Python(code, terminal: s_size) with { KeepInputOpen = true }, TestContext.Current.CancellationToken);

    private Task<SandboxRun> StartAsync(string[] command) => sandbox.Launcher.StartAsync(
        new SandboxRequest { Command = command, KeepInputOpen = true, Terminal = s_size, Limits = SandboxFixture.Patient }, TestContext.Current.CancellationToken);

    /// <summary>Waits for the word, acts, and has all that is printed from then on.</summary>
    private static async Task<string> AfterReadyAsync(SandboxRun run, Action act)
    {
        var seen = "";
        var acted = false;

        await foreach (var text in run.ReadTextAsync(TestContext.Current.CancellationToken))
        {
            seen += text.Text;

            if (!acted && seen.Contains("ready\r\n", StringComparison.Ordinal))
            {
                seen = seen[(seen.IndexOf("ready\r\n", StringComparison.Ordinal) + 7)..];
                acted = true;
                act();
            }
        }

        return seen;
    }
}
