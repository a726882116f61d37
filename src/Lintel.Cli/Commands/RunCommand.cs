using System.CommandLine;
using System.Text.Json;
using Lintel.Cli.Api;
using Lintel.Cli.Running;
using Lintel.Cli.Terminals;

namespace Lintel.Cli.Commands;

/// <summary><c>lintel run</c>.</summary>
internal static class RunCommand
{
    /// <summary>How the library would write the usage, and how it is: what follows the program's name is the program's.</summary>
    public static readonly (string Written, string Meant) Usage = ("lintel run <program> [<args>...] [options]", "lintel run [options] <program> [<args>...]");

    public static Command Create(GlobalOptions options)
    {
        var program = new Argument<string>("program") { Description = "The file to run; - for standard input, together with --language." };
        var arguments = new Argument<string[]>("args") { Description = "Everything after the program's name goes to the program.", CaptureRemainingTokens = true };
        var command = new Command(
            "run",
            "Run a program in the server's sandbox as if it were here: it has your terminal or your pipes, Ctrl+C, and its exit code is that of lintel. "
            + "A program that does not end is ended by Ctrl+] three times. Options of lintel come before the program's name.")
        {
            program,
            arguments,
        };
        var flags = new RunFlags(command);
        command.SetAction((parse, cancellationToken) =>
            RunAsync(parse, options, flags, parse.GetRequiredValue(program), parse.GetValue(arguments) ?? [], cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(
        ParseResult parse, GlobalOptions options, RunFlags flags, string path, string[] arguments, CancellationToken cancellationToken)
    {
        var isFromInput = path == "-";
        var inputPath = parse.GetValue(flags.Stdin);
        var detach = parse.GetValue(flags.Detach);
        var isTerminal = StandardStreams.InputIsTerminal && StandardStreams.OutputIsTerminal
            && inputPath is null && !isFromInput && !detach && !parse.GetValue(flags.NoTerminal);
        var program = Read(parse, flags, path, arguments) with { Terminal = isTerminal ? Size() : null };
        using var api = options.Connect(parse);
        if (detach)
        {
            return await DetachAsync(api, program, inputPath, cancellationToken);
        }

        using var file = inputPath is null ? null : Open(inputPath);
        using var input = isTerminal || (isFromInput && file is null) ? null : new ProgramInput((int?)file?.SafeFileHandle.DangerousGetHandle() ?? StandardStreams.InputFd);
        using var run = new LiveRun(api, program, input, GlobalOptions.Time);
        return await run.RunAsync(cancellationToken);
    }

    private static ExecuteCode Read(ParseResult parse, RunFlags flags, string path, string[] arguments)
    {
        if (path is ['-', _, ..])
        {
            throw new CommandException(ExitCode.Usage, $"There is no option {path}; `lintel run --help` tells those there are. A program of that name is ./{path}.");
        }

        if (path == "-" && parse.GetValue(flags.Language) is null)
        {
            throw new CommandException(ExitCode.Usage, "A program from standard input has no name that tells its language; say it with --language.");
        }

        var language = parse.GetValue(flags.Language) ?? SourceFiles.LanguageOf(path);
        var code = SourceFiles.ReadProgram(path == "-" ? "/dev/stdin" : path);
        if (string.IsNullOrWhiteSpace(code))
        {
            throw new CommandException(ExitCode.BadData, $"{(path == "-" ? "Standard input" : path)} is empty, so there is no program to run.");
        }

        return new ExecuteCode
        {
            Language = language,
            Code = code,
            Args = arguments is { Length: > 0 } ? arguments : null,
            Files = parse.GetValue(flags.Files) is { Length: > 0 } beside ? [.. beside.Select(file => SourceFiles.ReadBeside(file, path == "-" ? "./program" : path))] : null,
            Limits = flags.Limits(parse),
        };
    }

    /// <summary>Submits the program as a job, and leaves it alone.</summary>
    private static async Task<int> DetachAsync(ApiClient api, ExecuteCode program, string? inputPath, CancellationToken cancellationToken)
    {
        var input = program with { Detach = true, Stdin = inputPath is null ? null : SourceFiles.ReadProgram(inputPath) };
        var body = new CreateJob("execute", JsonSerializer.SerializeToElement(input, ApiJson.Compact.ExecuteCode));
        var job = await api.PostAsync(
            "api/jobs", body, ApiJson.Compact.CreateJob, ApiJson.Default.JobView, cancellationToken, Guid.CreateVersion7(GlobalOptions.Time.GetUtcNow()).ToString());
        await StandardStreams.Out.WriteLineAsync(job.JobId.ToString());
        await StandardStreams.Err.WriteLineAsync($"It runs; `lintel jobs watch {job.JobId}` shows what it prints.");
        return ExitCode.Ok;
    }

    private static FileStream Open(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.NoInput, $"{path} cannot be read: {failure.Message}", inner: failure);
        }
    }

    private static TerminalShape Size()
    {
        var (columns, rows) = StandardStreams.Size();
        return new TerminalShape(columns, rows);
    }
}

/// <summary>The options of <c>lintel run</c>.</summary>
internal sealed class RunFlags
{
    public RunFlags(Command command)
    {
        foreach (var option in (Option[])[Language, Files, Stdin, Time, Cpu, Memory, Processes, Output, NoTerminal, Detach])
        {
            command.Add(option);
        }
    }

    public Option<string?> Language { get; } = new("--language", "-l") { Description = "Its language, where the file's name does not tell; `lintel languages` lists them.", HelpName = "name" };

    public Option<string[]> Files { get; } = new("--file", "-f") { Description = "A file to lie beside the program; may be given several times.", HelpName = "path" };

    public Option<string?> Stdin { get; } = new("--stdin") { Description = "Its standard input from this file.", HelpName = "path" };

    public Option<bool> NoTerminal { get; } = new("--no-terminal", "-T") { Description = "Give it pipes although this is a terminal: standard output and error stay apart." };

    public Option<bool> Detach { get; } = new("--detach", "-d") { Description = "Start it and come back at once with the job's id; `lintel jobs watch` shows it." };

    private Option<double?> Time { get; } = Limit("--time", "seconds", "The longest it may take: 10 seconds without this, as long as the server allows (300) on a terminal.");

    private Option<double?> Cpu { get; } = Limit("--cpu", "seconds", "The most processor time it may use: 10 seconds without this.");

    private Option<double?> Memory { get; } = Limit("--memory", "MB", "The most memory it may use: 512 without this.");

    private Option<double?> Processes { get; } = Limit("--processes", "count", "The most processes and threads it may have: 64 without this.");

    private Option<double?> Output { get; } = Limit("--output", "KB", "The most it may print: 2048 without this.");

    public RunLimits? Limits(ParseResult parse)
    {
        var limits = new RunLimits(parse.GetValue(Time), parse.GetValue(Cpu), parse.GetValue(Memory), parse.GetValue(Processes), parse.GetValue(Output));
        return limits == new RunLimits(null, null, null, null, null) ? null : limits;
    }

    private static Option<double?> Limit(string name, string unit, string description) => new(name) { Description = description + " The server may have set other values, and its upper limits stay.", HelpName = unit, CustomParser = Values.Number };
}
