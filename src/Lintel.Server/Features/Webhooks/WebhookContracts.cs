using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Lintel.Platform.Http;

namespace Lintel.Features.Webhooks;

/// <summary>A webhook to be made.</summary>
/// <param name="Url">Where to send: an <c>https</c> address that everybody can reach, up to 2,000 characters.</param>
/// <param name="Events">What to tell of: <c>job.completed</c>, <c>job.failed</c>, <c>job.cancelled</c>, <c>task.created</c>, <c>task.updated</c>, <c>task.completed</c>, <c>task.deleted</c>, <c>task.due</c>, or <c>*</c> for all.</param>
/// <param name="Description">What it is for, up to 200 characters.</param>
/// <param name="Enabled">Whether it is told; true, where this is missing.</param>
/// <example>{"url":"https://example.com/hooks/lintel","events":["job.completed","job.failed"],"description":"tells the build server"}</example>
public sealed record CreateWebhook(
    [property: Required, StringLength(WebhookFields.MaxUrl, MinimumLength = 1)] string Url,
    [property: Required, MinLength(1)] IReadOnlyList<string> Events,
    [property: StringLength(WebhookFields.MaxDescription)] string? Description = null,
    bool? Enabled = null);

/// <summary>What is to be changed of a webhook. Fields that are missing stay as they are.</summary>
/// <param name="Url">Where to send.</param>
/// <param name="Events">What to tell of.</param>
/// <param name="Description">What it is for; null for nothing.</param>
/// <param name="Enabled">Whether it is told. What was pending when it is disabled is failed, and can be sent again by <c>redeliver</c>.</param>
/// <example>{"events":["*"],"enabled":true}</example>
public sealed record UpdateWebhook(
    [property: StringLength(WebhookFields.MaxUrl, MinimumLength = 1)] string? Url = null,
    [property: MinLength(1)] IReadOnlyList<string>? Events = null,
    [property: StringLength(WebhookFields.MaxDescription)] string? Description = null,
    bool? Enabled = null);

/// <summary>A webhook.</summary>
/// <param name="Id">Names the webhook in routes.</param>
/// <param name="Url">Where it is sent.</param>
/// <param name="Events">What it is told of.</param>
/// <param name="Description">What it is for.</param>
/// <param name="Enabled">Whether it is told.</param>
/// <param name="DisabledReason">Why the server disabled it; null where its owner did.</param>
/// <param name="FailingSince">When the first of the failures was that no success has followed yet.</param>
/// <param name="Missed">Events that were not sent because too many were waiting.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="UpdatedAt">When it was last changed.</param>
/// <example>{"id":"019b3c4e-7a10-7c1e-9d3f-2f6a5b8c9d01","url":"https://example.com/hooks/lintel","events":["job.completed","job.failed"],"description":"tells the build server","enabled":true,"disabled_reason":null,"failing_since":null,"missed":0,"created_at":"2026-01-31T12:00:00.123456Z","updated_at":"2026-01-31T12:00:00.123456Z"}</example>
public sealed record WebhookView(
    Guid Id,
    [property: Required] string Url,
    [property: Required] IReadOnlyList<string> Events,
    string? Description,
    bool Enabled,
    string? DisabledReason,
    DateTimeOffset? FailingSince,
    long Missed,
    DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt)
{
    internal static WebhookView From(Webhook webhook) => new(
        webhook.Id,
        webhook.Url,
        webhook.Events,
        webhook.Description,
        webhook.Enabled,
        webhook.DisabledReason,
        webhook.FailingSince,
        webhook.Missed,
        webhook.CreatedAt,
        webhook.UpdatedAt);
}

/// <summary>A new webhook, with the secret that signs what is sent to it. The secret is in this answer only.</summary>
/// <param name="Id">Names the webhook in routes.</param>
/// <param name="Url">Where it is sent.</param>
/// <param name="Events">What it is told of.</param>
/// <param name="Description">What it is for.</param>
/// <param name="Enabled">Whether it is told.</param>
/// <param name="DisabledReason">Why the server disabled it; null where its owner did.</param>
/// <param name="FailingSince">When the first of the failures was that no success has followed yet.</param>
/// <param name="Missed">Events that were not sent because too many were waiting.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="UpdatedAt">When it was last changed.</param>
/// <param name="Secret">Goes into a Standard Webhooks library, or the check that the guide shows. Keep it where secrets are kept.</param>
/// <example>{"id":"019b3c4e-7a10-7c1e-9d3f-2f6a5b8c9d01","url":"https://example.com/hooks/lintel","events":["*"],"description":null,"enabled":true,"disabled_reason":null,"failing_since":null,"missed":0,"created_at":"2026-01-31T12:00:00.123456Z","updated_at":"2026-01-31T12:00:00.123456Z","secret":"whsec_…"}</example>
public sealed record CreatedWebhook(
    Guid Id,
    [property: Required] string Url,
    [property: Required] IReadOnlyList<string> Events,
    string? Description,
    bool Enabled,
    string? DisabledReason,
    DateTimeOffset? FailingSince,
    long Missed,
    DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt,
    [property: Required] string Secret)
{
    internal static CreatedWebhook From(Webhook webhook, string secret) => new(
        webhook.Id,
        webhook.Url,
        webhook.Events,
        webhook.Description,
        webhook.Enabled,
        webhook.DisabledReason,
        webhook.FailingSince,
        webhook.Missed,
        webhook.CreatedAt,
        webhook.UpdatedAt,
        secret);
}

/// <summary>A person's webhooks.</summary>
/// <param name="Webhooks">Newest first.</param>
/// <param name="Next">Always null: there are few enough for one page.</param>
public sealed record WebhookList([property: Required] IReadOnlyList<WebhookView> Webhooks, string? Next);

/// <summary>A new secret. It is in this answer only.</summary>
/// <param name="Secret">Signs from now on.</param>
/// <param name="PreviousUntil">Until then the secret before it signs too, beside the new one.</param>
/// <example>{"secret":"whsec_…","previous_until":"2026-02-01T12:00:00.123456Z"}</example>
public sealed record RotatedSecret([property: Required] string Secret, DateTimeOffset PreviousUntil);

/// <summary>One message to a webhook, and what became of it.</summary>
/// <param name="Id">The message's <c>Webhook-Id</c>, the same on every attempt.</param>
/// <param name="Type">What happened, such as <c>task.created</c>; <c>ping</c> for a test.</param>
/// <param name="Status"><c>pending</c> also between two attempts.</param>
/// <param name="Attempts">How often it was sent, answered or not.</param>
/// <param name="StatusCode">What the last attempt was answered with; null where there was no answer.</param>
/// <param name="Error">What went wrong with the last attempt.</param>
/// <param name="DurationMs">How long the last attempt took, in milliseconds.</param>
/// <param name="CreatedAt">When it happened.</param>
/// <param name="AttemptedAt">When it was last sent.</param>
/// <param name="NextAttemptAt">When it is sent again; null where others are before it, or it is being sent now.</param>
/// <example>{"id":"019b3c4e-7a10-7c1e-9d3f-2f6a5b8c9d02","type":"job.completed","status":"pending","attempts":2,"status_code":503,"error":"It answered 503.","duration_ms":41,"created_at":"2026-01-31T12:00:00.123456Z","attempted_at":"2026-01-31T12:00:10.123456Z","next_attempt_at":"2026-01-31T12:00:30.123456Z"}</example>
public sealed record DeliveryView(
    Guid Id,
    [property: Required] string Type,
    [property: Required, AllowedValues(DeliveryStates.Pending, DeliveryStates.Delivered, DeliveryStates.Failed)] string Status,
    int Attempts,
    int? StatusCode,
    string? Error,
    long? DurationMs,
    DateTimeOffset CreatedAt,
    DateTimeOffset? AttemptedAt,
    DateTimeOffset? NextAttemptAt)
{
    internal static DeliveryView From(Delivery delivery) => new(
        delivery.Id,
        delivery.Type,
        delivery.State,
        delivery.Attempts,
        delivery.StatusCode,
        delivery.Error,
        delivery.DurationMs,
        delivery.CreatedAt,
        delivery.AttemptedAt,
        delivery.NextAttemptAt);
}

/// <summary>A page of a webhook's deliveries.</summary>
/// <param name="Deliveries">Newest first; one that was sent again counts from then.</param>
/// <param name="Next">Goes into <c>after</c> for the next page; null on the last one.</param>
public sealed record DeliveryList([property: Required] IReadOnlyList<DeliveryView> Deliveries, string? Next);

/// <summary>What a ping tells.</summary>
/// <param name="WebhookId">The webhook that it is a test of.</param>
public sealed record WebhookPing(Guid WebhookId);

/// <summary>A webhook was disabled, because its target is gone or took nothing for days.</summary>
/// <param name="WebhookId">The webhook.</param>
/// <param name="Description">What it was for.</param>
/// <param name="Reason">Why.</param>
/// <example>{"webhook_id":"019b3c4e-7a10-7c1e-9d3f-2f6a5b8c9d01","description":"tells the build server","reason":"It answered 410: it is gone."}</example>
public sealed record WebhookDisabled(Guid WebhookId, string? Description, [property: Required] string Reason);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(CreateWebhook))]
[JsonSerializable(typeof(UpdateWebhook))]
[JsonSerializable(typeof(CreatedWebhook))]
[JsonSerializable(typeof(WebhookList))]
[JsonSerializable(typeof(RotatedSecret))]
[JsonSerializable(typeof(DeliveryView))]
[JsonSerializable(typeof(DeliveryList))]
[JsonSerializable(typeof(WebhookPing))]
[JsonSerializable(typeof(WebhookDisabled))]
internal sealed partial class WebhooksJson : JsonSerializerContext;
