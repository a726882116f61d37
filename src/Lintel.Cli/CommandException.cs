namespace Lintel.Cli;

/// <summary>Ends the command with one sentence on standard error: what was wrong, and what to do.</summary>
internal sealed class CommandException(int exitCode, string message, string? detail = null, Exception? inner = null) : Exception(message, inner)
{
    public int ExitCode { get; } = exitCode;

    /// <summary>What <c>--verbose</c> adds.</summary>
    public string? Detail { get; } = detail;
}
