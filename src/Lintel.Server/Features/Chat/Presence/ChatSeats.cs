using System.Collections.Concurrent;
using Lintel.Features.Jobs.Running;
using Lintel.Features.Streams;
using Lintel.Platform.Storage;

namespace Lintel.Features.Chat.Presence;

/// <summary>
/// Who sits where, on all nodes: the database decides whose a name is, and says who is present. The seats of a node that died are taken away by those that live.
/// </summary>
internal sealed partial class ChatSeats(Database database, StreamLog log, JobLeases leases, RoomNews news, TimeOrderedIds ids, ILogger<ChatSeats> logger)
{
    private const string Columns = "id, room_id, user_id, name, name_key";

    // Whose row is to be in the database, and whose is still to be taken out of it.
    private readonly ConcurrentDictionary<Guid, ChatSeat> _here = new();
    private readonly ConcurrentDictionary<Guid, ChatSeat> _leaving = new();

    /// <summary>Takes a seat; null where another signed-in user holds the name.</summary>
    public async Task<ChatSeat?> EnterAsync(long roomId, long userId, ChatName name)
    {
        var seat = new ChatSeat(ids.Next(), roomId, userId, name);

        // Once begun it is not given up half way: the seat is this connection's, which gives it back.
        try
        {
            if (!await database.WriteAsync(session => EnterAsync(session, seat), CancellationToken.None))
            {
                return null;
            }
        }
        catch
        {
            // It may be there all the same, when only the answer was lost.
            _leaving[seat.Id] = seat;
            throw;
        }

        _here[seat.Id] = seat;
        return seat;
    }

    /// <summary>Gives the seat back, and the name with the last one that had it.</summary>
    public async Task LeaveAsync(ChatSeat seat)
    {
        _here.TryRemove(seat.Id, out _);
        _leaving[seat.Id] = seat;
        try
        {
            await WriteLeaveAsync(seat);
        }
        catch (StorageUnavailableException failure)
        {
            Log.Delayed(logger, failure.Message);
        }
    }

    /// <summary>Makes the database and this node agree again: after it was out of reach, and after a node died.</summary>
    public async Task LookAfterAsync(CancellationToken cancellationToken)
    {
        foreach (var seat in _leaving.Values)
        {
            await WriteLeaveAsync(seat);
        }

        await ClearDeadAsync(cancellationToken);
        await TakeBackAsync(cancellationToken);
    }

    private async ValueTask<bool> EnterAsync(DbSession session, ChatSeat seat)
    {
        // Holds the name's row first, so that the look for its seats sees one who is just leaving or coming.
        await session.ExecuteAsync(
            "INSERT INTO chat_name (name_key, user_id) VALUES ($1, $2) ON CONFLICT (name_key) DO UPDATE SET name_key = excluded.name_key", seat.Name.Key, seat.UserId);
        var taken = await session.ExecuteAsync(
            """
            UPDATE chat_name SET user_id = $2 WHERE name_key = $1 AND (user_id = $2
                OR NOT EXISTS (SELECT 1 FROM chat_socket s JOIN node n ON n.id = s.node_id WHERE s.name_key = $1))
            """,
            seat.Name.Key,
            seat.UserId);
        if (taken == 0)
        {
            return false;
        }

        await session.ExecuteAsync(
            "INSERT INTO chat_socket (id, node_id, room_id, user_id, name, name_key) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO NOTHING",
            seat.Id,
            leases.NodeId,
            seat.RoomId,
            seat.UserId,
            seat.Name.Text,
            seat.Name.Key);
        await CountAsync(session, seat.RoomId);
        session.AfterCommit(() => news.PresenceChanged(seat.RoomId));
        return true;
    }

    private async Task WriteLeaveAsync(ChatSeat seat)
    {
        await database.WriteAsync(session => LeaveAsync(session, seat), CancellationToken.None);
        _leaving.TryRemove(seat.Id, out _);
    }

    private async ValueTask LeaveAsync(DbSession session, ChatSeat seat)
    {
        await session.ExecuteAsync("UPDATE chat_name SET user_id = user_id WHERE name_key = $1", seat.Name.Key);
        if (await session.ExecuteAsync("DELETE FROM chat_socket WHERE id = $1", seat.Id) == 0)
        {
            return;
        }

        await session.ExecuteAsync(
            "DELETE FROM chat_name WHERE name_key = $1 AND user_id = $2 AND NOT EXISTS (SELECT 1 FROM chat_socket WHERE name_key = $1)", seat.Name.Key, seat.UserId);
        if (await CountAsync(session, seat.RoomId))
        {
            session.AfterCommit(() =>
            {
                news.HasLeft(seat.RoomId, seat.UserId, seat.Name.Text);
                news.PresenceChanged(seat.RoomId);
            });
        }
        else
        {
            // The lobby, which tells in its stream; what was a room and is deleted takes no more events.
            await log.AppendAsync(
                session,
                seat.RoomId,
                [ChatEvents.Event(ChatEvents.Disconnect, new ChatDisconnect(ChatEvents.HasLeft(seat.Name.Text)), ChatJson.Default.ChatDisconnect)]);
        }
    }

    /// <summary>Gives presence another version; false where this is no room.</summary>
    private static async ValueTask<bool> CountAsync(DbSession session, long roomId) =>
        await session.ExecuteAsync("UPDATE room SET presence_version = presence_version + 1 WHERE stream_id = $1", roomId) == 1;

    private async Task ClearDeadAsync(CancellationToken cancellationToken)
    {
        var dead = await database.ReadAsync(
            session => session.QueryAsync($"SELECT {Columns} FROM chat_socket WHERE node_id <> $1 AND node_id NOT IN (SELECT id FROM node)", Map, leases.NodeId), cancellationToken);
        foreach (var seat in dead)
        {
            // Another node may be at it too: who deletes the row tells of it.
            await database.WriteAsync(session => LeaveAsync(session, seat), cancellationToken);
        }
    }

    /// <summary>The others may have taken this node for dead, and away its seats: they are taken again, if the name is still free.</summary>
    private async Task TakeBackAsync(CancellationToken cancellationToken)
    {
        var here = _here.Values.ToList();
        var known = (await database.ReadAsync(
            session => session.QueryAsync("SELECT id FROM chat_socket WHERE node_id = $1", static row => row.GetGuid(0), leases.NodeId), cancellationToken)).ToHashSet();
        foreach (var seat in here.Where(seat => !known.Contains(seat.Id)))
        {
            if (!await database.WriteAsync(session => EnterAsync(session, seat), CancellationToken.None))
            {
                seat.Lost?.Invoke();
            }
            else if (!_here.ContainsKey(seat.Id))
            {
                await LeaveAsync(seat);
            }
        }
    }

    private static ChatSeat Map(System.Data.Common.DbDataReader row) =>
        new(row.GetGuid(0), row.GetInt64(1), row.GetInt64(2), new ChatName(row.GetString(3), row.GetString(4)));

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "That somebody left the chat waits for the database: {Reason}")]
        public static partial void Delayed(ILogger logger, string reason);
    }
}
