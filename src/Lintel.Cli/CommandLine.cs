using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using Lintel.Cli.Api;
using Lintel.Cli.Commands;
using Lintel.Cli.Terminals;

namespace Lintel.Cli;

/// <summary>Finds the command that was asked for, runs it, and says in one sentence what went wrong.</summary>
internal static class CommandLine
{
    // `@name` is an argument like any other.
    private static readonly ParserConfiguration Parser = new() { ResponseFileTokenReplacer = null };

    public static async Task<int> RunAsync(string[] arguments)
    {
        var options = new GlobalOptions();
        var root = Create(options);
        var parse = root.Parse(arguments, Parser);
        var configuration = new InvocationConfiguration
        {
            Output = StandardStreams.Out,
            Error = StandardStreams.Err,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
        };
        try
        {
            if (parse.Action is ParseErrorAction)
            {
                return await ExplainAsync(root, parse, configuration);
            }

            return parse.Action is HelpAction ? await HelpAsync(parse, configuration) : await parse.InvokeAsync(configuration);
        }
        catch (OperationCanceledException)
        {
            return ExitCode.Interrupted;
        }
        catch (BrokenPipeException)
        {
            return ExitCode.BrokenPipe;
        }
        catch (CommandException failure)
        {
            return Tell(failure.ExitCode, failure.Message, parse.GetValue(options.Verbose) ? failure.Detail : null);
        }
        catch (ServerUnreachableException failure)
        {
            return Tell(ExitCode.Unavailable, failure.Message, parse.GetValue(options.Verbose) ? failure.InnerException?.ToString() : null);
        }
        catch (Exception bug)
        {
            return Tell(
                ExitCode.Software,
                $"lintel made an error ({bug.GetType().Name}: {bug.Message}); run it with --verbose for where.",
                parse.GetValue(options.Verbose) ? bug.StackTrace : null);
        }
    }

    public static RootCommand Create(GlobalOptions options)
    {
        var root = new RootCommand("lintel, the command line of a Lintel server: run programs in its sandbox as if they were local, design beams, watch jobs.")
        {
            options.Server,
            options.Insecure,
            options.Verbose,
            AccountCommands.Login(options),
            AccountCommands.Logout(options),
            AccountCommands.WhoAmI(options),
            RunCommand.Create(options),
            LanguagesCommand.Create(options),
            BeamCommands.Create(options),
            JobCommands.Create(options),
            KeyCommands.Create(options),
            SessionCommands.Create(options),
            ActivityCommand.Create(options),
            UserCommands.Create(options),
            AdminCommands.Create(options),
            CompletionCommand.Create(),
        };

        // Those of another system would be offered where a path is typed.
        foreach (var help in root.Options.OfType<HelpOption>())
        {
            help.Aliases.Remove("/?");
            help.Aliases.Remove("/h");
        }

        return root;
    }

    private static int Tell(int exitCode, string message, string? detail)
    {
        StandardStreams.Tell(message);
        if (detail is not null)
        {
            StandardStreams.Tell(detail);
        }

        return exitCode;
    }

    private static async Task<int> HelpAsync(ParseResult parse, InvocationConfiguration configuration)
    {
        using var text = new StringWriter();
        configuration.Output = text;
        var exitCode = await parse.InvokeAsync(configuration);
        await StandardStreams.Out.WriteAsync(text.ToString().Replace(RunCommand.Usage.Written, RunCommand.Usage.Meant, StringComparison.Ordinal));
        if (Examples.Of(string.Join(' ', Path(parse))) is { Length: > 0 } examples)
        {
            await StandardStreams.Out.WriteAsync($"Examples:\n{string.Concat(examples.Select(static example => $"  {example}\n"))}\n");
        }

        return exitCode;
    }

    private static async Task<int> ExplainAsync(RootCommand root, ParseResult parse, InvocationConfiguration configuration)
    {
        var command = parse.CommandResult.Command;
        if (command.Subcommands.Count > 0 && parse.UnmatchedTokens.Count == 0 && parse.Errors.Count == 1)
        {
            // A group alone, such as `lintel jobs`: what there is in it.
            await root.Parse([.. Path(parse), "--help"], Parser).InvokeAsync(configuration);
            return ExitCode.Usage;
        }

        var wrong = parse.UnmatchedTokens switch
        {
            [['-', ..] option, ..] => $"There is no option {option}",
            [var name, ..] when command.Subcommands.Count > 0 => $"There is no command '{string.Join(' ', [.. Path(parse), name])}'",
            [var rest, ..] => $"'{rest}' is one argument too many",
            [] when parse.Errors[0].SymbolResult is ArgumentResult { Tokens.Count: 0 } missing => $"<{missing.Argument.Name}> is missing",
            [] => string.Join(' ', parse.Errors[0].Message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)).TrimEnd('.'),
        };
        return Tell(ExitCode.Usage, $"{wrong}; `{string.Join(' ', ["lintel", .. Path(parse), "--help"])}` tells what it takes.", null);
    }

    /// <summary>The names of the commands that were understood.</summary>
    private static Stack<string> Path(ParseResult parse)
    {
        var names = new Stack<string>();
        for (SymbolResult? result = parse.CommandResult; result is CommandResult { Command: not RootCommand } named; result = result.Parent)
        {
            names.Push(named.Command.Name);
        }

        return names;
    }
}
