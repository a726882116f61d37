using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Lintel.Features.Accounts.Email;

/// <summary>Asks for something to be mailed.</summary>
/// <param name="Email">Where to. For a change of address it is the new one.</param>
/// <example>{"email":"mason@example.com"}</example>
public sealed record EmailAddressRequest([property: Required, EmailAddress, StringLength(254, MinimumLength = 5)] string Email);

/// <summary>Shows a link that was mailed.</summary>
/// <param name="Token">What stands after <c>token=</c> in the link.</param>
/// <example>{"token":"q1Yb…"}</example>
public sealed record LinkRequest([property: Required] string Token);

/// <summary>A sign-in by a code that was mailed.</summary>
/// <param name="Email">The address that it was mailed to.</param>
/// <param name="Code">Eight digits; spaces between them do not matter.</param>
/// <param name="RememberDevice">True brings a <c>device_token</c>, for an account without a second factor: on this device what strangers try elsewhere does not slow its owner down.</param>
/// <example>{"email":"mason@example.com","code":"1234 5678"}</example>
public sealed record CodeLoginRequest([property: Required] string Email, [property: Required] string Code, bool RememberDevice = false);

/// <summary>What happened, or will.</summary>
/// <param name="Message">For people.</param>
/// <example>{"message":"The address is confirmed."}</example>
public sealed record AccountMessage([property: Required] string Message);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(EmailAddressRequest))]
[JsonSerializable(typeof(LinkRequest))]
[JsonSerializable(typeof(CodeLoginRequest))]
[JsonSerializable(typeof(AccountMessage))]
internal sealed partial class EmailJson : JsonSerializerContext;
