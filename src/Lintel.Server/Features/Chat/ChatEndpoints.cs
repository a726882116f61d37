using Lintel.Features.Chat.Rooms;
using Lintel.Features.Streams;
using Lintel.Platform.Errors;
using Lintel.Platform.Http;
using Lintel.Platform.OpenApi;
using Lintel.Platform.Security;
using Lintel.Platform.Sockets;

namespace Lintel.Features.Chat;

internal static class ChatEndpoints
{
    private static readonly MessageType[] LobbyMessages =
    [
        new(ChatEvents.Connection, typeof(ChatConnection)),
        new(ChatEvents.Message, typeof(LobbyMessage), IsLogged: true),
        new(ChatEvents.Disconnect, typeof(ChatDisconnect), IsLogged: true),
        .. CommonMessages.Server,
    ];

    private static readonly MessageType[] RoomMessages =
    [
        new(ChatEvents.Connection, typeof(ChatConnection)),
        new(ChatEvents.Message, typeof(RoomMessage), IsLogged: true),
        new(ChatEvents.Edit, typeof(RoomEdit), IsLogged: true),
        new(ChatEvents.Delete, typeof(RoomDeletion), IsLogged: true),
        new(ChatEvents.MemberRemoved, typeof(RoomRemoval), IsLogged: true),
        new(ChatEvents.Muted, typeof(RoomMuted), IsLogged: true),
        new(ChatEvents.Presence, typeof(RoomPresence)),
        new(ChatEvents.Typing, typeof(RoomTyping)),
        new(ChatEvents.Disconnect, typeof(ChatDisconnect)),
        new(StreamReset.EventName, typeof(StreamReset)),
        .. CommonMessages.Server,
    ];

    private static readonly MessageType[] RoomCommands =
    [
        new(ChatEvents.Message, typeof(SayCommand)),
        new(ChatEvents.Edit, typeof(EditCommand)),
        new(ChatEvents.Delete, typeof(DeleteCommand)),
        new(ChatEvents.Typing),
        .. CommonMessages.Client,
    ];

    public static void MapChat(this IEndpointRouteBuilder routes)
    {
        routes.MapRooms();
        var lobby = routes.ServiceProvider.GetRequiredService<LobbySocket>();
        var room = routes.ServiceProvider.GetRequiredService<RoomSocket>();
        var sockets = routes.MapGroup("/ws").WithTags("Chat");
        sockets.MapGet("{client_id}", lobby.ServeAsync).WithName("OpenLobby").WithSummary("Talk in the lobby")
            .WithDescription("Each text that you send goes to all who are there now, under the name in the path, which no other signed-in user can have meanwhile.")
            .RequireSocketCaller(Scopes.Chat).Streams(StreamKind.WebSocket).ProducesErrors(404, 409, 426)
            .DescribeMessages(
                new("LobbyRequest", "What is for the server. Any other text is a message, as it is.", CommonMessages.Client),
                new("LobbyEvent", "What happens in the lobby, or an answer.", LobbyMessages));
        sockets.MapGet("rooms/{room}", room.ServeAsync).WithName("OpenRoom").WithSummary("Talk in a room, with its history")
            .WithDescription(
                "`client_id` is your name there. The last 100 events come first, or `history` of them, or all `after` a position: nothing is missed or repeated. "
                + "A room that is not there is made. Text that is no JSON object with a `type` is a message, as it is.")
            .RequireSocketCaller(Scopes.Chat).Streams(StreamKind.WebSocket).DescribeCursor().ProducesErrors(404, 409, 426)
            .DescribeMessages(
                new("RoomRequest", "What you say and do in a room.", RoomCommands),
                new("RoomEvent", "What happens in a room, or an answer.", RoomMessages));
    }
}
