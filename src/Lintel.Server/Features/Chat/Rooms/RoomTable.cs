using Lintel.Features.Streams;
using Lintel.Platform.Storage;

namespace Lintel.Features.Chat.Rooms;

/// <summary>The rooms and their members in the database. Who may know of a room stands in every WHERE: a private room of others and none look the same.</summary>
internal sealed class RoomTable(Database database, StreamLog log, ChatOptions options, TimeOrderedIds ids, TimeProvider time)
{
    private const string Columns = "s.id, s.name, s.epoch, s.next_seq, s.floor_seq, s.closed, r.name, r.owner_id, r.is_private, r.created_at";
    private const string IsAllowed = "(r.is_private = FALSE OR EXISTS (SELECT 1 FROM room_member m WHERE m.room_id = r.stream_id AND m.user_id = $2))";

    /// <summary>A room that the user may enter. One statement, so that the stream's end is as old as the look at the members.</summary>
    public Task<Room?> FindAsync(ChatName name, long userId, CancellationToken cancellationToken) =>
        database.ReadAsync(
            session => session.QueryFirstAsync(
                $"SELECT {Columns} FROM room r JOIN stream s ON s.id = r.stream_id WHERE r.name_key = $1 AND {IsAllowed}", Map, name.Key, userId),
            cancellationToken);

    /// <summary>A room, whoever asks: for moderators.</summary>
    public Task<Room?> FindAnyAsync(ChatName name, CancellationToken cancellationToken) =>
        database.ReadAsync(
            session => session.QueryFirstAsync($"SELECT {Columns} FROM room r JOIN stream s ON s.id = r.stream_id WHERE r.name_key = $1", Map, name.Key), cancellationToken);

    /// <summary>The rooms that the user may enter, by name.</summary>
    public Task<List<Room>> ListAsync(long userId, string after, int limit, CancellationToken cancellationToken) =>
        database.ReadAsync(
            session => session.QueryAsync(
                $"SELECT {Columns} FROM room r JOIN stream s ON s.id = r.stream_id WHERE r.name_key > $1 AND {IsAllowed} ORDER BY r.name_key LIMIT $3", Map, after, userId, limit),
            cancellationToken);

    /// <summary>Makes a room, which is then the user's.</summary>
    public Task<RoomChange> AddAsync(ChatName name, long ownerId, bool isPrivate, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async session =>
            {
                // One at a time, so that the number of them holds.
                await LockAsync(session, "SELECT id FROM account WHERE id = $1", ownerId);
                if (await session.QueryFirstAsync("SELECT count(*) FROM room WHERE owner_id = $1", static row => row.GetInt64(0), ownerId) >= options.RoomsPerOwner)
                {
                    return RoomChange.Full;
                }

                var stream = await log.CreateAsync(session, $"room-{ids.Next():N}");
                var added = await session.ExecuteAsync(
                    "INSERT INTO room (stream_id, name, name_key, owner_id, is_private, created_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (name_key) DO NOTHING",
                    stream,
                    name.Text,
                    name.Key,
                    ownerId,
                    isPrivate,
                    time.GetMicroseconds());
                if (added == 0)
                {
                    await session.ExecuteAsync("DELETE FROM stream WHERE id = $1", stream);
                    return RoomChange.Taken;
                }

                await AddMemberAsync(session, stream, ownerId);
                return RoomChange.Done;
            },
            cancellationToken);

    /// <summary>Deletes a room of the user's; with <paramref name="isModerator"/> anybody's. Its sockets close; its history is forgotten soon.</summary>
    public Task<bool> DeleteAsync(ChatName name, long userId, bool isModerator, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async session =>
            {
                var room = await session.QueryFirstAsync(
                    "DELETE FROM room WHERE name_key = $1 AND (owner_id = $2 OR $3 = TRUE) RETURNING stream_id", static row => row.GetInt64(0), name.Key, userId, isModerator);
                if (room != 0)
                {
                    await log.AppendAsync(session, room, [], close: true);
                }

                return room != 0;
            },
            cancellationToken);

    public Task<List<(long UserId, DateTimeOffset JoinedAt)>> ListMembersAsync(Room room, CancellationToken cancellationToken) =>
        database.ReadAsync(
            session => session.QueryAsync(
                "SELECT user_id, joined_at FROM room_member WHERE room_id = $1 ORDER BY user_id", static row => (row.GetInt64(0), row.GetInstant(1)), room.Id),
            cancellationToken);

    /// <summary>Lets somebody into a private room of <paramref name="ownerId"/>'s; who is a member stays one.</summary>
    public Task<RoomChange> InviteAsync(ChatName name, long ownerId, long userId, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async session =>
            {
                await LockAsync(session, "SELECT stream_id FROM room WHERE name_key = $1 AND owner_id = $2", name.Key, ownerId);
                var room = await session.QueryFirstAsync(
                    "SELECT stream_id, is_private FROM room WHERE name_key = $1 AND owner_id = $2", static row => (Id: row.GetInt64(0), IsPrivate: row.GetBoolean(1)), name.Key, ownerId);
                if (room.Id == 0)
                {
                    return await IsAllowedAsync(session, name, ownerId) ? RoomChange.NotOwner : RoomChange.NotFound;
                }

                if (!room.IsPrivate)
                {
                    return RoomChange.Public;
                }

                if (await session.QueryFirstAsync("SELECT id FROM account WHERE id = $1 AND is_active = TRUE", static row => row.GetInt64(0), userId) == 0)
                {
                    return RoomChange.NoSuchUser;
                }

                var members = await session.QueryFirstAsync(
                    "SELECT count(*) FROM room_member WHERE room_id = $1 AND user_id <> $2", static row => row.GetInt64(0), room.Id, userId);
                if (members >= options.MembersPerRoom)
                {
                    return RoomChange.Full;
                }

                await AddMemberAsync(session, room.Id, userId);
                return RoomChange.Done;
            },
            cancellationToken);

    /// <summary>Takes a member out: the owner anybody else, a member themselves. The event that tells of it closes the member's sockets, on every node.</summary>
    public Task<RoomChange> RemoveMemberAsync(ChatName name, long callerId, long userId, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async session =>
            {
                var room = await session.QueryFirstAsync(
                    """
                    DELETE FROM room_member WHERE user_id = $3 AND room_id = (
                        SELECT stream_id FROM room WHERE name_key = $1 AND is_private = TRUE AND owner_id <> $3 AND (owner_id = $2 OR $2 = $3))
                    RETURNING room_id
                    """,
                    static row => row.GetInt64(0),
                    name.Key,
                    callerId,
                    userId);
                if (room != 0)
                {
                    await log.AppendAsync(
                        session, room, [ChatEvents.Event(ChatEvents.MemberRemoved, new RoomRemoval(userId, time.GetUtcNow()), ChatJson.Default.RoomRemoval)]);
                    return RoomChange.Done;
                }

                if (!await IsAllowedAsync(session, name, callerId))
                {
                    return RoomChange.NotFound;
                }

                var found = await session.QueryFirstAsync(
                    "SELECT owner_id, is_private FROM room WHERE name_key = $1", static row => (OwnerId: row.GetInt64(0), IsPrivate: row.GetBoolean(1)), name.Key);
                return !found.IsPrivate ? RoomChange.Public
                    : found.OwnerId == userId ? RoomChange.Owner
                    : found.OwnerId == callerId ? RoomChange.NoSuchUser
                    : RoomChange.NotOwner;
            },
            cancellationToken);

    /// <summary>Mutes somebody until then, or lets them speak again; all in the room are told.</summary>
    /// <returns>False where there is no such account.</returns>
    public Task<bool> MuteAsync(Room room, long userId, DateTimeOffset? until, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async session =>
            {
                if (until is not { } end)
                {
                    if (await session.ExecuteAsync("DELETE FROM room_mute WHERE room_id = $1 AND user_id = $2", room.Id, userId) == 0)
                    {
                        return true; // They were not muted.
                    }
                }
                else if (await session.ExecuteAsync(
                    "INSERT INTO room_mute (room_id, user_id, until) SELECT $1, id, $3 FROM account WHERE id = $2 ON CONFLICT (room_id, user_id) DO UPDATE SET until = excluded.until",
                    room.Id,
                    userId,
                    end.ToMicroseconds()) == 0)
                {
                    return false;
                }

                await log.AppendAsync(session, room.Id, [ChatEvents.Event(ChatEvents.Muted, new RoomMuted(userId, until, time.GetUtcNow()), ChatJson.Default.RoomMuted)]);
                return true;
            },
            cancellationToken);

    private async ValueTask AddMemberAsync(DbSession session, long roomId, long userId) =>
        await session.ExecuteAsync(
            "INSERT INTO room_member (room_id, user_id, joined_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", roomId, userId, time.GetMicroseconds());

    private static async ValueTask<bool> IsAllowedAsync(DbSession session, ChatName name, long userId) =>
        await session.QueryFirstAsync($"SELECT r.stream_id FROM room r WHERE r.name_key = $1 AND {IsAllowed}", static row => row.GetInt64(0), name.Key, userId) != 0;

    /// <summary>Holds the rows that a query finds until the unit's end; on SQLite there is one writer anyway.</summary>
    private static async ValueTask LockAsync(DbSession session, string query, params object?[] values)
    {
        if (session.Kind == DatabaseKind.Postgres)
        {
            await session.QueryAsync(query + " FOR UPDATE", static _ => 0, values);
        }
    }

    private static Room Map(System.Data.Common.DbDataReader row) => new(
        new StreamInfo(row.GetInt64(0), row.GetString(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4), row.GetBoolean(5)),
        row.GetString(6),
        row.GetInt64(7),
        row.GetBoolean(8),
        row.GetInstant(9));
}
