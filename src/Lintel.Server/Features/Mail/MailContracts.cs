using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Lintel.Features.Mail;

/// <summary>A message was handed over to the mail server, or written to the pickup folder.</summary>
/// <param name="MailId">The message; its <c>Message-ID</c> begins with it.</param>
/// <param name="Template">What kind of message, such as <c>task_created</c>.</param>
/// <example>{"mail_id":"019b3c4e-7a10-7c1e-9d3f-2f6a5b8c9d01","template":"task_created"}</example>
public sealed record MailSent(Guid MailId, [property: Required] string Template);

/// <summary>The mail server does not take this message, now or later.</summary>
/// <param name="MailId">The message.</param>
/// <param name="Template">What kind of message.</param>
/// <param name="Message">Why.</param>
/// <example>{"mail_id":"019b3c4e-7a10-7c1e-9d3f-2f6a5b8c9d01","template":"task_created","message":"The mail server refused the recipient (550)."}</example>
public sealed record MailRefused(Guid MailId, [property: Required] string Template, [property: Required] string Message);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(MailSent))]
[JsonSerializable(typeof(MailRefused))]
[JsonSerializable(typeof(Dictionary<string, string>))]
internal sealed partial class MailJson : JsonSerializerContext;
