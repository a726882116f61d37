namespace Lintel.Features.Chat.Presence;

/// <summary>An open socket of the lobby or of a room, as the database knows it.</summary>
/// <param name="RoomId">The stream that it follows.</param>
internal sealed record ChatSeat(Guid Id, long RoomId, long UserId, ChatName Name)
{
    /// <summary>Ends the socket when the seat was lost: set once there is one.</summary>
    public Action? Lost { get; set; }
}
