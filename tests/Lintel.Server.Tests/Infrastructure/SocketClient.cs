using System.Net.WebSockets;
using System.Text;
using System.Text.Json;

namespace Lintel.Infrastructure;

/// <summary>A WebSocket as a client program has it.</summary>
internal sealed class SocketClient : IAsyncDisposable
{
    private readonly ClientWebSocket _socket = new();

    public WebSocketCloseStatus? CloseStatus => _socket.CloseStatus;

    public string? CloseReason => _socket.CloseStatusDescription;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<SocketClient> OpenAsync(Uri address, string? header = null, string? value = null)
    {
        var client = new SocketClient();
        if (header is not null)
        {
            client._socket.Options.SetRequestHeader(header, value);
        }

        client._socket.Options.CollectHttpResponseDetails = true;
        await client._socket.ConnectAsync(address, Cancel);
        return client;
    }

    public Task SendAsync(string text) => SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text);

    public Task SendAsync(object message) => SendAsync(JsonSerializer.Serialize(message));

    public Task SendAsync(byte[] bytes, WebSocketMessageType type) => _socket.SendAsync(bytes, type, endOfMessage: true, Cancel);

    /// <summary>Sends a message in several frames.</summary>
    public async Task SendInFramesAsync(string text, int frame)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        for (var i = 0; i < bytes.Length; i += frame)
        {
            await _socket.SendAsync(bytes.AsMemory(i, Math.Min(frame, bytes.Length - i)), WebSocketMessageType.Text, i + frame >= bytes.Length, Cancel);
        }
    }

    /// <summary>The next message; null when the server has closed the socket, whose close is then answered.</summary>
    public async Task<JsonElement?> ReceiveAsync()
    {
        var bytes = new MemoryStream();
        var buffer = new byte[64 * 1024];
        while (true)
        {
            var result = await _socket.ReceiveAsync(buffer, Cancel);
            if (result.MessageType == WebSocketMessageType.Close)
            {
                if (_socket.State == WebSocketState.CloseReceived)
                {
                    await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", Cancel);
                }

                return null;
            }

            bytes.Write(buffer, 0, result.Count);
            if (result.EndOfMessage)
            {
                return JsonDocument.Parse(bytes.ToArray()).RootElement;
            }
        }
    }

    public async Task<List<JsonElement>> ReceiveToEndAsync()
    {
        List<JsonElement> all = [];
        while (await ReceiveAsync() is { } message)
        {
            all.Add(message);
        }

        return all;
    }

    /// <summary>Reads what is left and checks how the server closes.</summary>
    public async Task AssertClosedAsync(WebSocketCloseStatus status, string? reason = null)
    {
        await ReceiveToEndAsync();
        Assert.Equal(status, CloseStatus);
        if (reason is not null)
        {
            Assert.Equal(reason, CloseReason);
        }
    }

    public Task CloseAsync() => _socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "bye", Cancel);

    public ValueTask DisposeAsync()
    {
        _socket.Dispose();
        return ValueTask.CompletedTask;
    }
}
