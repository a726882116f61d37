using System.Text;
using Lintel.Features.Chat.Presence;
using Lintel.Features.Chat.Rooms;
using Lintel.Features.Streams;
using Lintel.Platform.Errors;
using Lintel.Platform.Security;
using Lintel.Platform.Sockets;
using Lintel.Platform.Storage;

namespace Lintel.Features.Chat;

/// <summary>Serves the lobby: what anybody sends goes to all who are there now, on every node, in one order.</summary>
internal sealed class LobbySocket(SocketHandshake handshake, Lobby lobby, ChatSeats seats, ChatLimits limits, StreamFollower follower)
{
    public async Task ServeAsync(HttpContext context)
    {
        if (!ChatName.TryParse((string)context.Request.RouteValues["client_id"]!, out var name))
        {
            await ErrorWriter.WriteAsync(context, ChatName.Invalid("client_id"));
            return;
        }

        if (name.IsReserved)
        {
            await ErrorWriter.WriteAsync(context, ApiErrors.NotFound());
            return;
        }

        ChatSeat? seat = null;
        try
        {
            using var connection = await handshake.AcceptAsync(
                context,
                Scopes.Chat,
                limits.MaxFrame,
                prepare: async caller =>
                {
                    (seat, var refusal) = await EnterAsync(name, caller);
                    return refusal;
                });
            if (connection is null)
            {
                return;
            }

            // Credentials came later than the handshake.
            if (seat is null)
            {
                (seat, var refusal) = await EnterAsync(name, connection.Caller);
                if (seat is null)
                {
                    await connection.RefuseAsync(refusal!.Message);
                    return;
                }
            }

            await StayAsync(connection, seat);
        }
        finally
        {
            if (seat is not null)
            {
                await seats.LeaveAsync(seat);
            }
        }
    }

    private async Task<(ChatSeat? Seat, ErrorResult? Refusal)> EnterAsync(ChatName name, Caller caller) =>
        await limits.TryJoinAsync(caller.OwnerId) is { } wait ? (null, RoomRefusals.TooManyJoins(wait))
        : await seats.EnterAsync((await lobby.GetAsync()).Id, caller.OwnerId, name) is { } seat ? (seat, null)
        : (null, RoomRefusals.NameHeld);

    private async Task StayAsync(SocketConnection connection, ChatSeat seat)
    {
        try
        {
            seat.Lost = () => _ = connection.CloseOutputAsync(System.Net.WebSockets.WebSocketCloseStatus.PolicyViolation, RoomRefusals.NameLost).AsTask();

            // Read before the client knows that it is in: it gets everything from then on.
            var stream = await lobby.GetAsync();
            var hello = ChatEvents.Frames(ChatEvents.Connection, new ChatConnection($"Connected as {seat.Name.Text}"), ChatJson.Default.ChatConnection);
            await connection.SendAsync(hello, 0, 1);
            var following = follower.RunAsync(stream, stream.Tail, new SocketFollowSink(connection));
            await ListenAsync(connection, seat);
            await following;
        }
        catch
        {
            await connection.FailAsync();
            throw;
        }
    }

    private async Task ListenAsync(SocketConnection connection, ChatSeat seat)
    {
        var allowance = limits.Of(connection.Caller);
        if (connection.HasFirstMessage)
        {
            // It has credentials in it, which are for nobody else.
            connection.HasFirstMessage = false;
        }

        while (await connection.ReceiveAsync() == SocketRead.Message)
        {
            if (IsForTheServer(connection.Message.Span))
            {
                await handshake.AnswerAsync(connection);
                continue;
            }

            var text = Encoding.UTF8.GetString(connection.Message.Span);
            if (!await allowance.TryTakeAsync(connection))
            {
                continue;
            }

            if ((ChatSecrets.MayBeIn(connection.Message.Span) ? ChatSecrets.Refusal : limits.Check(text)) is { } wrong)
            {
                await connection.SendErrorAsync(wrong);
                continue;
            }

            try
            {
                await lobby.SayAsync(seat.Name.Text, text);
            }
            catch (StorageUnavailableException failure)
            {
                // The socket stays: the database may be back in a moment.
                await connection.SendErrorAsync(failure.Message);
            }
        }
    }

    /// <summary>Each frame is what the user says, as it is; but for a new token, which is nobody's business, and a ping.</summary>
    private static bool IsForTheServer(ReadOnlySpan<byte> frame) =>
        frame.TrimStart(" \t\r\n"u8) is [(byte)'{', ..] && SocketEnvelope.Read(frame) is { Type: "auth" or "ping" };
}
