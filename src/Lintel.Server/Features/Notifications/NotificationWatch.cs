using Lintel.Features.Streams;
using Lintel.Platform.Security;
using Lintel.Platform.Sockets;

namespace Lintel.Features.Notifications;

/// <summary>Brings a person's notifications to open connections: what comes from now on, or from where they were.</summary>
internal sealed class NotificationWatch(Inboxes inboxes, StreamFollower follower, LiveConnections connections, SocketHandshake handshake, TimeProvider time)
{
    public async Task ServeEventsAsync(HttpContext context, Caller caller)
    {
        // Read before the reader sees the response, so that it misses nothing from then on.
        var stream = (await inboxes.GetAsync(caller.OwnerId, context.RequestAborted)).Stream;
        var cursor = StreamCursor.Of(context.Request);
        using var connection = await SseConnection.OpenAsync(context, caller, time);
        connections.Add(connection);
        try
        {
            var (after, reset) = Position(stream, cursor);
            if (reset is { } reason)
            {
                await connection.ResetAsync(stream, reason);
                return;
            }

            if (cursor is null)
            {
                await connection.WritePositionAsync(stream, after);
            }

            await follower.RunAsync(stream, after, connection);
            await connection.SayGoodbyeAsync();
        }
        finally
        {
            connections.Remove(connection);
        }
    }

    public async Task ServeSocketAsync(HttpContext context)
    {
        StreamInfo? stream = null;
        using var connection = await handshake.AcceptAsync(
            context,
            Scopes.Tasks,
            prepare: async caller =>
            {
                stream = (await inboxes.GetAsync(caller.OwnerId, CancellationToken.None)).Stream;
                return null;
            });
        if (connection is null)
        {
            return;
        }

        try
        {
            stream ??= (await inboxes.GetAsync(connection.Caller.OwnerId, CancellationToken.None)).Stream;
            var following = FollowAsync(new SocketFollowSink(connection), stream, StreamCursor.Of(context.Request));

            // What a client that listens may say: a new token, or that it is there.
            while (await connection.ReceiveAsync() == SocketRead.Message)
            {
                await handshake.AnswerAsync(connection);
            }

            await following;
        }
        catch
        {
            await connection.FailAsync();
            throw;
        }
    }

    private async Task FollowAsync(SocketFollowSink sink, StreamInfo stream, string? cursor)
    {
        var (after, reset) = Position(stream, cursor);
        if (reset is { } reason)
        {
            await sink.ResetAsync(stream, reason);
        }
        else
        {
            await follower.RunAsync(stream, after, sink);
        }
    }

    /// <summary>Without a cursor from now on: what came before is in the list.</summary>
    private static (long After, ResetReason? Reset) Position(StreamInfo stream, string? cursor) => cursor is null ? (stream.Tail, null) : stream.Position(cursor);
}
