using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Lintel.Features.Accounts.Passwords;

/// <summary>A new password, for somebody who is signed in.</summary>
/// <param name="NewPassword">8 to 128 characters, and not one that is used most.</param>
/// <param name="CurrentPassword">The one it takes the place of. May be left out for ten minutes after a sign-in or another proof of who one is.</param>
/// <example>{"current_password":"correct horse battery","new_password":"a stapled second horse"}</example>
public sealed record ChangePasswordRequest([property: Required, StringLength(128, MinimumLength = 8)] string NewPassword, string? CurrentPassword = null);

/// <summary>A new password, for somebody who was mailed a link.</summary>
/// <param name="Token">Of the link.</param>
/// <param name="Password">8 to 128 characters, and not one that is used most.</param>
/// <example>{"token":"q1Yb…","password":"a stapled second horse"}</example>
public sealed record ResetPasswordRequest([property: Required] string Token, [property: Required, StringLength(128, MinimumLength = 8)] string Password);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ChangePasswordRequest))]
[JsonSerializable(typeof(ResetPasswordRequest))]
internal sealed partial class PasswordsJson : JsonSerializerContext;
