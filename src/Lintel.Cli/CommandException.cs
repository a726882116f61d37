namespace Lintel.Cli;

/// <summary>Ends the command with one sentence on standard error: what was wrong, and what to do.</summary>
internal sealed class CommandException(int exitCode, string message, string? detail = null, Exception? inner = null) : Exception(message, inner)
{
    public int ExitCode { get; } = exitCode;

    /// <summary>The server's own code for it; null where it was not the server that refused.</summary>
    public string? Code { get; init; }

    /// <summary>What <c>--verbose</c> adds.</summary>
    public string? Detail { get; } = detail;
}
