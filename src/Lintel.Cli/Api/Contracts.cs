using System.Text.Json;
using System.Text.Json.Serialization;

namespace Lintel.Cli.Api;

// What this program sends and reads of the public API; docs/api/openapi.json has the whole of it.

internal sealed record LoginRequest(string Email, string Password, string? DeviceToken, bool RememberDevice);

internal sealed record ChallengeAnswer(string Challenge, string? Code, string? RecoveryCode, bool RememberDevice);

internal sealed record RegisterRequest(string Email, string Password, string? Name);

internal sealed record RefreshRequest(string RefreshToken);

internal sealed record TokenPair(string AccessToken, string RefreshToken, long ExpiresIn, string? DeviceToken = null);

internal sealed record AccountView(long Id, string Email, string? Name);

internal sealed record ErrorEnvelope(ErrorBody? Error, string? RequestId);

internal sealed record ErrorBody(string Code, string Message, ErrorDetails? Details);

internal sealed record ErrorDetails(Dictionary<string, string[]>? Fields, string? Challenge, IReadOnlyList<string>? Methods);

internal sealed record LanguageView(string Id, string Name, IReadOnlyList<string> Aliases, string? Version, bool Installed, string? Reason, bool Compiled);

internal sealed record CreateJob(string Kind, JsonElement Input);

internal sealed record JobList(IReadOnlyList<JobView> Jobs, string? Next);

internal sealed record JobView(
    Guid JobId,
    string Kind,
    string Status,
    JobProgress Progress,
    DateTimeOffset CreatedAt,
    DateTimeOffset? StartedAt,
    DateTimeOffset? CompletedAt,
    string? Error,
    int Attempt,
    bool CancelRequested,
    long? QueuePosition);

internal sealed record JobProgress(long Completed, long Total, long Failed, double Percent);

internal sealed record CreateApiKey(string Name, IReadOnlyList<string> Scopes, DateTimeOffset? ExpiresAt, int? RateLimit);

internal sealed record CreatedApiKey(Guid Id, string Key, string Name, IReadOnlyList<string> Scopes, DateTimeOffset? ExpiresAt);

internal sealed record ApiKeyView(
    Guid Id, string Name, string Prefix, IReadOnlyList<string> Scopes, int? RateLimit, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt, DateTimeOffset? LastUsedAt);

internal sealed record SessionView(
    Guid Id, string Device, string? Address, DateTimeOffset CreatedAt, DateTimeOffset LastUsedAt, DateTimeOffset ExpiresAt, IReadOnlyList<string> Methods, bool Current);

internal sealed record EndedSessions(int Ended);

internal sealed record ActivityView(string Id, string Kind, DateTimeOffset At, long AccountId, long? ActorId, string? Address, string? UserAgent, JsonElement? Details);

internal sealed record ExecuteCode
{
    /// <summary>Only where it is a socket's message.</summary>
    public string? Type { get; init; }

    public required string Code { get; init; }

    public required string Language { get; init; }

    public string? Stdin { get; init; }

    public IReadOnlyList<string>? Args { get; init; }

    public IReadOnlyList<CodeFile>? Files { get; init; }

    public RunLimits? Limits { get; init; }

    public bool? Detach { get; init; }

    /// <summary>Null is said and not left out: it asks for pipes.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public TerminalShape? Terminal { get; init; }
}

internal sealed record CodeFile(string Name, string Content, string? Encoding);

internal sealed record RunLimits(double? WallSeconds, double? CpuSeconds, double? MemoryMb, double? Processes, double? OutputKb);

internal sealed record TerminalShape(int Cols, int Rows);

/// <summary>A message to a socket: its type, and what that type needs.</summary>
internal sealed record SocketCommand(string Type)
{
    public string? Data { get; init; }

    public string? Signal { get; init; }

    public string? Token { get; init; }

    public int? Cols { get; init; }

    public int? Rows { get; init; }
}

/// <summary>The last event of a run.</summary>
internal sealed record RunCompleted(int ExitCode, string Verdict, string? Signal, string? Reason, double ExecutionTime, long? MemoryKb);

internal sealed record CheckedBeam(bool IsOk, string GoverningCaseId, double GoverningUtilization, IReadOnlyList<CheckedCase> Cases);

internal sealed record CheckedCase(
    string CaseId, double MuKnm, double VuKn, bool IsOk, double GoverningUtilization, double AstRequired, double AscRequired, double StirrupSpacing, IReadOnlyList<string> FailedChecks);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(LoginRequest))]
[JsonSerializable(typeof(ChallengeAnswer))]
[JsonSerializable(typeof(RegisterRequest))]
[JsonSerializable(typeof(RefreshRequest))]
[JsonSerializable(typeof(TokenPair))]
[JsonSerializable(typeof(AccountView))]
[JsonSerializable(typeof(ErrorEnvelope))]
[JsonSerializable(typeof(LanguageView))]
[JsonSerializable(typeof(CreateJob))]
[JsonSerializable(typeof(JobList))]
[JsonSerializable(typeof(JobView))]
[JsonSerializable(typeof(CreateApiKey))]
[JsonSerializable(typeof(CreatedApiKey))]
[JsonSerializable(typeof(ApiKeyView))]
[JsonSerializable(typeof(SessionView))]
[JsonSerializable(typeof(EndedSessions))]
[JsonSerializable(typeof(ActivityView))]
[JsonSerializable(typeof(ExecuteCode))]
[JsonSerializable(typeof(SocketCommand))]
[JsonSerializable(typeof(RunCompleted))]
[JsonSerializable(typeof(CheckedBeam))]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(string))]
internal sealed partial class ApiJson : JsonSerializerContext
{
    /// <summary>As <see cref="Default"/>, with text as it is where JSON allows that: a program is not to grow to six times its size.</summary>
    public static ApiJson Compact { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
