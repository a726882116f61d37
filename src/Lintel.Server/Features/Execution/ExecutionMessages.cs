using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Lintel.Features.Jobs;
using Lintel.Platform.Http;
using Lintel.Platform.OpenApi;
using Lintel.Platform.Sockets;

namespace Lintel.Features.Execution;

/// <summary>The first message of <c>/ws/execute</c>: a program, and credentials where the handshake had none.</summary>
/// <example>{"code":"print(6 * 7)","language":"python"}</example>
public sealed record ExecuteCommand : ExecuteCode
{
    /// <summary>An API key.</summary>
    public string? ApiKey { get; init; }

    /// <summary>Or an access token.</summary>
    public string? Token { get; init; }

    /// <summary>Or the id of a job from <c>POST /api/jobs/create</c> …</summary>
    public Guid? JobId { get; init; }

    /// <summary>… and its token.</summary>
    public string? JobToken { get; init; }
}

/// <summary>Types into the program.</summary>
/// <param name="Data">At most 10 KB.</param>
/// <example>{"data":"mason\n"}</example>
public sealed record ProgramInput([property: Required] string Data);

/// <summary>Sends the program, or what is in its terminal's foreground, a signal.</summary>
/// <param name="Signal">By name.</param>
/// <example>{"signal":"SIGINT"}</example>
public sealed record ProgramSignal(
    [property: Required, AllowedValues("SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGTERM", "SIGCONT", "SIGTSTP")] string Signal);

/// <summary>How far a run is.</summary>
/// <param name="Status">It waits, is compiled, or runs.</param>
/// <param name="JobId">The job that runs it.</param>
/// <param name="Position">While it waits: about where it stands, 1 being the next.</param>
/// <example>{"status":"running","job_id":"019b3c4e-7a10-7c1e-9d3f-2f6a5b8c9d01"}</example>
public sealed record RunStatus(
    [property: AllowedValues("queued", "compiling", "running")] string Status,
    Guid JobId,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? Position = null);

/// <summary>Something was printed.</summary>
/// <param name="Stream">Where; a terminal has <c>stdout</c> alone, and <c>compile</c> is the compiler.</param>
/// <param name="Data">Characters are never cut in two; bytes that are no UTF-8 come as U+FFFD.</param>
/// <example>{"stream":"stdout","data":"42\n"}</example>
public sealed record RunOutput([property: AllowedValues("stdout", "stderr", "compile")] string Stream, string Data);

/// <summary>The program has ended, or did not compile.</summary>
/// <param name="JobId">The job that ran it.</param>
/// <param name="ExitCode">As a shell shows it: 128 and the signal's number for a program that a signal ended.</param>
/// <param name="ExecutionTime">Seconds from its start.</param>
/// <param name="Signal">The signal that ended it.</param>
/// <param name="Verdict">How it ended.</param>
/// <param name="MemoryKb">The most memory that was seen; null when it ended before the first look.</param>
/// <param name="Reason">One sentence about the limit that ended it.</param>
/// <example>{"job_id":"019b3c4e-7a10-7c1e-9d3f-2f6a5b8c9d01","exit_code":0,"execution_time":0.031,"verdict":"ok","memory_kb":9120}</example>
public sealed record RunCompleted(
    Guid JobId,
    int ExitCode,
    double ExecutionTime,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Signal,
    [property: AllowedValues("ok", "nonzero", "signalled", "time_limit", "memory_limit", "output_limit", "compile_error", "cancelled")] string Verdict,
    long? MemoryKb,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Reason = null);

/// <summary>A batch of runs has ended, or its program did not compile.</summary>
/// <param name="JobId">The job that ran it.</param>
/// <param name="Verdict"><c>ok</c> where the program was run, whatever came of the runs; <c>time_limit</c> where there was no time left for all of them.</param>
/// <param name="Total">How many runs there were.</param>
/// <example>{"job_id":"019b3c4e-7a10-7c1e-9d3f-2f6a5b8c9d01","verdict":"ok","total":2}</example>
public sealed record BatchRunsCompleted(Guid JobId, [property: AllowedValues("ok", "compile_error", "time_limit")] string Verdict, int Total);

/// <summary>The events and messages of a run, for the API description.</summary>
internal static class ExecutionMessages
{
    public const string Status = "status";
    public const string Output = "output";
    public const string Result = "result";

    /// <summary>Those that its handler emits.</summary>
    public static readonly MessageType[] Emitted =
    [
        new(Status, typeof(RunStatus), IsLogged: true),
        new(Output, typeof(RunOutput), IsLogged: true),
        new(JobEvents.Complete, typeof(RunCompleted), IsLogged: true),
    ];

    /// <summary>Those of a batch.</summary>
    public static readonly MessageType[] EmittedByBatch =
    [
        new(Status, typeof(RunStatus), IsLogged: true),
        new(Output, typeof(RunOutput), IsLogged: true),
        new(Result, typeof(BatchRun), IsLogged: true),
        new(JobEvents.Complete, typeof(BatchRunsCompleted), IsLogged: true),
    ];

    public static readonly MessageUnion Client = new(
        "ExecuteSocketRequest",
        "What a client of a run may say: `execute` first and once.",
        [
            new("execute", typeof(ExecuteCommand)), new("input", typeof(ProgramInput)), new("eof"), new("resize", typeof(TerminalShape)),
            new("signal", typeof(ProgramSignal)), new("kill"), .. CommonMessages.Client,
        ]);

    public static readonly MessageUnion Server = new(
        "ExecuteSocketMessage",
        "What a client of a run hears: the run's events, of which `complete` is the last, and answers.",
        [.. Emitted, new(Status, typeof(RunStatus)), new(JobEvents.Complete, typeof(RunCompleted)), .. CommonMessages.Server]);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(ExecuteCode))]
[JsonSerializable(typeof(ExecuteCommand))]
[JsonSerializable(typeof(ExecutedCode))]
[JsonSerializable(typeof(ExecuteBatch))]
[JsonSerializable(typeof(ExecutedBatch))]
[JsonSerializable(typeof(BatchRun))]
[JsonSerializable(typeof(BatchRunsCompleted))]
[JsonSerializable(typeof(CreatedJobToken))]
[JsonSerializable(typeof(LanguageList))]
[JsonSerializable(typeof(ProgramInput))]
[JsonSerializable(typeof(ProgramSignal))]
[JsonSerializable(typeof(TerminalShape))]
[JsonSerializable(typeof(RunStatus))]
[JsonSerializable(typeof(RunOutput))]
[JsonSerializable(typeof(RunCompleted))]
internal sealed partial class ExecutionJson : JsonSerializerContext;
