using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Lintel.Features.Execution;

/// <summary>A program to run.</summary>
/// <example>{"code":"name = input()\nprint('Hello', name)","language":"python","stdin":"mason\n"}</example>
public record ExecuteCode
{
    /// <summary>The program's text.</summary>
    [Required]
    public string Code { get; init; } = "";

    /// <summary>A language by id or alias, in any case; see <c>GET /api/languages</c>.</summary>
    [Required]
    public string Language { get; init; } = "";

    /// <summary>What is on its standard input from the beginning.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Stdin { get; init; }

    /// <summary>Its arguments, at most 100.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Args { get; init; }

    /// <summary>Files beside the program, at most 50: read-only there, and as its own copies in its current folder.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<CodeFile>? Files { get; init; }

    /// <summary>What it may use; the server's own limits always apply.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public RunLimits? Limits { get; init; }

    /// <summary>It runs on when nobody watches. Otherwise it is killed 10 seconds after its last viewer left.</summary>
    public bool Detach { get; init; }

    /// <summary>Run it on a terminal of this size: one joined stream, echo, Ctrl+C. Left out, a socket's program has one of 80 by 24 and any other has pipes; <c>null</c> means pipes.</summary>
    public TerminalShape? Terminal { get; init; }
}

/// <summary>A file for a program.</summary>
/// <param name="Name">A relative path without <c>..</c>.</param>
/// <param name="Content">What is in it.</param>
/// <param name="Encoding">How <paramref name="Content"/> is written: <c>utf8</c> unless said otherwise.</param>
/// <example>{"name":"data.csv","content":"a,b\n1,2\n"}</example>
public sealed record CodeFile(
    [property: Required] string Name,
    [property: Required] string Content,
    [property: AllowedValues("utf8", "base64"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Encoding = null);

/// <summary>What a run may use. More than the server allows is cut down to that; what is left out has the language's own value.</summary>
/// <param name="WallSeconds">Time from its start, at least 0.1.</param>
/// <param name="CpuSeconds">Processor time of all its processes, at least 0.1.</param>
/// <param name="MemoryMb">Memory of all its processes, at least 16.</param>
/// <param name="Processes">Processes and threads, at least 4.</param>
/// <param name="OutputKb">What it may print, at least 1.</param>
/// <param name="FileMb">The largest file it may write, at least 1.</param>
/// <example>{"wall_seconds":5,"memory_mb":128}</example>
public sealed record RunLimits(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double? WallSeconds = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double? CpuSeconds = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double? MemoryMb = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double? Processes = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double? OutputKb = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double? FileMb = null);

/// <summary>A terminal's size in characters, each from 1 to 1000.</summary>
/// <param name="Cols">Columns.</param>
/// <param name="Rows">Rows.</param>
/// <example>{"cols":80,"rows":24}</example>
public sealed record TerminalShape(int Cols, int Rows);

/// <summary>How a program ended that somebody waited for.</summary>
/// <param name="JobId">The job that ran it; its events are kept a while.</param>
/// <param name="Stdout">What it printed; everything, where it ran on a terminal.</param>
/// <param name="Stderr">What it printed to standard error.</param>
/// <param name="CompileOutput">What the compiler printed, where there was one and it said something.</param>
/// <param name="ExitCode">As a shell shows it: 128 and the signal's number for a program that a signal ended.</param>
/// <param name="Verdict">How it ended.</param>
/// <param name="ExecutionTime">Seconds from its start.</param>
/// <param name="MemoryKb">The most memory that was seen; null when it ended before the first look.</param>
/// <param name="Signal">The signal that ended it.</param>
/// <param name="Reason">One sentence about the limit that ended it.</param>
/// <param name="Truncated">It printed more than this answer holds, which is 4 MB; the job's events have all of it, up to its limit.</param>
/// <example>{"job_id":"019b3c4e-7a10-7c1e-9d3f-2f6a5b8c9d01","stdout":"Hello mason\n","stderr":"","exit_code":0,"verdict":"ok","execution_time":0.031,"memory_kb":9120,"truncated":false}</example>
public sealed record ExecutedCode(
    Guid JobId,
    [property: Required] string Stdout,
    [property: Required] string Stderr,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? CompileOutput,
    int ExitCode,
    [property: Required, AllowedValues("ok", "nonzero", "signalled", "time_limit", "memory_limit", "output_limit", "compile_error", "cancelled")] string Verdict,
    double ExecutionTime,
    long? MemoryKb,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Signal,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Reason,
    bool Truncated);

/// <summary>A program to run with many inputs, compiled once.</summary>
/// <example>{"language":"python","code":"print(int(input()) ** 2)","inputs":[{"stdin":"3"},{"stdin":"4"}]}</example>
public sealed record ExecuteBatch : ExecuteCode
{
    /// <summary>One run for each, 1 to 100.</summary>
    [Required]
    public IReadOnlyList<BatchInput> Inputs { get; init; } = [];
}

/// <summary>What one run of a batch is given.</summary>
/// <param name="Stdin">Its standard input; the program's own where it is left out.</param>
/// <param name="Args">Its arguments; the program's own where they are left out.</param>
/// <example>{"stdin":"3"}</example>
public sealed record BatchInput(string? Stdin = null, IReadOnlyList<string>? Args = null);

/// <summary>How a batch of runs ended.</summary>
/// <param name="JobId">The job that ran it.</param>
/// <param name="Verdict"><c>ok</c> where the program was run, whatever came of the runs; <c>time_limit</c> where there was no time left for all of them.</param>
/// <param name="CompileOutput">What the compiler printed, where there was one and it said something.</param>
/// <param name="Results">One for each input, in order; fewer where the program did not compile, its time was over or the job was cancelled.</param>
public sealed record ExecutedBatch(
    Guid JobId,
    [property: Required, AllowedValues("ok", "compile_error", "time_limit", "cancelled")] string Verdict,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? CompileOutput,
    [property: Required] IReadOnlyList<BatchRun> Results);

/// <summary>How one run of a batch ended.</summary>
/// <param name="Index">Which input, from 0.</param>
/// <param name="Stdout">What it printed.</param>
/// <param name="Stderr">What it printed to standard error.</param>
/// <param name="ExitCode">As a shell shows it: 128 and the signal's number for a program that a signal ended.</param>
/// <param name="Verdict">How it ended.</param>
/// <param name="ExecutionTime">Seconds from its start.</param>
/// <param name="MemoryKb">The most memory that was seen; null when it ended before the first look.</param>
/// <param name="Signal">The signal that ended it.</param>
/// <param name="Reason">One sentence about the limit that ended it.</param>
/// <param name="Truncated">It printed more than the 32768 characters that a result holds.</param>
/// <example>{"index":0,"stdout":"9\n","stderr":"","exit_code":0,"verdict":"ok","execution_time":0.03,"memory_kb":9120,"truncated":false}</example>
public sealed record BatchRun(
    int Index,
    [property: Required] string Stdout,
    [property: Required] string Stderr,
    int ExitCode,
    [property: Required, AllowedValues("ok", "nonzero", "signalled", "time_limit", "memory_limit", "output_limit", "cancelled")] string Verdict,
    double ExecutionTime,
    long? MemoryKb,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Signal,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Reason,
    bool Truncated);

/// <summary>A job that may be run once over <c>/ws/execute</c> by whoever has its token.</summary>
/// <param name="JobId">The job's id from when it is run.</param>
/// <param name="JobToken">Good once, for 15 minutes; only its hash is kept.</param>
/// <param name="ExpiresAt">Until when.</param>
public sealed record CreatedJobToken(Guid JobId, [property: Required] string JobToken, DateTimeOffset ExpiresAt);

/// <summary>The languages of this server.</summary>
/// <param name="Languages">Every one that it knows, installed or not.</param>
/// <param name="Next">Always null: there is one page.</param>
public sealed record LanguageList([property: Required] IReadOnlyList<LanguageView> Languages, string? Next);

/// <summary>A language.</summary>
/// <param name="Id">Its name in requests.</param>
/// <param name="Name">Its name for people.</param>
/// <param name="Aliases">Other names that requests may use.</param>
/// <param name="Version">Null when it is not installed.</param>
/// <param name="Installed">Whether it can be run here.</param>
/// <param name="Reason">Why not.</param>
/// <param name="Compiled">It is compiled before it is run.</param>
/// <example>{"id":"python","name":"Python","aliases":["py","python3"],"version":"3.11.2","installed":true,"compiled":false}</example>
public sealed record LanguageView(
    [property: Required] string Id,
    [property: Required] string Name,
    [property: Required] IReadOnlyList<string> Aliases,
    string? Version,
    bool Installed,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Reason,
    bool Compiled);
