using System.Text.Json;
using Lintel.Features.Streams;
using Lintel.Platform.Storage;

namespace Lintel.Features.Chat.Rooms;

/// <summary>
/// What is said in rooms, changed and removed. Whether the user may is looked at in the unit of work that writes: a member who was removed, or muted, a moment ago
/// has said nothing since.
/// </summary>
internal sealed class RoomMessages(Database database, StreamLog log, TimeProvider time)
{
    /// <summary>Until when the user is muted, 0 where they are not; no row where they may not be in the room at all.</summary>
    private const string Standing =
        """
        SELECT coalesce((SELECT until FROM room_mute WHERE room_id = $1 AND user_id = $2), 0) FROM room
        WHERE stream_id = $1 AND (is_private = FALSE OR EXISTS (SELECT 1 FROM room_member WHERE room_id = $1 AND user_id = $2))
        """;

    /// <returns>Why it was not said; null where it was.</returns>
    public Task<string?> SayAsync(long roomId, long userId, string clientId, string text) =>
        database.WriteAsync(
            async session =>
            {
                if (await RefuseAsync(session, roomId, userId) is { } refusal)
                {
                    return refusal;
                }

                var message = new RoomMessage(clientId, userId, text, time.GetUtcNow());
                await log.AppendAsync(session, roomId, [ChatEvents.Event(ChatEvents.Message, message, ChatJson.Default.RoomMessage)]);
                return null;
            },
            CancellationToken.None);

    /// <summary>Changes a message of the user's: history shows the new text, and an event tells of it those who have seen the old one.</summary>
    public Task<string?> EditAsync(StreamInfo stream, long userId, string messageId, string text) =>
        database.WriteAsync(
            async session =>
            {
                if (await RefuseAsync(session, stream.Id, userId) is { } refusal)
                {
                    return refusal;
                }

                if (await FindAsync(session, stream, messageId) is not { Message: { DeletedAt: null } message } found || message.UserId != userId)
                {
                    return RoomRefusals.NoSuchMessage;
                }

                var now = time.GetUtcNow();
                var edit = new RoomEdit(stream.IdOf(found.Stored.Seq), text, now);
                var appended = await log.AppendAsync(session, stream.Id, [ChatEvents.Event(ChatEvents.Edit, edit, ChatJson.Default.RoomEdit)]);
                await ClearEditAsync(session, stream, message);
                return await RewriteAsync(session, stream, found.Stored, message with { Message = text, EditedAt = now, EditId = stream.IdOf(appended.LastSeq) });
            },
            CancellationToken.None);

    /// <summary>Removes a message of the user's, or as a moderator anybody's: its text is in the history no more, nor are those it had before.</summary>
    public Task<string?> DeleteAsync(StreamInfo stream, long userId, bool isModerator, string messageId) =>
        database.WriteAsync(
            async session =>
            {
                await HoldAsync(session, stream.Id);

                // Who is muted may still take back what they said; who is no member does not get to know what there is.
                if (!isModerator && await StandingAsync(session, stream.Id, userId) is null)
                {
                    return RoomRefusals.NotAllowed;
                }

                if (await FindAsync(session, stream, messageId) is not { Message: { DeletedAt: null } message } found || (message.UserId != userId && !isModerator))
                {
                    return RoomRefusals.NoSuchMessage;
                }

                var now = time.GetUtcNow();
                var by = message.UserId == userId ? RoomDeletion.Author : RoomDeletion.Moderator;
                var deletion = new RoomDeletion(stream.IdOf(found.Stored.Seq), by, now);
                await log.AppendAsync(session, stream.Id, [ChatEvents.Event(ChatEvents.Delete, deletion, ChatJson.Default.RoomDeletion)]);
                await ClearEditAsync(session, stream, message);
                return await RewriteAsync(session, stream, found.Stored, message with { Message = "", EditedAt = null, EditId = null, DeletedAt = now, DeletedBy = by });
            },
            CancellationToken.None);

    /// <summary>Removes who said something, and what; or whom an event is about. Those who see the room are told as of any removal.</summary>
    public Task ForgetAuthorAsync(StreamInfo stream, long seq, long userId, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async session =>
            {
                await HoldAsync(session, stream.Id);
                if (await StreamLog.FindEventAsync(session, stream.Id, seq) is not { } stored)
                {
                    return;
                }

                var now = time.GetUtcNow();
                switch (stored.Event.Kind)
                {
                    case ChatEvents.Message when JsonSerializer.Deserialize(stored.Event.Data.Span, ChatJson.Default.RoomMessage)! is var message && message.UserId == userId:
                        if (message.DeletedAt is null)
                        {
                            var deletion = new RoomDeletion(stream.IdOf(seq), RoomDeletion.Author, now);
                            await log.AppendAsync(session, stream.Id, [ChatEvents.Event(ChatEvents.Delete, deletion, ChatJson.Default.RoomDeletion)]);
                            await ClearEditAsync(session, stream, message);
                        }

                        await RewriteAsync(session, stream, stored, new("", 0, "", message.At, DeletedAt: message.DeletedAt ?? now, DeletedBy: message.DeletedBy ?? RoomDeletion.Author));
                        break;
                    case ChatEvents.MemberRemoved when JsonSerializer.Deserialize(stored.Event.Data.Span, ChatJson.Default.RoomRemoval)! is var removal && removal.UserId == userId:
                        await StreamLog.RewriteAsync(session, stream.Id, stored, JsonSerializer.SerializeToUtf8Bytes(removal with { UserId = 0 }, ChatJson.Default.RoomRemoval));
                        break;
                    case ChatEvents.Muted when JsonSerializer.Deserialize(stored.Event.Data.Span, ChatJson.Default.RoomMuted)! is var muted && muted.UserId == userId:
                        await StreamLog.RewriteAsync(session, stream.Id, stored, JsonSerializer.SerializeToUtf8Bytes(muted with { UserId = 0 }, ChatJson.Default.RoomMuted));
                        break;
                }
            },
            cancellationToken);

    /// <summary>Messages before event number <paramref name="before"/>, last first, as they are now.</summary>
    public Task<List<StoredEvent>> ListAsync(long roomId, long before, int limit, CancellationToken cancellationToken) =>
        database.ReadAsync(
            session => session.QueryAsync(
                "SELECT seq, at, kind, data FROM event WHERE stream_id = $1 AND seq < $2 AND kind = $3 ORDER BY seq DESC LIMIT $4",
                static row => new StoredEvent(row.GetInt64(0), row.GetInstant(1), new StreamEvent(row.GetString(2), row.GetBytes(3))),
                roomId,
                before,
                ChatEvents.Message,
                (long)limit),
            cancellationToken);

    /// <summary>Whether the user may type there now.</summary>
    public Task<bool> MaySpeakAsync(long roomId, long userId) =>
        database.ReadAsync(
            async session => await StandingAsync(session, roomId, userId) is { } until && until <= time.GetMicroseconds(),
            CancellationToken.None);

    private static ValueTask<long?> StandingAsync(DbSession session, long roomId, long userId) =>
        session.QueryFirstAsync(Standing, static row => (long?)row.GetInt64(0), roomId, userId);

    /// <summary>Of two changes at once the second sees what the first made.</summary>
    private static async ValueTask HoldAsync(DbSession session, long roomId)
    {
        if (session.Kind == DatabaseKind.Postgres)
        {
            await session.QueryAsync("SELECT id FROM stream WHERE id = $1 FOR UPDATE", static _ => 0, roomId);
        }
    }

    private async ValueTask<string?> RefuseAsync(DbSession session, long roomId, long userId)
    {
        // What ends somebody's right to speak is told in the stream, whose row that holds: here it is either behind us, and seen, or yet to come.
        await HoldAsync(session, roomId);
        return await StandingAsync(session, roomId, userId) is not { } mutedUntil ? RoomRefusals.NotAllowed
            : mutedUntil > time.GetMicroseconds() ? RoomRefusals.Muted(Instant.FromMicroseconds(mutedUntil))
            : null;
    }

    private static async ValueTask<(StoredEvent Stored, RoomMessage Message)?> FindAsync(DbSession session, StreamInfo stream, string id) =>
        StreamCursor.TryParse(id, out var cursor) && cursor.Stream == stream.Name && cursor.Epoch == stream.Epoch
        && await StreamLog.FindEventAsync(session, stream.Id, cursor.Seq) is { Event.Kind: ChatEvents.Message } stored
            ? (stored, JsonSerializer.Deserialize(stored.Event.Data.Span, ChatJson.Default.RoomMessage)!)
            : null;

    private static async ValueTask<string?> RewriteAsync(DbSession session, StreamInfo stream, StoredEvent stored, RoomMessage message)
    {
        if (await StreamLog.RewriteAsync(session, stream.Id, stored, JsonSerializer.SerializeToUtf8Bytes(message, ChatJson.Default.RoomMessage)))
        {
            return null;
        }

        // Cannot be: the row of the stream is held. Were it otherwise, nothing of this may stand.
        throw new InvalidOperationException($"Message {stored.Seq} of stream {stream.Id} changed while the stream was held.");
    }

    /// <summary>The text that an earlier change brought is no more the message's.</summary>
    private static async ValueTask ClearEditAsync(DbSession session, StreamInfo stream, RoomMessage message)
    {
        if (StreamCursor.TryParse(message.EditId, out var edited) && await StreamLog.FindEventAsync(session, stream.Id, edited.Seq) is { Event.Kind: ChatEvents.Edit } stored)
        {
            var edit = JsonSerializer.Deserialize(stored.Event.Data.Span, ChatJson.Default.RoomEdit)!;
            await StreamLog.RewriteAsync(session, stream.Id, stored, JsonSerializer.SerializeToUtf8Bytes(edit with { Message = null }, ChatJson.Default.RoomEdit));
        }
    }
}
