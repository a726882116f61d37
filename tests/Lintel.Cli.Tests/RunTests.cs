using System.Security.Cryptography;
using System.Text;
using Lintel.Cli.Infrastructure;
using Lintel.Infrastructure;

namespace Lintel.Cli;

/// <summary><c>lintel run</c> with pipes, as in a script.</summary>
public sealed class RunTests(CliServer server)
{
    [Fact]
    public async Task A_program_has_its_arguments_its_input_its_files_and_both_of_its_outputs()
    {
        var home = await server.SignInAsync();
        home.Write("data.txt", "beside\n");
        home.Write("main.py", "import sys; print(sys.argv[1:], input(), open('data.txt').read().strip()); print('oops', file=sys.stderr)");

        var run = await home.RunAsync(["run", "--file", "data.txt", "main.py", "--time", "-x", "--", "--help"], "typed\n");

        Assert.Equal((0, "['--time', '-x', '--', '--help'] typed beside\n", "oops\n"), (run.ExitCode, run.Output, run.Errors));
    }

    [Theory]
    [InlineData("import sys; sys.exit(7)", 7, "")]
    [InlineData("import os; os.kill(os.getpid(), 11)", 139, "lintel: The program was ended by SIGSEGV.\n")]
    [InlineData("import os; os.kill(os.getpid(), 2)", 130, "")]
    public async Task Its_exit_code_is_the_programs_own(string program, int exitCode, string errors)
    {
        var home = await server.SignInAsync();

        var run = await home.RunAsync(["run", home.Write("main.py", program)]);

        Assert.Equal((exitCode, ""), (run.ExitCode, run.Output));
        Assert.EndsWith(errors, run.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--time", "0.3", "while True: pass", 124, "it ran longer than 0.3 s; --time asks for more.")]
    [InlineData("--memory", "64", "import os, time\nfor _ in range(4): os.fork()\nheld = bytearray(b'x') * (20 << 20)\ntime.sleep(9)", 137, "; --memory asks for more.")]
    [InlineData("--output", "1", "while True: print('x' * 1000)", 153, "it printed more than 1 KB; --output asks for more.")]
    public async Task A_limit_that_is_reached_has_its_own_exit_code_and_is_told(string limit, string value, string program, int exitCode, string reason)
    {
        var home = await server.SignInAsync();

        var run = await home.RunAsync(["run", limit, value, home.Write("main.py", program)]);

        Assert.Equal(exitCode, run.ExitCode);
        Assert.Contains("lintel: The program was ended: it", run.Errors, StringComparison.Ordinal);
        Assert.EndsWith(reason + "\n", run.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_program_that_does_not_compile_shows_what_the_compiler_said()
    {
        var home = await server.SignInAsync();

        var run = await home.RunAsync(["run", home.Write("main.c", "int main() { return missing; }")]);

        Assert.Equal((65, ""), (run.ExitCode, run.Output));
        Assert.Contains("missing", run.Errors, StringComparison.Ordinal);
        Assert.EndsWith("lintel: The program did not compile.\n", run.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Input_that_the_program_reads_late_arrives_whole()
    {
        var home = await server.SignInAsync();
        home.Write("main.py", "import hashlib, sys, time; time.sleep(1); data = sys.stdin.buffer.read(); print(len(data), hashlib.sha256(data).hexdigest())");
        var input = new StringBuilder();
        for (var line = 0; line < 100_000; line++)
        {
            input.Append(line).Append(" ä€𝄞 ").Append(line % 7 == 0 ? "\t\"\\\n" : "\n");
        }

        var bytes = Encoding.UTF8.GetBytes(input.ToString());
        var run = await home.RunAsync(["run", "main.py"], input.ToString());

        Assert.True(bytes.Length > 1_500_000);
        Assert.Equal((0, $"{bytes.Length} {Convert.ToHexStringLower(SHA256.HashData(bytes))}\n"), (run.ExitCode, run.Output));
    }

    [Fact]
    public async Task Input_comes_to_the_program_as_it_is_made()
    {
        var home = await server.SignInAsync();
        home.Write("main.py", "print('ready', flush=True)\nwhile True:\n  try: print('got', input(), flush=True)\n  except EOFError: print('end'); break");
        using var process = home.Start("run", "main.py");

        Assert.Equal("ready", await process.StandardOutput.ReadLineAsync(Cancel));
        await process.StandardInput.WriteLineAsync("one".AsMemory(), Cancel);
        await process.StandardInput.FlushAsync(Cancel);
        Assert.Equal("got one", await process.StandardOutput.ReadLineAsync(Cancel));
        process.StandardInput.Close();

        Assert.Equal("end\n", await process.StandardOutput.ReadToEndAsync(Cancel));
        await process.WaitForExitAsync(Cancel);
        Assert.Equal(0, process.ExitCode);
    }

    [Fact]
    public async Task Input_that_is_not_text_is_refused_rather_than_changed()
    {
        var home = await server.SignInAsync();
        await File.WriteAllBytesAsync(Path.Combine(home.Folder, "bytes"), [0x61, 0xFF, 0x62], Cancel);

        var run = await home.RunAsync(["run", "--stdin", "bytes", home.Write("main.py", "print(input())")]);

        Assert.Equal((65, ""), (run.ExitCode, run.Output));
        Assert.StartsWith("lintel: The input is not text in UTF-8", run.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_binary_file_lies_beside_the_program_unchanged()
    {
        var home = await server.SignInAsync();
        await File.WriteAllBytesAsync(Path.Combine(home.Folder, "bytes"), [0x61, 0xFF, 0x00, 0x62], Cancel);

        var run = await home.RunAsync(["run", "-f", "bytes", home.Write("main.py", "print(open('bytes', 'rb').read().hex())")]);

        Assert.Equal((0, "61ff0062\n"), (run.ExitCode, run.Output));
    }

    [Fact]
    public async Task A_program_may_come_from_standard_input()
    {
        var home = await server.SignInAsync();

        var run = await home.RunAsync(["run", "-l", "python", "-", "arg"], "import sys; print(sys.argv[1])");

        Assert.Equal((0, "arg\n"), (run.ExitCode, run.Output));
    }

    [Fact]
    public async Task When_the_reader_of_the_output_goes_the_program_ends()
    {
        var home = await server.SignInAsync();
        home.Write("main.py", "while True: print('line', flush=True)");
        using var process = home.Start("run", "--time", "60", "main.py");

        Assert.Equal("line", await process.StandardOutput.ReadLineAsync(Cancel));
        process.StandardOutput.Close();
        await process.WaitForExitAsync(Cancel);

        Assert.Equal((141, ""), (process.ExitCode, await process.StandardError.ReadToEndAsync(Cancel)));
    }

    [Fact]
    public async Task An_output_that_is_full_ends_the_program_and_is_told()
    {
        var home = await server.SignInAsync();
        home.Write("main.py", "while True: print('line', flush=True)");
        using var terminal = home.StartShell($"'{Path.Combine(AppContext.BaseDirectory, "lintel")}' run --time 60 main.py > /dev/full");

        Assert.Equal(74, await terminal.Exited);
        await terminal.ShowsAsync("lintel: Standard output cannot be written: No space left on device.");
        await Eventually.HoldsAsync(async () => (await home.RunAsync(["jobs", "list", "--status", "running"])).Output.TrimEnd('\n').Split('\n').Length == 1);
    }

    [Fact]
    public async Task A_broken_connection_loses_nothing_and_doubles_nothing()
    {
        await using var network = new TcpProxy(server.Address);
        var home = await server.SignInAsync(network.Address);
        home.Write("main.py", "import time\nfor i in range(3000): print(i, flush=True); time.sleep(0.0005)");
        using var process = home.Start("run", "main.py");
        process.StandardInput.Close();
        var errors = process.StandardError.ReadToEndAsync(Cancel);
        var lines = new List<string>();
        while (await process.StandardOutput.ReadLineAsync(Cancel) is { } line)
        {
            lines.Add(line);
            if (lines.Count is 300 or 900 or 1500)
            {
                network.Break();
            }
        }

        await process.WaitForExitAsync(Cancel);

        Assert.Equal(Enumerable.Range(0, 3000).Select(static i => i.ToString()), lines);
        Assert.Equal(0, process.ExitCode);
        Assert.Contains("lintel: The connection broke. Reconnecting", await errors, StringComparison.Ordinal);
        Assert.Contains("lintel: Reconnected; nothing was lost.", await errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_answers_later_is_waited_for()
    {
        await using var network = new TcpProxy(server.Address);
        var home = await server.SignInAsync(network.Address);
        home.Write("main.py", "import time\nprint('begun', flush=True); time.sleep(1); print('done')");
        using var process = home.Start("run", "main.py");
        process.StandardInput.Close();
        Assert.Equal("begun", await process.StandardOutput.ReadLineAsync(Cancel));

        network.Break(stayDown: true);
        Assert.StartsWith("lintel: The connection broke.", await process.StandardError.ReadLineAsync(Cancel), StringComparison.Ordinal);
        network.Repair();

        Assert.Equal("done\n", await process.StandardOutput.ReadToEndAsync(Cancel));
        await process.WaitForExitAsync(Cancel);
        Assert.Equal(0, process.ExitCode);
    }

    [Fact]
    public async Task A_program_that_the_server_ended_while_nobody_watched_is_not_taken_for_one_that_was_cancelled()
    {
        await using var network = new TcpProxy(server.Address);
        var home = await server.SignInAsync(network.Address);
        home.Write("main.py", "import time\nprint('begun', flush=True); time.sleep(200)");
        using var process = home.Start("run", "--time", "200", "main.py");
        process.StandardInput.Close();
        Assert.Equal("begun", await process.StandardOutput.ReadLineAsync(Cancel));

        network.Break(stayDown: true);
        var elsewhere = server.NewHome();
        Directory.CreateDirectory(elsewhere.ConfigFolder);
        File.Copy(home.CredentialFile, elsewhere.CredentialFile);
        await File.WriteAllTextAsync(
            elsewhere.CredentialFile,
            (await File.ReadAllTextAsync(home.CredentialFile, Cancel)).Replace(network.Address.ToString().TrimEnd('/'), server.Address.ToString().TrimEnd('/'), StringComparison.Ordinal),
            Cancel);
        await Eventually.HoldsAsync(async () => (await elsewhere.RunAsync(["jobs", "list", "--status", "cancelled"])).Output.Contains("execute", StringComparison.Ordinal));
        network.Repair();

        var errors = await process.StandardError.ReadToEndAsync(Cancel);
        await process.WaitForExitAsync(Cancel);
        Assert.True(process.ExitCode == 75, errors);
        Assert.Contains("lintel: The server ended the program", errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new[] { "run" }, 64, "<program> is missing")]
    [InlineData(new[] { "run", "missing.py" }, 66, "There is no file missing.py.")]
    [InlineData(new[] { "run", "." }, 64, "does not tell its language")]
    [InlineData(new[] { "run", "-l", "python", "." }, 66, "is a folder")]
    [InlineData(new[] { "run", "-" }, 64, "--language")]
    [InlineData(new[] { "run", "--memory", "much", "main.py" }, 64, "'much'")]
    [InlineData(new[] { "run", "-l", "klingon", "main.py" }, 65, "Unsupported language: klingon")]
    [InlineData(new[] { "run", "--memory", "1", "main.py" }, 65, "memory_mb")]
    [InlineData(new[] { "run", "--frobnicate", "main.py" }, 64, "There is no option --frobnicate;")]
    [InlineData(new[] { "jobs", "list", "--frobnicate" }, 64, "There is no option --frobnicate;")]
    [InlineData(new[] { "rnu", "main.py" }, 64, "There is no command 'rnu';")]
    [InlineData(new[] { "jobs", "wacht", "1" }, 64, "There is no command 'jobs wacht';")]
    [InlineData(new[] { "run", "-l", "python", "/dev/null" }, 65, "/dev/null is empty")]
    public async Task What_cannot_be_is_told_in_one_sentence(string[] arguments, int exitCode, string message)
    {
        var home = await server.SignInAsync();
        home.Write("main.py", "print(1)");

        var run = await home.RunAsync(arguments);

        Assert.Equal((exitCode, ""), (run.ExitCode, run.Output));
        Assert.StartsWith("lintel: ", run.Errors, StringComparison.Ordinal);
        Assert.Contains(message, run.Errors, StringComparison.Ordinal);
        Assert.Single(run.Errors.TrimEnd('\n').Split('\n'));
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;
}
