using System.Globalization;
using Lintel.Features.Chat.Presence;
using Lintel.Features.Streams;
using Lintel.Platform.Errors;
using Lintel.Platform.Security;
using Lintel.Platform.Sockets;

namespace Lintel.Features.Chat.Rooms;

/// <summary>Who has come into a room, and where its stream ended then.</summary>
internal sealed record RoomEntry(Room Room, ChatSeat Seat);

/// <summary>Serves a room's sockets: its history, what is said from now on, who is there.</summary>
internal sealed class RoomSocket(SocketHandshake handshake, RoomDoor door, RoomDesk desk, LiveRooms rooms, StreamFollower follower)
{
    private const int DefaultHistory = 100;
    private const int MaxHistory = 1000;

    public async Task ServeAsync(HttpContext context)
    {
        var query = context.Request.Query;
        if (!ChatName.TryParse((string)context.Request.RouteValues["room"]!, out var roomName))
        {
            await ErrorWriter.WriteAsync(context, ChatName.Invalid("room"));
            return;
        }

        if (!ChatName.TryParse(query["client_id"], out var name) || name.IsReserved)
        {
            await ErrorWriter.WriteAsync(context, ChatName.Invalid("client_id"));
            return;
        }

        var history = DefaultHistory;
        if (query.TryGetValue("history", out var wanted)
            && (!int.TryParse(wanted, NumberStyles.None, CultureInfo.InvariantCulture, out history) || history > MaxHistory))
        {
            await ErrorWriter.WriteAsync(context, ApiErrors.Invalid("history", string.Create(CultureInfo.InvariantCulture, $"Must be from 0 to {MaxHistory}.")));
            return;
        }

        RoomEntry? entry = null;
        try
        {
            using var connection = await handshake.AcceptAsync(
                context,
                Scopes.Chat,
                desk.MaxFrame,
                prepare: async caller =>
                {
                    (entry, var refusal) = await door.EnterAsync(roomName, name, caller.OwnerId);
                    return refusal;
                });
            if (connection is null)
            {
                return;
            }

            if (entry is null)
            {
                // Credentials came later than the handshake.
                (entry, var refusal) = await door.EnterAsync(roomName, name, connection.Caller.OwnerId);
                if (entry is null)
                {
                    await connection.RefuseAsync(refusal!.Message);
                    return;
                }
            }

            await StayAsync(connection, entry, Position(entry.Room.Stream, StreamCursor.Of(context.Request), history));
        }
        finally
        {
            if (entry is not null)
            {
                await door.LeaveAsync(entry);
            }
        }
    }

    /// <summary>Without a cursor from the last so many on; with one strictly after it.</summary>
    private static (long After, ResetReason? Reset) Position(StreamInfo stream, string? cursor, int history) =>
        cursor is null ? (Math.Max(stream.FloorSeq - 1, stream.Tail - history), null) : stream.Position(cursor);

    private async Task StayAsync(SocketConnection connection, RoomEntry entry, (long After, ResetReason? Reset) position)
    {
        var stream = entry.Room.Stream;
        var userId = connection.Caller.OwnerId;
        var live = rooms.Join(stream.Id, room => new RoomSink(connection, room, userId, stream.Tail), out var sink);
        try
        {
            entry.Seat.Lost = () => _ = connection.CloseOutputAsync(System.Net.WebSockets.WebSocketCloseStatus.PolicyViolation, RoomRefusals.NameLost).AsTask();
            var hello = ChatEvents.Frames(
                ChatEvents.Connection, new ChatConnection($"Connected as {entry.Seat.Name.Text}", userId, stream.IdOf(stream.Tail)), ChatJson.Default.ChatConnection);
            await connection.SendAsync(hello, 0, 1);
            var following = position.Reset is { } reason ? sink.ResetAsync(stream, reason).AsTask() : follower.RunAsync(stream, position.After, sink, isRewritten: true);
            await desk.ServeAsync(connection, entry);
            await following;
        }
        catch
        {
            await connection.FailAsync();
            throw;
        }
        finally
        {
            rooms.Leave(live, sink);
        }
    }
}
