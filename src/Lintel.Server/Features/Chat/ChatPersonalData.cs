using System.Text.Json.Nodes;
using Lintel.Features.Chat.Rooms;
using Lintel.Features.Streams;
using Lintel.Platform.Privacy;
using Lintel.Platform.Storage;

namespace Lintel.Features.Chat;

/// <summary>
/// A person's rooms, and what they said in others'. What was said in the lobby has a display name and no account, and is forgotten soon by itself.
/// </summary>
internal sealed class ChatPersonalData(Database database, RoomMessages messages, StreamLog log) : IPersonalData
{
    public async IAsyncEnumerable<PersonalItem> ReadAsync(long accountId, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var (stream, name) in await ListRoomsAsync(cancellationToken))
        {
            await foreach (var stored in EventsAsync(stream, accountId, cancellationToken))
            {
                if (stored.Event.Kind == ChatEvents.Message)
                {
                    var item = new JsonObject { ["room"] = name, ["message"] = JsonNode.Parse(stored.Event.Data.Span) };
                    yield return new("message", System.Text.Encoding.UTF8.GetBytes(item.ToJsonString()));
                }
            }
        }
    }

    public async Task<bool> EraseAsync(long accountId, CancellationToken cancellationToken)
    {
        await database.WriteAsync(
            async session =>
            {
                await session.ExecuteAsync("DELETE FROM chat_socket WHERE user_id = $1", accountId);
                await session.ExecuteAsync("DELETE FROM chat_name WHERE user_id = $1", accountId);
                await session.ExecuteAsync("DELETE FROM room_member WHERE user_id = $1", accountId);
                await session.ExecuteAsync("DELETE FROM room_mute WHERE user_id = $1", accountId);
            },
            cancellationToken);
        await EraseOwnRoomsAsync(accountId, cancellationToken);
        foreach (var (stream, _) in await ListRoomsAsync(cancellationToken))
        {
            await foreach (var stored in EventsAsync(stream, accountId, cancellationToken))
            {
                await messages.ForgetAuthorAsync(stream, stored.Seq, accountId, cancellationToken);
            }
        }

        return true;
    }

    private async Task EraseOwnRoomsAsync(long accountId, CancellationToken cancellationToken)
    {
        var own = await database.ReadAsync(
            session => session.QueryAsync("SELECT stream_id FROM room WHERE owner_id = $1", static row => row.GetInt64(0), accountId), cancellationToken);
        foreach (var room in own)
        {
            // Who is in it is told of the end.
            await database.WriteAsync(
                async session =>
                {
                    await session.ExecuteAsync("DELETE FROM room WHERE stream_id = $1 AND owner_id = $2", room, accountId);
                    await log.AppendAsync(session, room, [], close: true);
                },
                cancellationToken);
            await log.EmptyAsync(room, cancellationToken);
            await database.WriteAsync(session => StreamLog.RemoveAsync(session, room), cancellationToken);
        }
    }

    private Task<List<(StreamInfo Stream, string Name)>> ListRoomsAsync(CancellationToken cancellationToken) =>
        database.ReadAsync(
            static session => session.QueryAsync(
                "SELECT s.id, s.name, s.epoch, s.next_seq, s.floor_seq, s.closed, r.name FROM room r JOIN stream s ON s.id = r.stream_id ORDER BY s.id",
                static row => (new StreamInfo(row.GetInt64(0), row.GetString(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4), row.GetBoolean(5)), row.GetString(6))),
            cancellationToken);

    /// <summary>The events of a room that name the account.</summary>
    private async IAsyncEnumerable<StoredEvent> EventsAsync(
        StreamInfo stream, long accountId, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var mark = System.Text.Encoding.UTF8.GetBytes($"\"user_id\":{accountId},");
        await foreach (var stored in log.ReadAllAsync(stream, cancellationToken))
        {
            if (stored.Event.Data.Span.IndexOf(mark) >= 0 && JsonNode.Parse(stored.Event.Data.Span)?["user_id"]?.GetValue<long>() == accountId)
            {
                yield return stored;
            }
        }
    }
}
