using System.CommandLine;
using Lintel.Cli.Terminals;

namespace Lintel.Cli.Commands;

/// <summary><c>lintel completion</c>: what a shell needs to complete command lines, by asking this program.</summary>
internal static class CompletionCommand
{
    private const string Bash = """
        _lintel() {
          local IFS=$'\n' word=${COMP_WORDS[COMP_CWORD]}
          COMPREPLY=($(compgen -W "$(lintel "[suggest:$COMP_POINT]" "$COMP_LINE" 2>/dev/null)" -- "$word"))
        }
        complete -o default -F _lintel lintel
        """;

    public static Command Create()
    {
        var shell = new Argument<string>("shell") { Description = "bash" };
        shell.AcceptOnlyFromAmong("bash");
        var command = new Command("completion", "Print what completes lintel's commands in a shell: `source <(lintel completion bash)` in ~/.bashrc.") { shell };
        command.SetAction(static _ => StandardStreams.Out.WriteLine(Bash));
        return command;
    }
}
