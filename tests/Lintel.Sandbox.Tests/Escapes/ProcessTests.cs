using Lintel.Sandbox.Infrastructure;

namespace Lintel.Sandbox.Escapes;

public sealed class ProcessTests(SandboxFixture sandbox)
{
    // Python itself and the sandbox's first process are the other two of 64.
    private const string ForkUntilRefused = """
        import os, time
        started = 0
        for _ in range(400):
            try:
                if os.fork() == 0:
                    time.sleep(60)
                    os._exit(0)
                started += 1
            except BlockingIOError:
                break
        print(started)
        """;

    [Fact]
    public async Task A_fork_bomb_stops_at_the_limit_and_leaves_nothing()
    {
        var guest = await sandbox.RunPythonAsync(ForkUntilRefused);
        guest.Printed("62");
    }

    [Fact]
    public async Task While_a_fork_bomb_runs_others_are_served()
    {
        await using var bomb = await sandbox.Launcher.StartAsync(
            SandboxFixture.Python("""
                import os
                print('go')
                while True:
                    try:
                        os.fork()
                    except BlockingIOError:
                        pass
                """),
            TestContext.Current.CancellationToken);

        await foreach (var _ in bomb.ReadOutputAsync(TestContext.Current.CancellationToken))
        {
            break;
        }

        await using var other = await sandbox.Launcher.StartAsync(
            new SandboxRequest { Command = ["echo", "served"], Limits = SandboxFixture.Patient }, TestContext.Current.CancellationToken);
        (await Guest.FinishAsync(other)).Printed("served");

        bomb.Kill();
        Assert.Equal(SandboxVerdict.Cancelled, (await bomb.Completion).Verdict);
        HostProcesses.AssertNoGuests(bomb.Process.Uid);
    }

    [Fact]
    public async Task Threads_count_as_processes()
    {
        var guest = await sandbox.RunPythonAsync("""
            import os, threading
            stop, started = threading.Event(), 0
            for _ in range(600):
                try:
                    threading.Thread(target=stop.wait, daemon=True).start()
                    started += 1
                except RuntimeError:
                    break
            print(started)
            stop.set()
            """);
        guest.Printed("62");
    }

    [Fact]
    public async Task Two_programs_at_once_have_all_their_processes_each()
    {
        const string waiting = ForkUntilRefused + "\nimport sys\nsys.stdin.read()";
        var cancel = TestContext.Current.CancellationToken;
        await using var first = await sandbox.Launcher.StartAsync(SandboxFixture.Python(waiting) with { KeepInputOpen = true }, cancel);
        await using var second = await sandbox.Launcher.StartAsync(SandboxFixture.Python(waiting) with { KeepInputOpen = true }, cancel);

        var texts = new[] { first, second }.Select(async run =>
        {
            var seen = "";

            await foreach (var text in run.ReadTextAsync(cancel))
            {
                seen += text.Text;

                if (seen.EndsWith('\n'))
                {
                    break;
                }
            }

            return seen;
        });

        // Both hold on to theirs while the other counts: neither has ended.
        Assert.Equal(["62\n", "62\n"], await Task.WhenAll(texts));
    }

    [Fact]
    public async Task An_orphan_that_ignores_every_signal_ends_with_its_program()
    {
        var guest = await sandbox.RunPythonAsync("""
            import os, signal, time
            ready, done = os.pipe()
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    for number in range(1, 65):
                        try:
                            signal.signal(number, signal.SIG_IGN)
                        except (OSError, ValueError):
                            pass
                    os.write(done, b'.')
                    for fd in (0, 1, 2):
                        os.close(fd)
                    time.sleep(60)
                os._exit(0)
            os.read(ready, 1)
            print('orphan ready')
            """);
        guest.Printed("orphan ready");
        Assert.True(guest.Result.Elapsed < TimeSpan.FromSeconds(30), "The program did not wait for its orphan.");
    }

    [Fact]
    public async Task Signals_reach_nothing_of_the_host()
    {
        var host = System.Environment.ProcessId;
        var guest = await sandbox.RunPythonAsync($$"""
            import os, signal
            def send(pid, number):
                try:
                    os.kill(pid, number)
                    return 'sent'
                except OSError as error:
                    return error.strerror
            print(send({{host + 100_000}}, 0), send(99999, 9))
            print(send(1, 9), send(os.getppid(), 15))
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            print(send(-1, 15))
            print('alive')
            """);

        // The sandbox's first process takes signals from inside without effect; -1 reaches whoever is inside, here the sender's own.
        Assert.Equal("No such process No such process", guest.Lines[0]);
        Assert.Equal("sent sent", guest.Lines[1]);
        Assert.Equal("alive", guest.Lines[^1]);
        Assert.Equal(SandboxVerdict.Ok, guest.Result.Verdict);
    }

    [Fact]
    public async Task A_program_outlives_the_thread_that_asked_for_it()
    {
        Task<SandboxRun>? starting = null;
        var cancel = TestContext.Current.CancellationToken;
        var asking = new Thread(() => starting = sandbox.Launcher.StartAsync(
            new SandboxRequest { Command = ["sh", "-c", "read line; echo got $line"], KeepInputOpen = true, Limits = SandboxFixture.Patient }, cancel));
        asking.Start();
        asking.Join();
        await using var run = await starting!;

        // The thread is gone, and with it would be a guest that it had spawned itself.
        Assert.False(asking.IsAlive);
        await run.WriteInputAsync("it\n"u8.ToArray(), cancel);
        (await Guest.FinishAsync(run)).Printed("got it");
    }

    [Fact]
    public async Task The_guest_is_never_root_outside()
    {
        await using var run = await sandbox.Launcher.StartAsync(
            new SandboxRequest { Command = ["sh", "-c", "echo ready; read line"], KeepInputOpen = true, Limits = SandboxFixture.Patient },
            TestContext.Current.CancellationToken);

        await foreach (var _ in run.ReadOutputAsync(TestContext.Current.CancellationToken))
        {
            break;
        }

        var guests = HostProcesses.FindGuests(run.Process.Uid);
        Assert.NotEmpty(guests);
        var server = File.ReadLines($"/proc/{run.Process.Pid}/status").ToList();

        foreach (var status in guests.Select(guest => File.ReadLines($"/proc/{guest.Pid}/status").ToList()).Append(server))
        {
            // Real, effective, saved and file system id: all the same plain one, no groups, no capabilities.
            Assert.Contains($"Uid:\t{run.Process.Uid}\t{run.Process.Uid}\t{run.Process.Uid}\t{run.Process.Uid}", status);
            Assert.DoesNotContain(status, line => line.StartsWith("Gid:", StringComparison.Ordinal) && line.Contains("\t0", StringComparison.Ordinal));
            Assert.Contains("NoNewPrivs:\t1", status);
            Assert.Contains("CapEff:\t0000000000000000", status);
            Assert.Contains("CapPrm:\t0000000000000000", status);
        }

        Assert.NotEqual(0u, run.Process.Uid);
    }

    [Fact]
    public async Task The_server_is_itself_again_after_a_start()
    {
        (await sandbox.RunShellAsync("true")).Printed("");
        var own = File.ReadLines("/proc/self/status").First(line => line.StartsWith("Uid:", StringComparison.Ordinal));

        foreach (var thread in Directory.EnumerateDirectories("/proc/self/task"))
        {
            Assert.Equal(own, File.ReadLines(Path.Combine(thread, "status")).First(line => line.StartsWith("Uid:", StringComparison.Ordinal)));
        }
    }
}
