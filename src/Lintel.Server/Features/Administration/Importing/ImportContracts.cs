using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Lintel.Features.Accounts;

namespace Lintel.Features.Administration.Importing;

/// <summary>Accounts that come from another system.</summary>
/// <param name="Users">Up to 200 at a time.</param>
/// <param name="DryRun">Only tells what would come of it.</param>
public sealed record ImportUsers([property: Required, MinLength(1), MaxLength(ImportUsers.Most)] IReadOnlyList<ImportUser> Users, bool DryRun = false)
{
    internal const int Most = 200;
}

/// <summary>An account that comes from another system.</summary>
/// <param name="Email">Its address: upper and lower case are the same.</param>
/// <param name="Name">What the person wants to be called.</param>
/// <param name="PasswordHash">A bcrypt hash (<c>$2a$</c>, <c>$2b$</c> or <c>$2y$</c>) of cost 4 to 14; without one the person must set a password first.</param>
/// <param name="CreatedAt">When it was made, as ISO 8601; now, where this is missing.</param>
/// <param name="IsActive">Whether the person may sign in.</param>
/// <param name="EmailVerified">Whether the address is known to be the person's.</param>
/// <param name="Role">What the account is to the server.</param>
/// <example>{"email":"mason@example.com","name":"Mason","password_hash":"$2b$12$abcdefghijklmnopqrstuuqREtd3VJD2QVZbuFskFSLk6eRIrQoOS","created_at":"2024-05-01T08:00:00Z","is_active":true,"email_verified":true,"role":"user"}</example>
public sealed record ImportUser(
    [property: Required] string Email,
    string? Name = null,
    string? PasswordHash = null,
    string? CreatedAt = null,
    bool IsActive = true,
    bool EmailVerified = false,
    [property: AllowedValues(AccountRoles.User, AccountRoles.Admin, null)] string? Role = null);

/// <summary>What came of an import.</summary>
/// <param name="Created">Accounts that were made, or would be.</param>
/// <param name="Existing">Addresses that have an account already, which is left as it is.</param>
/// <param name="Refused">Accounts that could not be taken.</param>
/// <param name="PasswordsUsable">Whether this server can check bcrypt hashes; where it cannot, those people must set a new password.</param>
/// <param name="Problems">Which ones were not made, and why.</param>
/// <example>{"created":198,"existing":1,"refused":1,"passwords_usable":true,"problems":[{"index":3,"status":"refused","message":"The e-mail address is none."}]}</example>
public sealed record ImportedUsers(int Created, int Existing, int Refused, bool PasswordsUsable, [property: Required] IReadOnlyList<ImportProblem> Problems);

/// <summary>An account that was not made.</summary>
/// <param name="Index">Its place in the request, from 0.</param>
/// <param name="Status"><c>exists</c> or <c>refused</c>.</param>
/// <param name="Message">Why.</param>
public sealed record ImportProblem(int Index, [property: Required, AllowedValues("exists", "refused")] string Status, [property: Required] string Message);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ImportUsers))]
[JsonSerializable(typeof(ImportedUsers))]
internal sealed partial class ImportJson : JsonSerializerContext;
