using System.Text;
using Lintel.Features.Chat.Presence;
using Lintel.Platform.Security;
using Lintel.Platform.Sockets;
using Lintel.Platform.Storage;

namespace Lintel.Features.Chat.Rooms;

/// <summary>Takes what clients send in rooms, one message at a time: who says much waits for each to be kept.</summary>
internal sealed class RoomDesk(SocketHandshake handshake, RoomMessages messages, RoomNews news, ChatLimits limits)
{
    private const string NoText = "The field message must be a text.";
    private const string NoId = "The field message_id must be the id of a message.";

    public int MaxFrame => limits.MaxFrame;

    public async Task ServeAsync(SocketConnection connection, RoomEntry entry)
    {
        var allowance = limits.Of(connection.Caller);

        // Whoever is the first here was counted before this node had the room.
        news.Refresh(entry.Room.Id);

        // A first message without a type was there for its credentials alone.
        connection.HasFirstMessage &= SocketEnvelope.Read(connection.Message.Span) is { Type: not null };
        while (connection.HasFirstMessage || await connection.ReceiveAsync() == SocketRead.Message)
        {
            connection.HasFirstMessage = false;
            var command = RoomCommand.Read(connection.Message.Span);
            if (command is { Type: ChatEvents.Message, Message: { } text } && ChatSecrets.MayBeIn(Encoding.UTF8.GetBytes(text)))
            {
                await connection.SendErrorAsync(ChatSecrets.Refusal);
                continue;
            }

            try
            {
                await AnswerAsync(connection, entry, allowance, command);
            }
            catch (StorageUnavailableException failure)
            {
                // The socket stays: the database may be back in a moment.
                await connection.SendErrorAsync(failure.Message);
            }
        }
    }

    private async ValueTask AnswerAsync(SocketConnection connection, RoomEntry entry, ChatLimits.ChatAllowance allowance, RoomCommand command)
    {
        var (stream, userId) = (entry.Room.Stream, connection.Caller.OwnerId);
        switch (command)
        {
            case { Type: ChatEvents.Message, Message: null } or { Type: ChatEvents.Edit, Message: null }:
                await connection.SendErrorAsync(NoText);
                break;
            case { Type: ChatEvents.Edit or ChatEvents.Delete, MessageId: null }:
                await connection.SendErrorAsync(NoId);
                break;
            case { Type: ChatEvents.Message, Message: { } text }:
                await WriteAsync(connection, allowance, limits.Check(text), () => messages.SayAsync(stream.Id, userId, entry.Seat.Name.Text, text));
                break;
            case { Type: ChatEvents.Edit, Message: { } text, MessageId: { } id }:
                await WriteAsync(connection, allowance, limits.Check(text), () => messages.EditAsync(stream, userId, id, text));
                break;
            case { Type: ChatEvents.Delete, MessageId: { } id }:
                await WriteAsync(connection, allowance, null, () => messages.DeleteAsync(stream, userId, connection.Caller.Has(Scopes.Admin), id));
                break;
            case { Type: ChatEvents.Typing }:
                if (await allowance.TryTakeTypingAsync() && await messages.MaySpeakAsync(stream.Id, userId))
                {
                    news.Types(stream.Id, userId, entry.Seat.Name.Text);
                }

                break;
            default:
                await handshake.AnswerAsync(connection);
                break;
        }
    }

    private static async ValueTask WriteAsync(SocketConnection connection, ChatLimits.ChatAllowance allowance, string? wrong, Func<Task<string?>> write)
    {
        if (await allowance.TryTakeAsync(connection) && (wrong ?? await write()) is { } refusal)
        {
            await connection.SendErrorAsync(refusal);
        }
    }
}
