using Lintel.Cli.Api;

namespace Lintel.Cli.Running;

/// <summary>What a run's end means for who started it: an exit code, and a sentence where the program cannot have said it itself.</summary>
internal static class RunVerdict
{
    /// <param name="wasAlone">Whether the connection was lost for a while, and the user did not ask for the end.</param>
    public static (int ExitCode, string? Message) Of(RunView view, bool wasAlone = false) => view switch
    {
        { IsCancelled: true } or { Completed.Verdict: "cancelled" } when wasAlone => (
            ExitCode.TryAgain, "The server ended the program, as it does when nobody has watched one for 10 seconds; run it again, or with --detach if it is to go on alone."),
        { Completed: { } end } => Of(end),
        { Failure: { } failure } => (ExitCode.Unavailable, failure),
        _ => (ExitCode.Interrupted, "The run was cancelled."),
    };

    private static (int ExitCode, string? Message) Of(RunCompleted end) => end.Verdict switch
    {
        "ok" or "nonzero" => (end.ExitCode, null),
        "signalled" => (end.ExitCode, end.Signal is "SIGINT" or "SIGPIPE" ? null : $"The program was ended by {end.Signal ?? "a signal"}."),
        "time_limit" => (ExitCode.TimeLimit, Ended(end.Reason ?? "its time was over.", TimeOption(end.Reason))),
        "memory_limit" => (ExitCode.MemoryLimit, Ended(end.Reason ?? "it used more memory than it may.", "--memory")),
        "output_limit" => (ExitCode.OutputLimit, Ended(end.Reason ?? "it printed more than it may.", "--output")),
        "compile_error" => (ExitCode.BadData, "The program did not compile."),
        "cancelled" => (ExitCode.Interrupted, "The run was cancelled."),
        _ => (end.ExitCode, end.Reason),
    };

    private static string TimeOption(string? reason) => reason?.Contains("processor time", StringComparison.Ordinal) == true ? "--cpu" : "--time";

    private static string Ended(string reason, string option) =>
        $"The program was ended: {char.ToLowerInvariant(reason[0])}{reason.AsSpan(1).TrimEnd('.')}; {option} asks for more.";
}
