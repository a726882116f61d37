using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Lintel.Platform.Http;

namespace Lintel.Features.Accounts;

/// <summary>A new account.</summary>
/// <param name="Email">Upper and lower case are the same.</param>
/// <param name="Password">8 to 128 characters.</param>
/// <param name="Name">What the person wants to be called.</param>
/// <example>{"email":"mason@example.com","password":"correct horse battery","name":"Mason"}</example>
public sealed record RegisterRequest(
    [property: Required, EmailAddress, StringLength(254, MinimumLength = 5)] string Email,
    [property: Required, StringLength(128, MinimumLength = 8)] string Password,
    [property: StringLength(100)] string? Name = null);

/// <summary>A sign-in.</summary>
/// <param name="Email">Upper and lower case are the same.</param>
/// <param name="Password">The password.</param>
/// <param name="DeviceToken">Of a device that is remembered, so that no second factor is asked for; it may come as the header <c>X-Device-Token</c> instead.</param>
/// <param name="RememberDevice">True brings a <c>device_token</c>, for an account without a second factor: on this device what strangers try elsewhere does not slow its owner down.</param>
/// <example>{"email":"mason@example.com","password":"correct horse battery"}</example>
public sealed record LoginRequest([property: Required] string Email, [property: Required] string Password, string? DeviceToken = null, bool RememberDevice = false);

/// <summary>A sign-in as OAuth2's password form has it.</summary>
/// <param name="Username">The e-mail address.</param>
/// <param name="Password">The password.</param>
/// <param name="GrantType"><c>password</c>, where it is given.</param>
/// <example>{"username":"mason@example.com","password":"correct horse battery","grant_type":"password"}</example>
public sealed record LoginForm([property: Required] string Username, [property: Required] string Password, [property: AllowedValues("password")] string? GrantType = null);

/// <summary>A refresh, or the end of a session.</summary>
/// <param name="RefreshToken">The one of the newest pair.</param>
public sealed record RefreshRequest([property: Required] string RefreshToken);

/// <summary>What a person is signed in with.</summary>
/// <param name="AccessToken">Goes into <c>Authorization: Bearer</c>.</param>
/// <param name="RefreshToken">Good for one new pair.</param>
/// <param name="TokenType">Always <c>bearer</c>.</param>
/// <param name="ExpiresIn">How long the access token is good for, in seconds.</param>
/// <param name="DeviceToken">Only where the device was to be remembered: to be sent with the next sign-in on it.</param>
/// <example>{"access_token":"eyJhbGciOiJIUzI1NiJ9…","refresh_token":"eyJhbGciOiJIUzI1NiJ9…","token_type":"bearer","expires_in":900}</example>
public sealed record TokenPair(
    [property: Required] string AccessToken, [property: Required] string RefreshToken, [property: Required, AllowedValues("bearer")] string TokenType, long ExpiresIn,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? DeviceToken = null);

/// <summary>An account, as its owner sees it.</summary>
/// <param name="Id">The account's number.</param>
/// <param name="Email">As it was given when the account was made.</param>
/// <param name="Name">What the person wants to be called, where that is known.</param>
/// <param name="IsActive">False while the account is locked.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <example>{"id":42,"email":"mason@example.com","name":"Mason","is_active":true,"created_at":"2026-01-31T12:00:00.123456Z"}</example>
public sealed record AccountView(long Id, [property: Required] string Email, string? Name, bool IsActive, DateTimeOffset CreatedAt)
{
    internal static AccountView From(Account account) => new(account.Id, account.Email, account.Name, account.IsActive, account.CreatedAt);
}

/// <summary>The session is over.</summary>
/// <param name="Message">For people.</param>
/// <example>{"message":"Logged out successfully"}</example>
public sealed record LogoutAnswer([property: Required] string Message);

/// <summary>Asks for a ticket.</summary>
/// <param name="Path">The path of the socket or event stream that it is for, such as <c>/ws/design/42</c>.</param>
/// <example>{"path":"/ws/design/42"}</example>
public sealed record WsTicketRequest([property: Required] string Path);

/// <summary>A ticket for one socket or event stream.</summary>
/// <param name="Ticket">Goes into <c>?ticket=</c>, once.</param>
/// <param name="ExpiresIn">How long it is good for, in seconds.</param>
/// <example>{"ticket":"9Yp3…","expires_in":30}</example>
public sealed record WsTicket([property: Required] string Ticket, long ExpiresIn);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(RegisterRequest))]
[JsonSerializable(typeof(LoginRequest))]
[JsonSerializable(typeof(LoginForm))]
[JsonSerializable(typeof(RefreshRequest))]
[JsonSerializable(typeof(TokenPair))]
[JsonSerializable(typeof(AccountView))]
[JsonSerializable(typeof(LogoutAnswer))]
[JsonSerializable(typeof(WsTicketRequest))]
[JsonSerializable(typeof(WsTicket))]
internal sealed partial class AccountsJson : JsonSerializerContext;
