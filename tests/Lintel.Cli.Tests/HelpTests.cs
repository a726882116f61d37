using System.CommandLine;
using Lintel.Cli.Commands;
using Lintel.Cli.Infrastructure;

namespace Lintel.Cli;

/// <summary>What tells a newcomer how to use it.</summary>
public sealed class HelpTests(CliServer server)
{
    [Fact]
    public void Every_command_option_and_argument_says_what_it_is_for()
    {
        var silent = Commands(CommandLine.Create(new GlobalOptions()))
            .SelectMany(static command => command.Options.Cast<Symbol>().Concat(command.Arguments).Append(command))
            .Where(static symbol => string.IsNullOrWhiteSpace(symbol.Description))
            .Select(static symbol => symbol.Name);

        Assert.Equal([], silent);
    }

    [Fact]
    public async Task Help_says_that_options_come_before_the_program()
    {
        var help = await server.NewHome().RunAsync(["run", "--help"]);

        Assert.Equal((0, ""), (help.ExitCode, help.Errors));
        Assert.Contains("lintel run [options] <program> [<args>...]\n", help.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("/?", help.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_example_can_be_run_as_it_stands()
    {
        var root = CommandLine.Create(new GlobalOptions());
        var examples = Examples.Commands.SelectMany(static command => Examples.Of(command).Select(example => (command, example))).ToArray();

        Assert.NotEmpty(examples);
        Assert.All(examples, example =>
        {
            var parse = root.Parse(example.example["lintel ".Length..].Split(" < ")[0].Split(" > ")[0]);
            Assert.Empty(parse.Errors);
            Assert.StartsWith($"lintel {example.command}".TrimEnd(), example.example, StringComparison.Ordinal);
        });
    }

    [Theory]
    [InlineData("<user> is missing; `lintel users delete --help`", "users", "delete")]
    [InlineData("There is no file absent.csv.", "users", "import", "absent.csv")]
    [InlineData("Must be one of: 'bash'; `lintel completion --help`", "completion", "fish")]
    [InlineData("There is no command 'jobs absent'; `lintel jobs --help`", "jobs", "absent")]
    public async Task What_is_wrong_with_a_command_is_told_in_one_line(string said, params string[] arguments)
    {
        var home = await server.SignInAsync();

        var refused = await home.RunAsync(arguments);

        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains(said, refused.Errors, StringComparison.Ordinal);
        Assert.Equal(refused.Errors.Length - 1, refused.Errors.IndexOf('\n', StringComparison.Ordinal));
    }

    [Fact]
    public async Task Help_ends_with_examples()
    {
        var help = await server.NewHome().RunAsync(["activity", "--help"]);

        Assert.Contains("Examples:\n  lintel activity --follow\n", help.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_group_alone_shows_what_is_in_it()
    {
        var help = await server.NewHome().RunAsync(["jobs"]);

        Assert.Equal(64, help.ExitCode);
        Assert.Contains("watch", help.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bash_completes_commands()
    {
        var home = server.NewHome();
        var script = (await home.RunAsync(["completion", "bash"])).Output;
        home.Write("complete.sh", script + "\nPATH=" + AppContext.BaseDirectory + ":$PATH\nCOMP_LINE='lintel jo' COMP_POINT=9 COMP_WORDS=(lintel jo) COMP_CWORD=1\n_lintel\necho \"${COMPREPLY[@]}\"\n");
        using var shell = home.StartShell("bash complete.sh");

        await shell.ShowsAsync("jobs\r\n");
        Assert.Equal(0, await shell.Exited);
    }

    [Fact]
    public void It_is_a_client_like_any_other() =>
        Assert.DoesNotContain(
            typeof(CommandLine).Assembly.GetReferencedAssemblies(),
            static reference => reference.Name!.StartsWith("Lintel", StringComparison.OrdinalIgnoreCase) || reference.Name.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal));

    [Fact]
    public void The_guide_tells_every_command_and_exit_code()
    {
        var guide = File.ReadAllText(Guide());
        var codes = typeof(ExitCode).GetFields().Select(static code => (int)code.GetRawConstantValue()!).Where(static code => code is not (ExitCode.Ok or ExitCode.No));
        var commands = CommandLine.Create(new GlobalOptions()).Subcommands.Select(static command => command.Name);

        Assert.Equal([], codes.Where(code => !guide.Contains($"\n| {code} | ", StringComparison.Ordinal)));
        Assert.Equal([], commands.Where(command => !guide.Contains($"`{command}", StringComparison.Ordinal) && !guide.Contains($"lintel {command}", StringComparison.Ordinal)));
    }

    private static string Guide()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Lintel.slnx")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("The tests must run from inside the repository: they read its guide.");
        }

        return Path.Combine(folder, "docs", "guide", "cli.md");
    }

    private static IEnumerable<Command> Commands(Command command) => command.Subcommands.SelectMany(Commands).Prepend(command);
}
