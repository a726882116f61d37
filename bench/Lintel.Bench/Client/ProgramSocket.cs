using System.Net.WebSockets;
using System.Text.Json;
using Lintel.Bench.Servers;

namespace Lintel.Bench.Client;

/// <summary>A socket of <c>/ws/execute</c>. One at a time is timed, in milliseconds, so an ordinary client is exact enough.</summary>
internal sealed class ProgramSocket : IDisposable
{
    private readonly ClientWebSocket socket = new();
    private byte[] buffer = new byte[64 * 1024];

    public static async Task<ProgramSocket> OpenAsync(ChildServer server, Account account, CancellationToken cancellationToken)
    {
        var opened = new ProgramSocket();
        opened.socket.Options.SetRequestHeader("Authorization", $"Bearer {account.AccessToken}");
        await opened.socket.ConnectAsync(new Uri($"ws://{server.Endpoint}/ws/execute"), cancellationToken);
        return opened;
    }

    public Task SendAsync(object message, CancellationToken cancellationToken) =>
        socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(message), WebSocketMessageType.Text, endOfMessage: true, cancellationToken);

    public async Task ReadToOutputAsync(CancellationToken cancellationToken)
    {
        while ((await ReceiveAsync(cancellationToken)).GetProperty("type").GetString() != "output")
        {
        }
    }

    /// <summary>How many characters the program printed up to its end; any end but a good one, or that it was told to, is an error.</summary>
    public async Task<long> ReadToCompleteAsync(CancellationToken cancellationToken)
    {
        var characters = 0L;
        while (true)
        {
            var message = await ReceiveAsync(cancellationToken);
            switch (message.GetProperty("type").GetString())
            {
                case "output":
                    characters += message.GetProperty("data").GetString()!.Length;
                    break;
                case "complete" when message.GetProperty("verdict").GetString() is "ok" or "cancelled":
                    return characters;
                case "complete" or "error":
                    throw new IOException($"The program ended with {message}");
            }
        }
    }

    public void Dispose() => socket.Dispose();

    private async ValueTask<JsonElement> ReceiveAsync(CancellationToken cancellationToken)
    {
        var length = 0;
        while (true)
        {
            if (length == buffer.Length)
            {
                Array.Resize(ref buffer, buffer.Length * 2);
            }

            var result = await socket.ReceiveAsync(buffer.AsMemory(length), cancellationToken);
            if (result.MessageType == WebSocketMessageType.Close)
            {
                throw new IOException($"The server closed the socket: {socket.CloseStatus} {socket.CloseStatusDescription}.");
            }

            length += result.Count;
            if (result.EndOfMessage)
            {
                using var message = JsonDocument.Parse(buffer.AsMemory(0, length));
                return message.RootElement.Clone();
            }
        }
    }
}
