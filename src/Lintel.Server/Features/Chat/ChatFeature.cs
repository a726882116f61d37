using Lintel.Features.Chat.Presence;
using Lintel.Features.Chat.Rooms;
using Lintel.Platform.Configuration;
using Lintel.Platform.Http;
using Lintel.Platform.OpenApi;
using Lintel.Platform.Privacy;

namespace Lintel.Features.Chat;

internal static class ChatFeature
{
    public static void AddChat(this IHostApplicationBuilder builder)
    {
        builder.AddSettings(ChatOptions.Read);
        builder.AddJson(ChatJson.Default);
        builder.DescribeTag(
            "Chat", "A lobby for who is there now, and rooms with a history: resumed without a gap, changed and removed, moderated, private where they should be.");
        builder.Services.AddSingleton<ChatLimits>();
        builder.Services.AddSingleton<IPersonalData, ChatPersonalData>();
        builder.Services.AddSingleton<Lobby>();
        builder.Services.AddSingleton<LobbySocket>();
        builder.Services.AddSingleton<LiveRooms>();
        builder.Services.AddSingleton<RoomNews>();
        builder.Services.AddSingleton<ChatSeats>();
        builder.Services.AddSingleton<RoomTable>();
        builder.Services.AddSingleton<RoomMessages>();
        builder.Services.AddSingleton<RoomDoor>();
        builder.Services.AddSingleton<RoomDesk>();
        builder.Services.AddSingleton<RoomSocket>();
        builder.Services.AddHostedService<PresenceWorker>();
        builder.Services.AddSingleton<ChatRetentionWorker>();
        builder.Services.AddHostedService(static services => services.GetRequiredService<ChatRetentionWorker>());
    }
}
