using System.Buffers;
using System.Net.WebSockets;
using Lintel.Platform.Security;
using Lintel.Platform.Threading;
using Microsoft.AspNetCore.Http.Features;

namespace Lintel.Platform.Sockets;

/// <summary>
/// A WebSocket of a signed-in caller: JSON text in, JSON text out. It holds no buffer while nothing is on its way, ends when its session does, and
/// gives up on a client that stops reading.
/// </summary>
internal sealed class SocketConnection : LiveConnection, IDisposable
{
    public const int DefaultMaxMessage = 256 * 1024;

    /// <summary>The largest message of a client that has not said who it is.</summary>
    public const int MaxFirstMessage = 64 * 1024;

    private const int FirstBuffer = 4096;

    // What is ready is written in pieces: a reader that is slow but reads is not taken for one that stopped.
    private const int MaxWrite = 64 * 1024;

    /// <summary>How long a write may take before its reader counts as gone.</summary>
    internal static readonly TimeSpan WriteDeadline = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan MessageDeadline = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan CloseDeadline = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ExpiryGrace = TimeSpan.FromSeconds(10);

    private readonly WebSocket _socket;
    private readonly HttpContext _context;
    private readonly SocketStream? _stream;
    private readonly LiveConnections _registry;
    private readonly TimeProvider _time;
    private int _maxMessage;
    private SemaphoreSlim? _sending;
    private byte[]? _buffer;
    private int _length;
    private long _writeDeadline = long.MaxValue;
    private long _messageDeadline = long.MaxValue;
    private long _closeDeadline = long.MaxValue;
    private int _ending;

    /// <summary>Takes over an accepted socket, and registers it until it is disposed.</summary>
    public SocketConnection(HttpContext context, WebSocket socket, Caller caller, LiveConnections registry, TimeProvider time, int maxMessage)
        : base(caller)
    {
        _context = context;
        _socket = socket;
        _stream = (context.Features.Get<IHttpUpgradeFeature>() as SocketUpgrade)?.Stream;
        _registry = registry;
        _time = time;
        _maxMessage = maxMessage;
        Route = (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "";
        registry.Add(this);
    }

    /// <summary>The pattern that its path matched.</summary>
    public string Route { get; }

    /// <summary>Is set when the connection begins to end, from any thread.</summary>
    public AsyncSignal? WhenEnding { get; set; }

    /// <summary>The message that was read last, with the credentials in it, is also the first that the socket is to answer.</summary>
    public bool HasFirstMessage { get; set; }

    /// <summary>One writer at a time. Made by the first write: most sockets sleep, and many never send.</summary>
    private SemaphoreSlim Sending => _sending ?? Interlocked.CompareExchange(ref _sending, new SemaphoreSlim(1, 1), null) ?? _sending;

    // The pool gives more than was asked for; a message may have no more than the limit.
    private int Capacity => Math.Min(_buffer!.Length, _maxMessage);

    public bool IsEnding => Volatile.Read(ref _ending) != 0;

    /// <summary>The message that was read last; valid until the next read.</summary>
    public ReadOnlyMemory<byte> Message => _buffer.AsMemory(0, _length);

    /// <summary>Waits for the next message. What is not text or not JSON ends the connection with 1003, what is too big with 1009.</summary>
    public async ValueTask<SocketRead> ReceiveAsync()
    {
        ReturnBuffer();
        try
        {
            // While idle the connection waits without a buffer.
            var result = await _socket.ReceiveAsync(Memory<byte>.Empty, CancellationToken.None);
            _buffer = ArrayPool<byte>.Shared.Rent(FirstBuffer);
            _length = 0;
            Volatile.Write(ref _messageDeadline, _time.GetUtcNow().Ticks + MessageDeadline.Ticks);
            while (result is { EndOfMessage: false, MessageType: WebSocketMessageType.Text })
            {
                if (_length == Capacity && !TryGrow())
                {
                    await CloseAsync(WebSocketCloseStatus.MessageTooBig, "Message too big");
                    return SocketRead.Closed;
                }

                result = await _socket.ReceiveAsync(_buffer.AsMemory(_length, Capacity - _length), CancellationToken.None);
                _length += result.Count;
            }

            Volatile.Write(ref _messageDeadline, long.MaxValue);
            if (result.MessageType == WebSocketMessageType.Binary)
            {
                await CloseAsync(WebSocketCloseStatus.InvalidMessageType, "Only JSON text is understood");
                return SocketRead.Closed;
            }

            if (result.MessageType == WebSocketMessageType.Close)
            {
                await FinishCloseAsync();
                return SocketRead.Closed;
            }

            if (IsEnding)
            {
                // It was told that it is over, and its credentials may be worth nothing any more: what it still says is not heard.
                await DropAsync();
                return SocketRead.Closed;
            }

            return SocketRead.Message;
        }
        catch (Exception failure) when (IsGone(failure))
        {
            MarkEnding();
            return SocketRead.Closed;
        }
    }

    /// <summary>Sends one text message. Returns false when the connection is over.</summary>
    public async ValueTask<bool> SendAsync(ReadOnlyMemory<byte> utf8)
    {
        if (IsEnding)
        {
            return false;
        }

        var sending = Sending;
        await sending.WaitAsync();
        try
        {
            Volatile.Write(ref _writeDeadline, _time.GetUtcNow().Ticks + WriteDeadline.Ticks);
            await _socket.SendAsync(utf8, WebSocketMessageType.Text, WebSocketMessageFlags.EndOfMessage, CancellationToken.None);
            return true;
        }
        catch (Exception failure) when (IsGone(failure))
        {
            MarkEnding();
            return false;
        }
        finally
        {
            Volatile.Write(ref _writeDeadline, long.MaxValue);
            sending.Release();
        }
    }

    /// <summary>Sends messages that are encoded already, from one up to before another. Returns false when the connection is over.</summary>
    public async ValueTask<bool> SendAsync(SocketFrames frames, int index, int end)
    {
        while (index < end)
        {
            if (_stream is null)
            {
                if (!await SendAsync(frames.MessageAt(index++)))
                {
                    return false;
                }

                continue;
            }

            var (bytes, next) = frames.Take(index, end, MaxWrite);
            if (!await WriteAsync(_stream, bytes))
            {
                return false;
            }

            index = next;
        }

        return true;
    }

    public ValueTask<bool> SendErrorAsync(string message) => SendAsync(SocketText.Error(message));

    /// <summary>Says why, then closes.</summary>
    public async ValueTask RefuseAsync(string reason)
    {
        await SendErrorAsync(reason);
        await CloseAsync(WebSocketCloseStatus.PolicyViolation, reason);
    }

    /// <summary>Closes after a failure of the server's own, which goes up to be logged.</summary>
    public ValueTask FailAsync() => CloseAsync(WebSocketCloseStatus.InternalServerError, "Server error");

    /// <summary>Sends the close frame and waits a moment for the client's.</summary>
    public async ValueTask CloseAsync(WebSocketCloseStatus status, string reason)
    {
        await CloseOutputAsync(status, reason);
        try
        {
            await DropAsync();
        }
        catch (Exception failure) when (IsGone(failure))
        {
        }
    }

    /// <summary>Reads what the client still sends before its close frame; the deadline ends one that never closes.</summary>
    private async ValueTask DropAsync()
    {
        var buffer = ArrayPool<byte>.Shared.Rent(FirstBuffer);
        try
        {
            while (_socket.State is WebSocketState.Open or WebSocketState.CloseSent
                && (await _socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None)).MessageType != WebSocketMessageType.Close)
            {
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Sends the close frame, for when someone else is reading the socket and will see the client's.</summary>
    public async ValueTask CloseOutputAsync(WebSocketCloseStatus status, string reason)
    {
        MarkEnding();
        Volatile.Write(ref _closeDeadline, _time.GetUtcNow().Ticks + CloseDeadline.Ticks);
        var sending = Sending;
        await sending.WaitAsync();
        try
        {
            if (_socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
            {
                await _socket.CloseOutputAsync(status, reason, CancellationToken.None);
            }
        }
        catch (Exception failure) when (IsGone(failure))
        {
        }
        finally
        {
            sending.Release();
        }
    }

    /// <summary>Puts a new credential of the same owner in the place of the one that the socket was opened with.</summary>
    public void Renew(Caller caller) => Caller = caller;

    /// <summary>Takes messages up to this size from now on.</summary>
    public void Allow(int maxMessage) => _maxMessage = maxMessage;

    public override void Tick(DateTimeOffset now)
    {
        var ticks = now.Ticks;
        if (ticks > Volatile.Read(ref _writeDeadline) || ticks > Volatile.Read(ref _messageDeadline) || ticks > Volatile.Read(ref _closeDeadline))
        {
            Abort(_context);
        }
        else if (!IsEnding && Caller is var caller && now - (caller.KeyId is null ? ExpiryGrace : TimeSpan.Zero) > caller.ExpiresAt)
        {
            // A token is renewed on the open socket, which takes a moment; a key is not.
            End(EndReason.Expired);
        }
    }

    public override void End(EndReason reason)
    {
        if (IsEnding)
        {
            return;
        }

        var (status, text) = reason switch
        {
            EndReason.Revoked or EndReason.Expired when Caller.KeyId is not null => (WebSocketCloseStatus.PolicyViolation, SocketHandshake.InvalidKey),
            EndReason.Revoked => (WebSocketCloseStatus.PolicyViolation, "Signed out"),
            EndReason.Expired => (WebSocketCloseStatus.PolicyViolation, "Token expired"),
            EndReason.ServerError => (WebSocketCloseStatus.InternalServerError, "Server error"),
            EndReason.ServerStopping => (WebSocketCloseStatus.EndpointUnavailable, "Server going away"),
            _ => (WebSocketCloseStatus.PolicyViolation, "Reading too slowly"),
        };

        // Not awaited: whoever ends a connection must not wait for it, and the deadline sees to its end.
        _ = CloseOutputAsync(status, text).AsTask();
    }

    public void Dispose()
    {
        // The semaphore is left to the collector: someone may just be waiting for it, and it holds nothing.
        Release();
        _registry.Remove(this);
        ReturnBuffer();

        // After a breach of the protocol the framework has sent its close frame (1002), and disposing would reset the connection before the client can read it.
        // Left alone it ends in good order with the request; it holds nothing but memory.
        if (_socket.State != WebSocketState.Aborted)
        {
            _socket.Dispose();
        }
    }

    private async ValueTask<bool> WriteAsync(SocketStream stream, ReadOnlyMemory<byte> frames)
    {
        if (IsEnding)
        {
            return false;
        }

        var sending = Sending;
        await sending.WaitAsync();
        try
        {
            // Behind the close frame nothing may come.
            if (_socket.State is not (WebSocketState.Open or WebSocketState.CloseReceived))
            {
                return false;
            }

            Volatile.Write(ref _writeDeadline, _time.GetUtcNow().Ticks + WriteDeadline.Ticks);
            await stream.WriteAsync(frames, CancellationToken.None);
            return true;
        }
        catch (Exception failure) when (IsGone(failure))
        {
            MarkEnding();
            return false;
        }
        finally
        {
            Volatile.Write(ref _writeDeadline, long.MaxValue);
            sending.Release();
        }
    }

    private bool TryGrow()
    {
        if (_buffer!.Length >= _maxMessage)
        {
            return false;
        }

        var larger = ArrayPool<byte>.Shared.Rent(Math.Min(_buffer.Length * 4, _maxMessage));
        _buffer.AsSpan(0, _length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
        return true;
    }

    private async ValueTask FinishCloseAsync()
    {
        var first = !IsEnding;
        MarkEnding();
        if (first)
        {
            await CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "");
        }
    }

    private void MarkEnding()
    {
        if (Interlocked.Exchange(ref _ending, 1) == 0)
        {
            WhenEnding?.Set();
        }
    }

    private void ReturnBuffer()
    {
        if (_buffer is { } buffer)
        {
            ArrayPool<byte>.Shared.Return(buffer);
            _buffer = null;
            _length = 0;
        }
    }

    /// <summary>What a broken or ended connection throws (the pipe below an aborted one: InvalidOperationException); anything else is a bug and goes up.</summary>
    private static bool IsGone(Exception failure) =>
        failure is WebSocketException or OperationCanceledException or IOException or ObjectDisposedException or InvalidOperationException;
}
