using System.Text.Json;
using System.Text.Json.Serialization;

namespace Lintel.Cli.Api;

// What this program sends and reads of administration.

internal sealed record UserView(long Id, string Email, string? Name, string Role, string State, bool EmailVerified, DateTimeOffset CreatedAt);

internal sealed record RemovedFactors(bool Totp, long Passkeys, int Sessions);

internal sealed record AdminReason(string? Reason);

internal sealed record ImportUser(string Email, string? Name, string? PasswordHash, string? CreatedAt, bool IsActive, bool EmailVerified, string? Role);

internal sealed record ImportUsers(IReadOnlyList<ImportUser> Users, bool DryRun);

internal sealed record ImportedUsers(int Created, int Existing, int Refused, bool PasswordsUsable, IReadOnlyList<ImportProblem> Problems);

internal sealed record ImportProblem(int Index, string Status, string Message);

/// <summary>A line that was not taken.</summary>
internal sealed record LineProblem(int Line, string Status, string Message);

/// <summary>What came of all of a table.</summary>
internal sealed record ImportSummary(int Created, int Existing, int Refused, bool DryRun);

internal sealed record CreateAdmin(string Email, string? Password, string? Name, bool Force);

internal sealed record CreatedAdmin(long Id, string Email, bool Created, bool PasswordReset);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(UserView))]
[JsonSerializable(typeof(AdminReason))]
[JsonSerializable(typeof(ImportUsers))]
[JsonSerializable(typeof(ImportedUsers))]
[JsonSerializable(typeof(LineProblem))]
[JsonSerializable(typeof(ImportSummary))]
[JsonSerializable(typeof(CreateAdmin))]
[JsonSerializable(typeof(CreatedAdmin))]
[JsonSerializable(typeof(RemovedFactors))]
[JsonSerializable(typeof(JsonElement))]
internal sealed partial class AdminJson : JsonSerializerContext;
