using System.Text;
using Lintel.Sandbox.Infrastructure;

namespace Lintel.Sandbox.Escapes;

public sealed class OutputTests(SandboxFixture sandbox)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Endless_output_ends_at_the_cap(bool onTerminal)
    {
        var limits = SandboxFixture.Patient with { OutputBytes = 2 << 20 };
        var guest = await sandbox.RunShellAsync("yes 0123456789", limits, onTerminal ? new TerminalSize(80, 24) : null);

        Assert.Equal(SandboxVerdict.OutputLimit, guest.Result.Verdict);
        Assert.Equal("It printed more than 2 MB.", guest.Result.Reason);
        Assert.Equal(2 << 20, guest.Result.OutputBytes);
        Assert.Equal(2 << 20, guest.Output.Length);
    }

    [Fact]
    public async Task Output_that_is_over_the_cap_at_once_is_over_the_cap()
    {
        var guest = await sandbox.RunShellAsync("head -c 60000 /dev/zero; exit 0", SandboxFixture.Patient with { OutputBytes = 50_000 });
        Assert.Equal(SandboxVerdict.OutputLimit, guest.Result.Verdict);
        Assert.Equal(50_000, guest.Output.Length);
    }

    [Fact]
    public async Task Output_up_to_the_cap_is_whole()
    {
        var guest = await sandbox.RunShellAsync("head -c 50000 /dev/zero | tr '\\0' x", SandboxFixture.Patient with { OutputBytes = 50_000 });
        guest.Printed(new string('x', 50_000));
    }

    [Fact]
    public async Task A_program_whose_output_nobody_reads_waits()
    {
        var cancel = TestContext.Current.CancellationToken;
        await using var run = await sandbox.Launcher.StartAsync(
            SandboxFixture.Python("""
                import os, select
                written = 0
                # Not ready for two seconds: the other side does not read.
                while select.select([], [1], [], 2)[1]:
                    written += os.write(1, b'x' * 4096)
                raise SystemExit(written >> 14)
                """, SandboxFixture.Patient with { OutputBytes = 64 << 20 }),
            cancel);

        // Some hundred kilobytes of 64 MB: our queue, the pipe, nothing that grows. And the end comes without a reader.
        var result = await run.Completion;
        Assert.Equal(SandboxVerdict.Nonzero, result.Verdict);
        Assert.InRange(result.ExitCode, 1, 32);

        // What was printed is still there.
        var read = 0L;

        await foreach (var chunk in run.ReadOutputAsync(cancel))
        {
            read += chunk.Data.Length;
        }

        Assert.Equal(result.ExitCode, read >> 14);
        Assert.Equal(result.OutputBytes, read);
    }

    [Fact]
    public async Task Streams_are_told_apart()
    {
        var guest = await sandbox.RunShellAsync("echo out; echo err >&2; exit 3");
        Assert.Equal(("out\n", "err\n", SandboxVerdict.Nonzero, 3), (guest.Output, guest.Errors, guest.Result.Verdict, guest.Result.ExitCode));
    }

    [Fact]
    public async Task Characters_that_arrive_in_pieces_come_whole()
    {
        var cancel = TestContext.Current.CancellationToken;
        await using var run = await sandbox.Launcher.StartAsync(
            SandboxFixture.Python("""
                import os
                for byte in 'ž€😀'.encode():
                    os.write(1, bytes([byte]))
                    os.write(2, b'.')
                """), cancel);
        var texts = new List<OutputText>();

        await foreach (var text in run.ReadTextAsync(cancel))
        {
            texts.Add(text);
            Assert.DoesNotContain('\uFFFD', text.Text);
            Assert.False(char.IsHighSurrogate(text.Text[^1]));
        }

        Assert.Equal("ž€😀", string.Concat(texts.Where(text => text.Stream == OutputStream.Stdout).Select(text => text.Text)));
    }

    [Fact]
    public async Task Bytes_that_are_no_text_are_replaced_and_the_rest_arrives()
    {
        var guest = await sandbox.RunShellAsync("printf 'a\\xff\\xc3(\\0\\033[31mb\\xe2\\x82'");
        Assert.Equal("a\uFFFD\uFFFD(\0\u001b[31mb\uFFFD", guest.Output);
    }

    [Fact]
    public async Task Bytes_come_as_they_are()
    {
        var cancel = TestContext.Current.CancellationToken;
        var expected = Enumerable.Range(0, 100_000).Select(number => (byte)(number * 7)).ToArray();
        await using var run = await sandbox.Launcher.StartAsync(
            new SandboxRequest { Command = ["cat", "data"], Files = [SandboxFile.FromBytes("data", expected, SandboxFolder.Work)], Limits = SandboxFixture.Patient }, cancel);
        using var received = new MemoryStream();

        await foreach (var chunk in run.ReadOutputAsync(cancel))
        {
            received.Write(chunk.Data.Span);
        }

        Assert.Equal(expected, received.ToArray());
    }

    [Fact]
    public async Task Input_reaches_the_program_in_order_and_ends()
    {
        var cancel = TestContext.Current.CancellationToken;
        await using var run = await sandbox.Launcher.StartAsync(
            new SandboxRequest { Command = ["cat"], Input = "first "u8.ToArray(), KeepInputOpen = true, Limits = SandboxFixture.Patient }, cancel);
        var large = Encoding.ASCII.GetBytes(new string('m', 500_000));

        // More than any pipe holds: taken piece by piece while the answer is read.
        var reading = Guest.FinishAsync(run);
        await run.WriteInputAsync(large, cancel);
        await run.WriteInputAsync(" last"u8.ToArray(), cancel);
        run.CloseInput();

        (await reading).Printed("first " + new string('m', 500_000) + " last");
    }

    [Fact]
    public async Task Input_that_nobody_reads_is_refused_after_a_megabyte()
    {
        var cancel = TestContext.Current.CancellationToken;
        await using var run = await sandbox.Launcher.StartAsync(
            new SandboxRequest { Command = ["sleep", "60"], KeepInputOpen = true, Limits = SandboxFixture.Patient }, cancel);

        var waiting = run.WriteInputAsync(new byte[900_000], cancel);
        var refusal = await Assert.ThrowsAsync<SandboxException>(() => run.WriteInputAsync(new byte[300_000], cancel));
        Assert.Contains("does not read its input", refusal.Message, StringComparison.Ordinal);
        Assert.False(waiting.IsCompleted);

        run.Kill();
        await waiting;
    }
}
