using System.Runtime.InteropServices;
using Lintel.Cli.Infrastructure;
using Lintel.Infrastructure;

namespace Lintel.Cli;

/// <summary><c>lintel run</c> on a terminal, as a person sits at it.</summary>
public sealed class TerminalTests(CliServer server)
{
    private const string Loop = """
        #include <cstdio>
        #include <unistd.h>
        int main() { for (long n = 1;; n++) { printf("turn %ld\n", n); fflush(stdout); usleep(10000); } }
        """;

    private const string Stubborn = """
        import signal, time
        signal.signal(signal.SIGINT, lambda *_: print('not yet', flush=True))
        signal.signal(signal.SIGTERM, lambda *_: print('no', flush=True))
        print('ready', flush=True)
        while True: time.sleep(0.05)
        """;

    [Fact]
    public async Task A_program_asks_for_a_name_and_greets()
    {
        var home = await server.SignInAsync();
        home.Write("main.py", "name = input('Your name? ')\nprint(f'Hello, {name}!')\nraise SystemExit(3)");
        using var terminal = home.StartOnTerminal("run", "main.py");

        await terminal.ShowsAsync("Your name? ");
        Assert.False(terminal.IsCooked);
        terminal.Type("Adx\u007fa\r");

        Assert.Equal(3, await terminal.Exited);
        await terminal.ShowsAsync("Hello, Ada!\r\n");
        Assert.EndsWith("Your name? Adx\b \ba\r\nHello, Ada!\r\n", terminal.Shown, StringComparison.Ordinal);
        Assert.True(terminal.IsCooked);
    }

    [Fact]
    public async Task A_loop_in_cpp_ends_at_Ctrl_C()
    {
        var home = await server.SignInAsync();
        home.Write("main.cpp", Loop);
        using var terminal = home.StartOnTerminal("run", "main.cpp");
        await terminal.ShowsAsync("turn 5\r\n");

        terminal.Type("\u0003");

        Assert.Equal(130, await terminal.Exited);
        Assert.True(terminal.IsCooked);
        await terminal.ShowsAsync("^C\r\n");
        Assert.EndsWith("^C\r\n", terminal.Shown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_program_knows_the_windows_size_and_is_told_of_another()
    {
        var home = await server.SignInAsync();
        home.Write("main.py", """
            import os, signal
            signal.signal(signal.SIGWINCH, lambda *_: print(*os.get_terminal_size(), flush=True))
            print(*os.get_terminal_size(), flush=True)
            while True: signal.pause()
            """);
        using var terminal = home.StartOnTerminal("run", "main.py");
        await terminal.ShowsAsync("100 30\r\n");

        terminal.Resize(77, 20);

        await terminal.ShowsAsync("77 20\r\n");
        terminal.Type("\u0003");
        Assert.Equal(130, await terminal.Exited);
    }

    [Fact]
    public async Task A_program_that_takes_no_notice_of_Ctrl_C_has_a_way_out()
    {
        var home = await server.SignInAsync();
        home.Write("main.py", Stubborn);
        using var terminal = home.StartOnTerminal("run", "main.py");
        await terminal.ShowsAsync("ready");
        terminal.Type("\u0003");
        await terminal.ShowsAsync("not yet");

        terminal.Type("\u001d\u001d\u001d");

        Assert.Equal(130, await terminal.Exited);
        Assert.True(terminal.IsCooked);
    }

    [Theory]
    [InlineData(PosixSignal.SIGTERM, 143)]
    [InlineData(PosixSignal.SIGHUP, 129)]
    [InlineData(PosixSignal.SIGINT, 130)]
    public async Task Whoever_ends_it_leaves_the_terminal_as_it_was_and_no_program(PosixSignal signal, int exitCode)
    {
        var home = await server.SignInAsync();
        home.Write("main.py", Stubborn);
        using var terminal = home.StartOnTerminal("run", "main.py");
        await terminal.ShowsAsync("ready");
        Assert.False(terminal.IsCooked);

        terminal.Send(signal);

        Assert.Equal(exitCode, await terminal.Exited);
        Assert.True(terminal.IsCooked);
        var jobs = await home.RunAsync(["jobs", "list"]);
        Assert.Equal(0, jobs.ExitCode);
        Assert.Contains("\texecute\tcomplete\t", jobs.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ctrl_C_before_the_program_begins_cancels_it()
    {
        var home = await server.SignInAsync();

        // The compiler works on this for a while.
        home.Write("main.cpp", "#include <regex>\n#include <iostream>\ntemplate<int N> int f() { std::regex r(\"a\"); return f<N - 1>() + r.mark_count(); }\ntemplate<> int f<0>() { return 0; }\nint main() { std::cout << f<800>(); }");
        using var terminal = home.StartOnTerminal("run", "main.cpp");
        await terminal.ShowsAsync("lintel: Compiling.");
        Assert.StartsWith("lintel: Compiling.", terminal.Shown, StringComparison.Ordinal);

        terminal.Type("\u0003");

        Assert.Equal(130, await terminal.Exited);
        Assert.True(terminal.IsCooked);
    }

    [Fact]
    public async Task After_a_broken_connection_it_goes_on_and_Ctrl_C_ends_it()
    {
        await using var network = new TcpProxy(server.Address);
        var home = await server.SignInAsync(network.Address);
        home.Write("main.cpp", Loop);
        using var terminal = home.StartOnTerminal("run", "main.cpp");
        await terminal.ShowsAsync("turn 20\r\n");

        network.Break();
        await terminal.ShowsAsync("Reconnected; nothing was lost. What you type no longer reaches the program; Ctrl+C ends it.");
        var turn = Turns(terminal.Shown).Last() + 50;
        await terminal.ShowsAsync($"turn {turn}\r\n");
        terminal.Type("\u0003");

        Assert.Equal(130, await terminal.Exited);
        Assert.True(terminal.IsCooked);
        var turns = Turns(terminal.Shown).ToArray();
        Assert.Equal(Enumerable.Range(1, turns.Length), turns);
    }

    [Fact]
    public async Task With_its_output_elsewhere_the_terminal_still_types_and_interrupts()
    {
        var home = await server.SignInAsync();
        home.Write("main.py", "import sys\nprint(input(), file=sys.stderr, flush=True)\nwhile True: pass");
        using var terminal = home.StartShell($"exec '{Path.Combine(AppContext.BaseDirectory, "lintel")}' run main.py > out.txt");
        terminal.Type("typed\n");
        await terminal.ShowsAsync("typed\r\ntyped\r\n");

        terminal.Type("\u0003");

        Assert.Equal(130, await terminal.Exited);
        Assert.True(terminal.IsCooked);
        Assert.Equal("", await File.ReadAllTextAsync(Path.Combine(home.Folder, "out.txt"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task In_the_background_it_runs_on_and_leaves_the_terminal_alone()
    {
        var home = await server.SignInAsync();
        home.Write("main.py", "print('from the background')\nraise SystemExit(5)");

        // With job control a shell stops whoever touches its terminal from the background.
        using var terminal = home.StartShell($"set -m; '{Path.Combine(AppContext.BaseDirectory, "lintel")}' run main.py & wait $!; echo code $?");

        await terminal.ShowsAsync("from the background");
        await terminal.ShowsAsync("code 5\r\n");
        Assert.Equal(0, await terminal.Exited);
        Assert.True(terminal.IsCooked);
    }

    [Fact]
    public async Task In_the_background_it_leaves_to_the_shell_what_is_typed_there_and_takes_it_once_it_is_in_front()
    {
        var home = await server.SignInAsync();
        home.Write("main.py", """
            import select, sys
            n = 0
            while not select.select([sys.stdin], [], [], 0.02)[0]:
                n += 1
                print('turn', n, flush=True)
            print('got', input(), flush=True)
            """);
        using var terminal = home.StartShell(
            $"set -m; '{Path.Combine(AppContext.BaseDirectory, "lintel")}' run main.py & read key; echo shell $key; read key; fg; echo code $?");
        await terminal.ShowsAsync("turn 5\r");

        terminal.Type("first\n");
        await terminal.ShowsAsync("shell first\r\n");
        await terminal.ShowsAsync($"turn {Turns(terminal.Shown).Last() + 20}\r");
        terminal.Type("second\n");
        await Eventually.HoldsAsync(() => !terminal.IsCooked);
        terminal.Type("third\r");

        await terminal.ShowsAsync("got third\r\n");
        await terminal.ShowsAsync("code 0\r\n");
        Assert.Equal(0, await terminal.Exited);
        Assert.True(terminal.IsCooked);
    }

    [Fact]
    public async Task A_long_text_that_is_pasted_arrives_whole()
    {
        var home = await server.SignInAsync();
        home.Write("main.py", """
            import sys, tty
            tty.setraw(0)
            print('ready', flush=True)
            text = ''
            while not text.endswith('!'): text += sys.stdin.read(1)
            print(len(text), text.count('\U0001f600'))
            """);
        using var terminal = home.StartOnTerminal("run", "main.py");
        await terminal.ShowsAsync("ready");

        terminal.Type(new string('a', 2999) + "\U0001f600!");

        await terminal.ShowsAsync("3001 1");
        Assert.Equal(0, await terminal.Exited);
    }

    private static IEnumerable<int> Turns(string shown) =>
        shown.Split("\r\n").Where(static line => line.StartsWith("turn ", StringComparison.Ordinal)).Select(static line => int.Parse(line[5..]));
}
