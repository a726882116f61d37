using System.Data.Common;
using Lintel.Platform.Storage;

namespace Lintel.Features.Webhooks;

/// <summary>An address that a person wants to be told at.</summary>
/// <param name="DisabledReason">Why the server disabled it; null where its owner did.</param>
/// <param name="Missed">Events that found the queue full.</param>
/// <param name="FailingSince">When the first of the failures was that no success has followed yet.</param>
/// <param name="JobId">The job that sends what is pending.</param>
internal sealed record Webhook(
    Guid Id,
    long OwnerId,
    string Url,
    IReadOnlyList<string> Events,
    string? Description,
    bool Enabled,
    string? DisabledReason,
    byte[] Salt,
    long Missed,
    DateTimeOffset? FailingSince,
    Guid? JobId,
    DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt)
{
    public const string Columns = "id, owner_id, url, events, description, enabled, disabled_reason, salt, missed, failing_since, job_id, created_at, updated_at";

    /// <summary>As the database keeps them: a search for one with a comma on each side finds it and no other.</summary>
    public string EventsText => $",{string.Join(',', Events)},";

    public static Webhook Map(DbDataReader row) => new(
        row.GetGuid(0),
        row.GetInt64(1),
        row.GetString(2),
        row.GetString(3).Split(',', StringSplitOptions.RemoveEmptyEntries),
        row.GetNullableString(4),
        row.GetBoolean(5),
        row.GetNullableString(6),
        row.GetBytes(7),
        row.GetInt64(8),
        row.GetNullableInstant(9),
        row.GetNullableGuid(10),
        row.GetInstant(11),
        row.GetInstant(12));
}

/// <summary>The states of a delivery.</summary>
internal static class DeliveryStates
{
    public const string Pending = "pending";
    public const string Delivered = "delivered";
    public const string Failed = "failed";
}

/// <summary>One message to one webhook, as its owner sees it.</summary>
/// <param name="Seq">Its place in the webhook's order.</param>
internal sealed record Delivery(
    Guid Id,
    long Seq,
    string Type,
    string State,
    int Attempts,
    int? StatusCode,
    string? Error,
    long? DurationMs,
    DateTimeOffset CreatedAt,
    DateTimeOffset? AttemptedAt,
    DateTimeOffset? NextAttemptAt);
