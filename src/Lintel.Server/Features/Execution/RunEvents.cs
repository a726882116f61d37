using System.Text.Json;
using Lintel.Features.Jobs;
using Lintel.Platform.Json;
using Lintel.Sandbox;

namespace Lintel.Features.Execution;

/// <summary>What a run puts into its stream.</summary>
internal static class RunEvents
{
    public const string Stdout = "stdout";
    public const string Stderr = "stderr";
    public const string Compile = "compile";
    public const string Cancelled = "cancelled";

    // A character may take six bytes as JSON, and an event has at most 256 KB.
    private const int MaxCharacters = 32 * 1024;

    private const int Killed = 9;

    private static readonly string[] SignalNames =
    [
        "", "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1", "SIGSEGV", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM",
        "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR",
        "SIGSYS",
    ];

    /// <summary>Emits a text as one event, or as many as it needs.</summary>
    public static async ValueTask EmitAsync(JobContext job, string stream, string text)
    {
        for (var start = 0; start < text.Length;)
        {
            var length = Math.Min(MaxCharacters, text.Length - start);
            if (start + length < text.Length && char.IsHighSurrogate(text[start + length - 1]))
            {
                length--;
            }

            Write(job, stream, text.AsSpan(start, length));
            await job.EmitAsync(ExecutionMessages.Output);
            start += length;
        }
    }

    /// <summary>The facts of a run's last event.</summary>
    public static byte[] Completion(Guid jobId, SandboxResult result) => JsonSerializer.SerializeToUtf8Bytes(
        new RunCompleted(
            jobId, result.ExitCode, Math.Round(result.Elapsed.TotalSeconds, 6), NameOf(result.Signal), NameOf(result.Verdict), result.PeakMemoryKb, result.Reason),
        ExecutionJson.Default.RunCompleted);

    /// <summary>The facts of the end of a run whose job was cancelled, in the words of a run that was killed.</summary>
    public static RunCompleted Cancellation(Guid jobId, TimeSpan elapsed) =>
        new(jobId, 128 + Killed, Math.Round(elapsed.TotalSeconds, 6), NameOf(Killed), Cancelled, null, "It was cancelled.");

    /// <summary>The signals that a client may send.</summary>
    public static SandboxSignal? SignalOf(string? name) =>
        Array.IndexOf(SignalNames, name) is > 0 and var number && Enum.IsDefined((SandboxSignal)number) ? (SandboxSignal)number : null;

    private static void Write(JobContext job, string stream, ReadOnlySpan<char> text)
    {
        var json = new JsonText(job.Event);
        json.Text("{\"stream\":"u8, stream);
        json.Text(",\"data\":"u8, new string(text));
        json.Raw("}"u8);
        json.Complete();
    }

    public static string? NameOf(int? signal) =>
        signal is not { } number ? null : number > 0 && number < SignalNames.Length ? SignalNames[number] : string.Create(null, $"SIG{number}");

    public static string NameOf(SandboxVerdict verdict) => JsonNamingPolicy.SnakeCaseLower.ConvertName(verdict.ToString());
}
