using System.Text;
using Lintel.Sandbox.Infrastructure;
using Lintel.Sandbox.Languages;

namespace Lintel.Sandbox;

/// <summary>What is installed is found out once, and compiled programs are kept in one folder.</summary>
public sealed class CodeRunnerFixture(SandboxFixture sandbox) : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lintel-code-").FullName;

    internal CodeRunner Runner { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Runner = await CreateAsync();

    /// <summary>Another server with the same folder, or the same one after a restart.</summary>
    internal Task<CodeRunner> CreateAsync() => CodeRunner.CreateAsync(sandbox.Launcher, new CodeRunnerOptions(Path.Combine(_folder, "cache")));

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }
}

public sealed class CodeRunnerTests(SandboxFixture sandbox, CodeRunnerFixture code) : IClassFixture<CodeRunnerFixture>
{
    private readonly CodeRunner _runner = code.Runner;

    public static TheoryData<string, string> Programs => new()
    {
        { "python", "import sys; print('hello', sys.argv[1], sys.stdin.read())" },
        { "javascript", "console.log('hello', process.argv[2], require('fs').readFileSync(0, 'utf8'))" },
        { "typescript", "const name: string = process.argv[2]; console.log('hello', name, require('fs').readFileSync(0, 'utf8'))" },
        { "c", "#include <stdio.h>\nint main(int c, char **v) { char line[99]; printf(\"hello %s %s\\n\", v[1], fgets(line, 99, stdin)); }" },
        { "cpp", "#include <bits/stdc++.h>\nint main(int c, char **v) { std::string line; std::getline(std::cin, line); std::cout << \"hello \" << v[1] << ' ' << line << '\\n'; }" },
        { "rust", "fn main() { let mut l = String::new(); std::io::stdin().read_line(&mut l).unwrap(); println!(\"hello {} {}\", std::env::args().nth(1).unwrap(), l); }" },
        { "go", "package main\nimport (\"bufio\"; \"fmt\"; \"os\")\nfunc main() { s := bufio.NewScanner(os.Stdin); s.Scan(); fmt.Println(\"hello\", os.Args[1], s.Text()) }" },
        { "java", "import java.util.*; public class Main { public static void main(String[] a) { System.out.println(\"hello \" + a[0] + \" \" + new Scanner(System.in).nextLine()); } }" },
        { "csharp", "Console.WriteLine($\"hello {args[0]} {Console.ReadLine()}\");" },
        { "bash", "read line; echo hello $1 $line" },
        { "ruby", "puts \"hello #{ARGV[0]} #{$stdin.read}\"" },
        { "php", "<?php echo \"hello {$argv[1]} \" . stream_get_contents(STDIN) . \"\\n\";" },
        { "perl", "my $line = <STDIN>; print \"hello $ARGV[0] $line\\n\";" },
        { "lua", "print('hello', arg[1], io.read('l'))" },
        { "sql", "SELECT 'hello', 'there', 'world';" },
    };

    [Theory]
    [MemberData(nameof(Programs))]
    public async Task A_language_that_is_installed_runs(string language, string source)
    {
        var toolchain = _runner.Toolchains.Single(toolchain => toolchain.Language.Id == language);
        Assert.SkipUnless(toolchain.IsInstalled, toolchain.Reason ?? "");
        Assert.Matches(@"^\d+\.\d", toolchain.Version!);

        using var program = await PrepareAsync(language, source);
        Assert.True(program.IsReady, program.Diagnostics);
        var guest = await RunAsync(program, language == "sql" ? [] : ["there"], "world");

        Assert.True(guest.Result.Verdict == SandboxVerdict.Ok, $"{guest.Result} {guest.Output} {guest.Errors}");
        Assert.Equal(["hello", "there", "world"], guest.Output.Split([' ', '\t', '|', '\n'], StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public void Every_language_is_reported_installed_or_not()
    {
        Assert.Equal(15, _runner.Toolchains.Count);
        Assert.Equal(15, Programs.Count);
        Assert.All(_runner.Toolchains, toolchain => Assert.True(toolchain.IsInstalled ? toolchain.Version is not null : toolchain.Reason!.Contains(toolchain.Language.Name, StringComparison.Ordinal)));

        // No name stands for two.
        var names = Language.All.SelectMany(language => language.Aliases.Append(language.Id)).ToList();
        Assert.Equal(names.Count, names.Distinct(StringComparer.OrdinalIgnoreCase).Count());
        Assert.Equal("cpp", Language.Find("C++")!.Id);
    }

    [Fact]
    public async Task An_unknown_language_is_named()
    {
        var refusal = await Assert.ThrowsAsync<SandboxException>(() => PrepareAsync("cobol; rm", "x"));
        Assert.Equal("Unsupported language: cobol; rm", refusal.Message);
    }

    [Fact]
    public async Task Files_lie_beside_the_source_and_in_the_current_folder()
    {
        using var program = await _runner.PrepareAsync(
            "python", "import helper; print(helper.name, open('data.txt').read()); open('data.txt', 'w').write('own')",
            [("helper.py", "name = 'h'"u8.ToArray()), ("data.txt", "d"u8.ToArray())], TestContext.Current.CancellationToken);
        (await RunAsync(program, [], "")).Printed("h d");
    }

    [Fact]
    public async Task One_compile_serves_many_inputs_and_later_requests()
    {
        const string source = "#include <iostream>\nint main() { int n; std::cin >> n; std::cout << n * n << '\\n'; }";
        using var first = await PrepareAsync("cpp", source);
        Assert.False(first.IsCached);

        foreach (var number in (int[])[3, 12])
        {
            (await RunAsync(first, [], $"{number}")).Printed($"{number * number}");
        }

        using var second = await PrepareAsync("c++", source);
        Assert.True(second.IsCached);
        (await RunAsync(second, [], "5")).Printed("25");

        var again = await code.CreateAsync();
        using var third = await again.PrepareAsync("cpp", source, [], TestContext.Current.CancellationToken);
        Assert.True(third.IsCached);
        (await RunAsync(third, [], "6")).Printed("36");
    }

    [Fact]
    public async Task The_same_code_at_the_same_time_is_compiled_once()
    {
        const string source = "int main() { return 9; }";
        var programs = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => PrepareAsync("c", source)));

        // They share the one compilation, to the tick of its clock; whoever came later found it in the cache.
        Assert.Single(programs.Select(program => program.Compilation!.Result).OfType<SandboxResult>().Distinct());

        foreach (var program in programs)
        {
            Assert.Equal(9, (await RunAsync(program, [], "")).Result.ExitCode);
            program.Dispose();
        }
    }

    [Fact]
    public async Task A_caller_who_gives_up_does_not_take_the_compile_from_the_others()
    {
        const string source = "#include <bits/stdc++.h>\nint main() { return 8; }";
        using var giveUp = new CancellationTokenSource();
        var impatient = _runner.PrepareAsync("cpp", source, [], giveUp.Token);
        var patient = PrepareAsync("cpp", source);
        await giveUp.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => impatient);
        using var program = await patient;
        Assert.Equal(8, (await RunAsync(program, [], "")).Result.ExitCode);
    }

    [Fact]
    public async Task Warnings_are_told_the_second_time_too()
    {
        const string source = "int main() { char *p = 5; return 0; }";
        using var first = await PrepareAsync("c", source);
        using var second = await PrepareAsync("c", source);
        Assert.Contains("warning", first.Diagnostics, StringComparison.Ordinal);
        Assert.True(second.IsCached);
        Assert.Equal(first.Diagnostics, second.Diagnostics);
    }

    [Fact]
    public async Task An_error_in_the_code_is_a_compile_error()
    {
        using var program = await PrepareAsync("c", "int main() { return nothing; }");
        Assert.False(program.IsReady);
        Assert.Equal((SandboxVerdict.CompileError, 1), (program.Refusal!.Verdict, program.Refusal.ExitCode));
        Assert.Contains("'nothing' undeclared", program.Diagnostics.Replace('‘', '\'').Replace('’', '\''), StringComparison.Ordinal);
        await Assert.ThrowsAsync<InvalidOperationException>(() => RunAsync(program, [], ""));
    }

    [Theory]
    [InlineData("#include \"/etc/shadow\"\nint main() {}", "No such file")]
    [InlineData("#include \"/dev/zero\"\nint main() {}", "")]
    [InlineData("template<int N> struct A { typedef typename A<N + 1>::type type; }; A<0>::type a; int main() {}", "depth")]
    [InlineData("char big[1 << 30] = {1}; int main() { return big[5]; }", "")]
    [InlineData("#define A(x) x x x x x x x x x x\nconst char *s = A(A(A(A(A(A(A(A(\"0123456789\")))))))); int main() {}", "")]
    public async Task Code_that_attacks_the_compiler_is_a_compile_error(string source, string said)
    {
        using var program = await PrepareAsync("cpp", source);
        Assert.False(program.IsReady, "It compiled.");
        Assert.Equal(SandboxVerdict.CompileError, program.Refusal!.Verdict);
        Assert.Contains(said, program.Diagnostics, StringComparison.Ordinal);
        Assert.True(program.Diagnostics.Length <= 64 * 1024);
        sandbox.AssertNoGuests();
    }

    private Task<PreparedProgram> PrepareAsync(string language, string source) =>
        _runner.PrepareAsync(language, source, [], TestContext.Current.CancellationToken);

    private static async Task<Guest> RunAsync(PreparedProgram program, string[] arguments, string input)
    {
        var limits = program.DefaultLimits with { Wall = TimeSpan.FromSeconds(60), Cpu = TimeSpan.FromSeconds(60) };
        await using var run = await program.StartAsync(limits, arguments, Encoding.UTF8.GetBytes(input), keepInputOpen: false, terminal: null, TestContext.Current.CancellationToken);
        return await Guest.FinishAsync(run);
    }
}
