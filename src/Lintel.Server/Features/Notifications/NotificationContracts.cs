using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;
using Lintel.Platform.Http;

namespace Lintel.Features.Notifications;

/// <summary>Something that a person was told.</summary>
/// <param name="Id">Its place in the inbox: what <c>Last-Event-ID</c>, <c>after</c> and marking as read take.</param>
/// <param name="Type">What happened, such as <c>task_created</c>.</param>
/// <param name="Data">The facts, as the event of that type has them.</param>
/// <param name="CreatedAt">When it was told.</param>
/// <param name="IsRead">Whether it was marked as read.</param>
/// <example>{"id":"inbox-7.1795331425000000.12","type":"task_created","data":{"task_id":"019b3c4e-7a10-7c1e-9d3f-2f6a5b8c9d01","title":"Check the lintel","status":"pending","due_at":null},"created_at":"2026-01-31T12:00:00.123456Z","is_read":false}</example>
public sealed record NotificationView(
    [property: Required] string Id, [property: Required] string Type, JsonElement Data, DateTimeOffset CreatedAt, bool IsRead);

/// <summary>A page of a person's notifications.</summary>
/// <param name="Notifications">Newest first.</param>
/// <param name="Next">Goes into <c>after</c> for the next page, which is older; null on the last one.</param>
/// <param name="Unread">How many are not read yet, on all pages.</param>
/// <param name="Position">The end of the inbox: an event stream or socket opened with it as <c>after</c> goes on behind this answer without a gap.</param>
public sealed record NotificationList([property: Required] IReadOnlyList<NotificationView> Notifications, string? Next, long Unread, [property: Required] string Position);

/// <summary>How many notifications are not read yet.</summary>
/// <param name="Unread">The number.</param>
/// <example>{"unread":3}</example>
public sealed record UnreadCount(long Unread);

/// <summary>What was read.</summary>
/// <param name="Id">This notification and all before it; missing or null for all there are.</param>
/// <example>{"id":"inbox-7.1795331425000000.12"}</example>
public sealed record MarkRead(string? Id = null);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(NotificationList))]
[JsonSerializable(typeof(NotificationView))]
[JsonSerializable(typeof(UnreadCount))]
[JsonSerializable(typeof(MarkRead))]
internal sealed partial class NotificationsJson : JsonSerializerContext;
