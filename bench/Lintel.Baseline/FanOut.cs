using System.Net.WebSockets;

namespace Lintel.Baseline;

/// <summary>Sends what any client sends to all: no history, no order between senders, each message to one client after the other by a loop of its own.</summary>
internal sealed class FanOut
{
    private const int MaxMessage = 16 * 1024;

    private readonly Lock _gate = new();
    private List<Member> _members = [];

    public async Task RunAsync(HttpContext context)
    {
        if (!context.WebSockets.IsWebSocketRequest)
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            return;
        }

        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        using var member = new Member(socket);
        lock (_gate)
        {
            _members = [.. _members, member];
        }

        try
        {
            var buffer = new byte[MaxMessage];
            while (await socket.ReceiveAsync(buffer.AsMemory(), context.RequestAborted) is { MessageType: not WebSocketMessageType.Close } received)
            {
                var message = buffer.AsMemory(0, received.Count).ToArray();
                foreach (var each in Volatile.Read(ref _members))
                {
                    await each.SendAsync(message);
                }
            }
        }
        catch (Exception gone) when (gone is WebSocketException or OperationCanceledException)
        {
        }
        finally
        {
            lock (_gate)
            {
                _members = [.. _members.Where(other => other != member)];
            }
        }
    }

    private sealed class Member(WebSocket socket) : IDisposable
    {
        private readonly SemaphoreSlim _sending = new(1, 1);

        public async ValueTask SendAsync(ReadOnlyMemory<byte> message)
        {
            try
            {
                await _sending.WaitAsync();
                try
                {
                    await socket.SendAsync(message, WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
                }
                finally
                {
                    _sending.Release();
                }
            }
            catch (Exception gone) when (gone is WebSocketException or ObjectDisposedException or InvalidOperationException)
            {
                // It has left.
            }
        }

        public void Dispose() => _sending.Dispose();
    }
}
