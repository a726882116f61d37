using Lintel.Platform.OpenApi;
using Lintel.Platform.Security;

namespace Lintel.Features.Jobs;

/// <summary>A kind of work that this server can do. A feature of this repository registers its own with <c>AddJobKind</c>.</summary>
/// <param name="Name">The name that clients give in <c>kind</c>: lower-case words joined by hyphens.</param>
/// <param name="Scope">What a caller must be allowed to do to submit one.</param>
public sealed record JobKind(string Name, Scopes Scope)
{
    /// <summary>
    /// How often a job is begun at most: an exception of its handler uses up one, and so does a crash of its server unless the attempt had emitted events that are in the log.
    /// With 1 a job is never begun again.
    /// </summary>
    public int MaxAttempts { get; init; } = 3;

    /// <summary>How long to wait before the second attempt after an exception; each further wait is twice as long.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>What the wait grows to at most.</summary>
    public TimeSpan MaxRetryDelay { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Only the server itself submits jobs of this kind, about one at a time for each owner, so that the limits of waiting jobs do not count for them.</summary>
    public bool IsInternal { get; init; }

    /// <summary>
    /// Its jobs mostly wait for somebody far away: they run beside the server's and the owner's other jobs, within <see cref="MaxConcurrent"/> and
    /// <see cref="MaxConcurrentPerOwner"/> alone, and take no place from them.
    /// </summary>
    public bool RunsApart { get; init; }

    /// <summary>How many jobs of this kind run at once on a server, within the server's own limit unless it <see cref="RunsApart"/>.</summary>
    public int MaxConcurrent { get; init; } = int.MaxValue;

    /// <summary>How many jobs of this kind one owner has running at once on all servers, within the engine's own limit.</summary>
    public int MaxConcurrentPerOwner { get; init; } = int.MaxValue;

    /// <summary>The events that its handler emits, for the API description.</summary>
    public IReadOnlyList<MessageType> Events { get; init; } = [];

    /// <summary>Makes the handler of one job.</summary>
    internal Func<IServiceProvider, IJobHandler> CreateHandler { get; init; } = null!;
}

/// <summary>The work of one kind of job. The engine does everything else: queueing, limits, progress, cancellation, retries, recovery and fan-out.</summary>
public interface IJobHandler
{
    /// <summary>Makes of an input as it was sent what the job needs, for the caller who sent it: what it only names is put in its place, while it is there.</summary>
    /// <param name="input">JSON text.</param>
    ValueTask<PreparedInput> PrepareAsync(ReadOnlyMemory<byte> input, Caller caller, CancellationToken cancellationToken) => new(new PreparedInput(input));

    /// <summary>Looks at an input before the job is accepted.</summary>
    /// <param name="input">JSON text.</param>
    JobInputCheck Check(ReadOnlySpan<byte> input) => default;

    /// <summary>Does the work.</summary>
    /// <remarks>
    /// A job whose server died is run again from here, with <see cref="JobContext.EventsSoFar"/> telling how many events are in its log already:
    /// the handler goes on from there, or repeats what it must, at least once.
    /// </remarks>
    /// <exception cref="OperationCanceledException">The token was cancelled: the job is cancelled, or the server stops and another attempt will go on.</exception>
    Task<JobOutcome> RunAsync(JobContext job, CancellationToken cancellationToken);
}

/// <summary>An input to keep with the job.</summary>
/// <param name="Input">JSON text.</param>
/// <param name="Fields">Each bad field with what is wrong with it; null where nothing is.</param>
/// <param name="Forbidden">Why the caller may not have this; null where it may.</param>
public readonly record struct PreparedInput(ReadOnlyMemory<byte> Input, IReadOnlyDictionary<string, string[]>? Fields = null, string? Forbidden = null)
{
    public static PreparedInput Forbid(string message) => new(default, null, message);

    public static PreparedInput Refuse(string field, string message) =>
        new(default, new Dictionary<string, string[]>(StringComparer.Ordinal) { [field] = [message] });
}

/// <summary>What a handler says of an input.</summary>
/// <param name="Total">How many items there are to do, for progress; 0 when that is not known.</param>
/// <param name="Error">Why the input is refused; null when it is fine.</param>
public readonly record struct JobInputCheck(long Total, string? Error = null)
{
    /// <summary>Each bad field of the input with what is wrong with it, where a refusal can tell.</summary>
    public IReadOnlyDictionary<string, string[]>? Fields { get; init; }

    /// <summary>Once somebody has watched the job, it is cancelled when nobody does any more.</summary>
    public bool CancelOnDisconnect { get; init; }
}

/// <summary>How a job's work ended.</summary>
/// <param name="Failure">Why it failed; null when it is complete.</param>
/// <param name="Data">The facts of the job's last event, one JSON object in UTF-8; null for the usual ones.</param>
public sealed record JobOutcome(string? Failure, ReadOnlyMemory<byte>? Data)
{
    public static JobOutcome Complete(ReadOnlyMemory<byte>? data = null) => new(null, data);

    /// <summary>The work cannot succeed, however often it is tried.</summary>
    public static JobOutcome Fail(string message) => new(message, null);

    /// <summary>What the work needs is out of service: another attempt later, as after an exception, and it has failed when there were enough.</summary>
    /// <param name="message">For the job's owner to see.</param>
    public static JobOutcome TryAgain(string message) => new(message, null) { IsTemporary = true };

    /// <summary>Whether another attempt may succeed.</summary>
    public bool IsTemporary { get; private init; }
}
