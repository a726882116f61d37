using System.Text;

namespace Lintel.Cli.Terminals;

/// <summary>Asks the person at the terminal.</summary>
internal static class Prompt
{
    private const int LongestLine = 4096;

    public static Task<string> AskAsync(string question, string alternative, CancellationToken cancellationToken) =>
        AskAsync(question, alternative, secret: false, cancellationToken);

    /// <summary>Asks for what nobody else shall see: it is not shown.</summary>
    public static Task<string> AskSecretAsync(string question, string alternative, CancellationToken cancellationToken) =>
        AskAsync(question, alternative, secret: true, cancellationToken);

    /// <summary>The first line of standard input.</summary>
    public static async Task<string> ReadLineAsync(CancellationToken cancellationToken)
    {
        using var input = new InputReader(StandardStreams.InputFd);
        var line = new List<byte>();
        var one = new byte[1];

        // One at a time: what comes after the line is not ours.
        while (line.Count < LongestLine && await input.ReadAsync(one, cancellationToken) > 0 && one[0] != '\n')
        {
            line.Add(one[0]);
        }

        return Encoding.UTF8.GetString([.. line]).TrimEnd('\r');
    }

    /// <param name="alternative">What to do where there is no terminal.</param>
    private static async Task<string> AskAsync(string question, string alternative, bool secret, CancellationToken cancellationToken)
    {
        if (!StandardStreams.InputIsTerminal)
        {
            throw new CommandException(ExitCode.Usage, $"There is no terminal to ask on; {alternative}.");
        }

        using var mode = secret ? TerminalMode.NoEcho() : null;
        await StandardStreams.Err.WriteAsync(question);
        var answer = await ReadLineAsync(cancellationToken);
        if (secret)
        {
            // The line break that was typed was not shown either.
            await StandardStreams.Err.WriteLineAsync();
        }

        return answer.Length > 0 ? answer : throw new CommandException(ExitCode.Usage, "Nothing was entered.");
    }
}
