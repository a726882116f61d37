using System.Buffers;
using System.Globalization;
using System.Net.WebSockets;

namespace Lintel.Baseline;

/// <summary>Sends every message back; with <c>?reply=N</c> it answers each with N bytes instead, to match another server's answers.</summary>
internal static class Echo
{
    private const int MaxMessage = 16 * 1024;

    public static async Task RunAsync(HttpContext context)
    {
        if (!context.WebSockets.IsWebSocketRequest)
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            return;
        }

        var reply = int.TryParse(context.Request.Query["reply"], NumberStyles.None, CultureInfo.InvariantCulture, out var size)
            ? Enumerable.Repeat((byte)'x', size).ToArray()
            : null;

        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        while (await AnswerOneAsync(socket, reply, context.RequestAborted))
        {
        }
    }

    /// <summary>Holds a buffer only while a message is there: the wait for it is a read of zero bytes.</summary>
    private static async Task<bool> AnswerOneAsync(WebSocket socket, byte[]? reply, CancellationToken cancellationToken)
    {
        var waited = await socket.ReceiveAsync(Memory<byte>.Empty, cancellationToken);
        if (waited.MessageType == WebSocketMessageType.Close)
        {
            return false;
        }

        var buffer = ArrayPool<byte>.Shared.Rent(MaxMessage);
        try
        {
            var length = 0;
            ValueWebSocketReceiveResult received = waited;
            while (!received.EndOfMessage)
            {
                if (length == buffer.Length)
                {
                    return false;
                }

                received = await socket.ReceiveAsync(buffer.AsMemory(length), cancellationToken);
                length += received.Count;
            }

            var answer = reply is null ? buffer.AsMemory(0, length) : reply;
            await socket.SendAsync(answer, WebSocketMessageType.Text, endOfMessage: true, cancellationToken);
            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
