namespace Lintel.Sandbox;

/// <summary>How a run ended.</summary>
public enum SandboxVerdict
{
    Ok,
    Nonzero,
    Signalled,
    TimeLimit,
    MemoryLimit,
    OutputLimit,
    CompileError,
    Cancelled,
}

/// <summary>The end of a run.</summary>
/// <param name="ExitCode">As a shell shows it: 128 and the signal for a program that a signal ended.</param>
/// <param name="Signal">The signal's number. A program that itself exits with such a code cannot be told from one that was ended.</param>
/// <param name="Elapsed">From the program's start, the sandbox being ready.</param>
/// <param name="PeakMemoryKb">The most that was seen, all processes together; null when it ended before the first look.</param>
/// <param name="Reason">One sentence about the limit that ended it.</param>
public sealed record SandboxResult(
    SandboxVerdict Verdict, int ExitCode, int? Signal, TimeSpan Elapsed, TimeSpan Cpu, long? PeakMemoryKb, long OutputBytes, string? Reason);
