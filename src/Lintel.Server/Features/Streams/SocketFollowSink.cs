using System.Net.WebSockets;
using Lintel.Platform.Security;
using Lintel.Platform.Sockets;
using Lintel.Platform.Threading;

namespace Lintel.Features.Streams;

/// <summary>Brings a stream's events to a WebSocket, one message an event.</summary>
internal sealed class SocketFollowSink : IFollowSink
{
    private readonly SocketConnection _connection;

    public SocketFollowSink(SocketConnection connection)
    {
        _connection = connection;
        connection.WhenEnding = Signal;
    }

    public AsyncSignal Signal { get; } = new();

    public bool IsEnding => _connection.IsEnding;

    public async ValueTask WriteAsync(StreamInfo stream, EventBatch batch, int index) =>
        await _connection.SendAsync(batch.ToFrames(stream), index, batch.Events.Length);

    public async ValueTask ResetAsync(StreamInfo stream, ResetReason reason)
    {
        await _connection.SendAsync(StreamText.ResetMessage(stream, reason));
        await CompleteAsync();
    }

    public async ValueTask CompleteAsync() => await _connection.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "Done");

    public void Break() => _connection.End(EndReason.ServerError);

    // The protocol's own pings keep an idle socket alive.
    public ValueTask IdleAsync() => ValueTask.CompletedTask;
}
