using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Lintel.Features.Accounts;
using Lintel.Platform.Http;

namespace Lintel.Features.Administration;

/// <summary>An account, as administrators see it.</summary>
/// <param name="Id">The account's number.</param>
/// <param name="Email">As it was given; of an account that is being deleted nothing of it is left.</param>
/// <param name="Name">What the person wants to be called, where that is known.</param>
/// <param name="Role">What the account is to the server.</param>
/// <param name="State">Whether its person can sign in.</param>
/// <param name="EmailVerified">Whether the address is known to be its owner's.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <example>{"id":42,"email":"mason@example.com","name":"Mason","role":"user","state":"active","email_verified":true,"created_at":"2026-01-31T12:00:00.123456Z"}</example>
public sealed record UserView(
    long Id,
    [property: Required] string Email,
    string? Name,
    [property: Required, AllowedValues(AccountRoles.User, AccountRoles.Admin)] string Role,
    [property: Required, AllowedValues(UserStates.Active, UserStates.Disabled, UserStates.Deleting)] string State,
    bool EmailVerified,
    DateTimeOffset CreatedAt)
{
    internal static UserView From(User user) => new(user.Id, user.Email, user.Name, user.Role, user.State, user.EmailVerifiedAt is not null, user.CreatedAt);
}

/// <summary>A page of the accounts.</summary>
/// <param name="Users">Newest first.</param>
/// <param name="Next">Goes into <c>after</c> for the next page, which is older; null on the last one.</param>
public sealed record UserList([property: Required] IReadOnlyList<UserView> Users, string? Next);

/// <summary>Why an administrator does something.</summary>
/// <param name="Reason">Goes into the audit, where the account's owner can read it.</param>
/// <example>{"reason":"Left the company."}</example>
public sealed record AdminReason([property: StringLength(AdminReason.MaxLength)] string? Reason = null)
{
    internal const int MaxLength = 500;
}

/// <summary>What an account is to be.</summary>
/// <param name="Role"><c>user</c> or <c>admin</c>.</param>
/// <param name="Reason">Goes into the audit, where the account's owner can read it.</param>
/// <param name="Force">You vouch for an address that was never confirmed: it counts as confirmed from then on. Without it such an account becomes no administrator.</param>
/// <example>{"role":"admin","reason":"Takes over from Mason."}</example>
public sealed record ChangeRole(
    [property: Required, AllowedValues(AccountRoles.User, AccountRoles.Admin)] string Role,
    [property: StringLength(AdminReason.MaxLength)] string? Reason = null,
    bool Force = false);

/// <summary>How much was ended.</summary>
/// <param name="Sessions">Sessions that were open.</param>
/// <param name="Keys">API keys that were good.</param>
/// <example>{"sessions":2,"keys":0}</example>
public sealed record SignedOutUser(int Sessions, int Keys);

/// <summary>What was taken away.</summary>
/// <param name="Totp">Whether there was an authenticator app.</param>
/// <param name="Passkeys">How many passkeys there were.</param>
/// <param name="Sessions">Sessions that were open.</param>
/// <example>{"totp":true,"passkeys":1,"sessions":2}</example>
public sealed record RemovedFactors(bool Totp, long Passkeys, int Sessions);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(UserView))]
[JsonSerializable(typeof(UserList))]
[JsonSerializable(typeof(AdminReason))]
[JsonSerializable(typeof(ChangeRole))]
[JsonSerializable(typeof(SignedOutUser))]
[JsonSerializable(typeof(RemovedFactors))]
internal sealed partial class AdministrationJson : JsonSerializerContext;
