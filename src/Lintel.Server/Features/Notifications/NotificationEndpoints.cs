using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json;
using Lintel.Features.Streams;
using Lintel.Platform.Errors;
using Lintel.Platform.Http;
using Lintel.Platform.OpenApi;
using Lintel.Platform.RateLimits;
using Lintel.Platform.Security;
using Lintel.Platform.Sockets;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Lintel.Features.Notifications;

internal static class NotificationEndpoints
{
    private const string Tag = "Notifications";
    private const int MaxBodyBytes = 4 * 1024;
    private const int DefaultPage = 50;
    private const int MaxPage = 200;

    public static void MapNotifications(this IEndpointRouteBuilder routes)
    {
        MessageType[] events = [.. routes.ServiceProvider.GetServices<NotificationKind>().Select(static kind => kind.Message), new(StreamReset.EventName, typeof(StreamReset))];
        var notifications = routes.MapGroup("/api/notifications").WithTags(Tag);
        notifications.MapGet("", ListAsync).WithName("ListNotifications").WithSummary("List your notifications, newest first").RequireCaller(Scopes.Tasks).RateLimited();
        notifications.MapGet("unread", CountAsync).WithName("CountUnreadNotifications").WithSummary("Count your unread notifications").RequireCaller(Scopes.Tasks);
        notifications.MapPost("read", MarkReadAsync).WithName("MarkNotificationsRead").WithSummary("Mark notifications as read")
            .WithDescription("One and all before it, or all there are. What was read stays read.").RequireCaller(Scopes.Tasks).MaxBody(MaxBodyBytes).RateLimited();
        notifications.MapGet("events", static (HttpContext context, Caller caller, NotificationWatch watch) => watch.ServeEventsAsync(context, caller))
            .WithName("WatchNotifications").WithSummary("Watch your notifications, from now on or from Last-Event-ID")
            .WithDescription("The stream has no end. When it breaks, come back with the last `id`, which is told at once and before any event: nothing is missed or repeated.")
            .RequireEventStreamCaller(Scopes.Tasks).Streams(StreamKind.ServerSentEvents).DescribeCursor()
            .DescribeEvents(new("NotificationEvent", "Something that you are told.", events));
        var watch = routes.ServiceProvider.GetRequiredService<NotificationWatch>();
        routes.MapGet("/ws/notifications", watch.ServeSocketAsync).WithTags(Tag).WithName("WatchNotificationsSocket").WithSummary("Watch your notifications over a WebSocket")
            .WithDescription("The same events as over Server-Sent Events, each with its `id`: from now on, or from `after`.")
            .RequireSocketCaller(Scopes.Tasks).Streams(StreamKind.WebSocket).DescribeCursor().ProducesErrors(426)
            .DescribeMessages(
                new("NotificationSocketRequest", "What a client that listens may say.", CommonMessages.Client),
                new("NotificationSocketMessage", "Something that you are told, or an answer.", [.. events, .. CommonMessages.Server]));
    }

    private static async Task<Results<Ok<NotificationList>, ErrorResult>> ListAsync(
        Caller caller,
        Inboxes inboxes,
        StreamLog log,
        CancellationToken cancellationToken,
        [Description("The `next` of an earlier page.")] string? after = null,
        [Description("How many notifications a page has at most."), Range(1, MaxPage)] int limit = DefaultPage)
    {
        if (limit is < 1 or > MaxPage)
        {
            return ApiErrors.Invalid("limit", string.Create(CultureInfo.InvariantCulture, $"Must be from 1 to {MaxPage}."));
        }

        var inbox = await inboxes.GetAsync(caller.OwnerId, cancellationToken);
        var before = inbox.Stream.NextSeq;
        if (after is not null)
        {
            if (Find(inbox, after) is not { } seq)
            {
                return ApiErrors.Invalid("after", "Must be the next of an earlier page.");
            }

            before = seq;
        }

        // One more than asked for tells whether there is a next page.
        var events = await log.ReadBackAsync(inbox.Stream.Id, before, limit + 1, cancellationToken);
        var page = events.Take(limit).Select(item => View(inbox, item)).ToList();
        return TypedResults.Ok(new NotificationList(page, events.Count > limit ? page[^1].Id : null, inbox.Unread, inbox.Stream.IdOf(inbox.Stream.Tail)));
    }

    private static async Task<Ok<UnreadCount>> CountAsync(Caller caller, Inboxes inboxes, CancellationToken cancellationToken) =>
        TypedResults.Ok(new UnreadCount((await inboxes.GetAsync(caller.OwnerId, cancellationToken)).Unread));

    private static async Task<Results<Ok<UnreadCount>, ErrorResult>> MarkReadAsync(MarkRead request, Caller caller, Inboxes inboxes, CancellationToken cancellationToken)
    {
        var inbox = await inboxes.GetAsync(caller.OwnerId, cancellationToken);
        var seq = inbox.Stream.Tail;
        if (request.Id is { } id)
        {
            if (Find(inbox, id) is not { } known)
            {
                return ApiErrors.Invalid("id", "Must be the id of one of your notifications.");
            }

            seq = known;
        }

        await inboxes.MarkReadAsync(caller.OwnerId, seq, cancellationToken);
        return await CountAsync(caller, inboxes, cancellationToken);
    }

    private static long? Find(Inbox inbox, string id) =>
        StreamCursor.TryParse(id, out var cursor) && cursor.Stream == inbox.Stream.Name && cursor.Epoch == inbox.Stream.Epoch && cursor.Seq <= inbox.Stream.Tail
            ? cursor.Seq
            : null;

    private static NotificationView View(Inbox inbox, StoredEvent stored)
    {
        using var data = JsonDocument.Parse(stored.Event.Data);
        return new(inbox.Stream.IdOf(stored.Seq), stored.Event.Kind, data.RootElement.Clone(), stored.At, stored.Seq <= inbox.ReadSeq);
    }
}
