namespace Lintel.Cli;

/// <summary>Ends the command with one sentence on standard error: what was wrong, and what to do.</summary>
internal sealed class CommandException(int exitCode, string message, string? detail = null, Exception? inner = null) : Exception(message, inner)
{
    public int ExitCode { get; } = exitCode;

    /// <summary>The server's own code for it; null where it was not the server that refused.</summary>
    public string? Code { get; init; }

    /// <summary>What the server wants to be answered before anything else; null where it was not that.</summary>
    public Challenge? Challenge { get; init; }

    /// <summary>What <c>--verbose</c> adds.</summary>
    public string? Detail { get; } = detail;
}

/// <summary>A second factor that the server asks for.</summary>
/// <param name="Token">Goes back with the answer.</param>
/// <param name="Methods">By what it can be answered.</param>
internal sealed record Challenge(string Token, IReadOnlyList<string> Methods);
