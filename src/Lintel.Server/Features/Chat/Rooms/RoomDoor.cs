using Lintel.Features.Chat.Presence;
using Lintel.Platform.Errors;

namespace Lintel.Features.Chat.Rooms;

/// <summary>Lets sockets into rooms and out again.</summary>
internal sealed class RoomDoor(RoomTable rooms, ChatSeats seats, ChatLimits limits, ChatOptions options)
{
    /// <summary>Lets a user in under a name. A room that is not there yet is made: open to all, and the user's.</summary>
    public async Task<(RoomEntry? Entry, ErrorResult? Refusal)> EnterAsync(ChatName roomName, ChatName name, long userId)
    {
        if (await limits.TryJoinAsync(userId) is { } wait)
        {
            return (null, RoomRefusals.TooManyJoins(wait));
        }

        var room = await rooms.FindAsync(roomName, userId, CancellationToken.None);
        if (room is null)
        {
            if (await rooms.AddAsync(roomName, userId, isPrivate: false, CancellationToken.None) == RoomChange.Full)
            {
                return (null, RoomRefusals.TooManyRooms(options.RoomsPerOwner));
            }

            // Made by us, or by another at the same time; or there before, and not for us.
            room = await rooms.FindAsync(roomName, userId, CancellationToken.None);
            if (room is null)
            {
                return (null, RoomRefusals.NoSuchRoom);
            }
        }

        return await seats.EnterAsync(room.Id, userId, name) is { } seat ? (new RoomEntry(room, seat), null) : (null, RoomRefusals.NameHeld);
    }

    public Task LeaveAsync(RoomEntry entry) => seats.LeaveAsync(entry.Seat);
}
