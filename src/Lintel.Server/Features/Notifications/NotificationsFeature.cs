using Lintel.Platform.Configuration;
using Lintel.Platform.Http;
using Lintel.Platform.OpenApi;
using Lintel.Platform.Privacy;

namespace Lintel.Features.Notifications;

/// <summary>A kind of notification that a feature gives, for the API description.</summary>
internal sealed record NotificationKind(MessageType Message);

internal sealed record NotificationOptions
{
    /// <summary>Notifications of one person that are kept.</summary>
    public int Kept { get; init; } = 1000;

    public static NotificationOptions Read(SettingsReader settings) => new() { Kept = settings.Number("NOTIFICATIONS_KEPT", 1000, 10, 1_000_000) };
}

internal static class NotificationsFeature
{
    public static void AddNotifications(this IHostApplicationBuilder builder)
    {
        builder.AddSettings(NotificationOptions.Read);
        builder.AddJson(NotificationsJson.Default);
        builder.DescribeTag("Notifications", "What you are told: a list, a count of what is unread, and an endless stream of what comes, over Server-Sent Events or WebSocket.");
        builder.Services.AddSingleton<IPersonalData, NotificationPersonalData>();
        builder.Services.AddSingleton<Inboxes>();
        builder.Services.AddSingleton<NotificationWatch>();
        builder.Services.AddHostedService<NotificationRetentionWorker>();
    }

    public static void AddNotificationKind(this IHostApplicationBuilder builder, string name, Type facts) =>
        builder.Services.AddSingleton(new NotificationKind(new MessageType(name, facts, IsLogged: true)));
}
