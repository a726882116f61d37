using System.Buffers;
using System.Buffers.Text;
using System.IO.Pipelines;
using System.Text;
using Lintel.Platform.Security;
using Lintel.Platform.Sockets;
using Lintel.Platform.Threading;
using Microsoft.AspNetCore.Http.Features;

namespace Lintel.Features.Streams;

/// <summary>
/// A response of Server-Sent Events, written to the response's pipe. The framework's own result sends no comments to keep proxies awake and holds the headers
/// back until the first event.
/// </summary>
internal sealed class SseConnection : LiveConnection, IFollowSink, IDisposable
{
    private static readonly TimeSpan HeartbeatInterval = TimeSpan.FromSeconds(15);

    private const int FlushBytes = 64 * 1024;

    private readonly HttpContext _context;
    private readonly PipeWriter _body;
    private readonly TimeProvider _time;
    private readonly CancellationTokenRegistration _aborted;
    private byte[]? _idPrefix;
    private long _heartbeatAt;
    private long _writeDeadline = long.MaxValue;
    private volatile EndReason _end;

    private SseConnection(HttpContext context, Caller caller, TimeProvider time)
        : base(caller)
    {
        _context = context;
        _body = context.Response.BodyWriter;
        _time = time;
        ScheduleHeartbeat();
        _aborted = context.RequestAborted.UnsafeRegister(static state => ((SseConnection)state!).Signal.Set(), this);
    }

    public AsyncSignal Signal { get; } = new();

    public bool IsEnding => _end != EndReason.None || _context.RequestAborted.IsCancellationRequested;

    /// <summary>Sends the response's head and the reconnect hint at once, before there is any event.</summary>
    public static async ValueTask<SseConnection> OpenAsync(HttpContext context, Caller caller, TimeProvider time)
    {
        var response = context.Response;
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-cache, no-store, no-transform";
        response.Headers["X-Accel-Buffering"] = "no";
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();

        // A reader that stops reading is found by the write deadline; a stream that is slow on purpose is no attack.
        if (context.Features.Get<Microsoft.AspNetCore.Server.Kestrel.Core.Features.IHttpMinResponseDataRateFeature>() is { } rate)
        {
            rate.MinDataRate = null;
        }

        var connection = new SseConnection(context, caller, time);
        connection._body.Write("retry: 1000\n\n"u8);
        await connection.FlushAsync();
        return connection;
    }

    public async ValueTask WriteAsync(StreamInfo stream, EventBatch batch, int index)
    {
        _idPrefix ??= Encoding.UTF8.GetBytes($"id: {stream.Name}.{stream.Epoch}.");
        for (var i = index; i < batch.Events.Length && !IsEnding; i++)
        {
            Encode(batch.FirstSeq + i, batch.Events[i]);

            // In pieces: a reader that is slow but reads is not taken for one that stopped, and no reader holds a whole batch.
            if (_body.UnflushedBytes >= FlushBytes)
            {
                await FlushAsync();
            }
        }

        await FlushAsync();
    }

    /// <summary>Tells the reader where it stands before there is an event, so that it can come back to there.</summary>
    public ValueTask WritePositionAsync(StreamInfo stream, long seq)
    {
        _body.Write(Encoding.UTF8.GetBytes($"id: {stream.IdOf(seq)}\n\n"));
        return FlushAsync();
    }

    /// <summary>Writes an event that is not part of any stream.</summary>
    public ValueTask WriteAsync(string kind, ReadOnlySpan<byte> data)
    {
        _body.Write("event: "u8);
        _body.Write(Encoding.UTF8.GetBytes(kind));
        _body.Write("\ndata: "u8);
        _body.Write(data);
        _body.Write("\n\n"u8);
        return FlushAsync();
    }

    public ValueTask ResetAsync(StreamInfo stream, ResetReason reason)
    {
        // The empty id makes a browser forget the cursor that cannot be served.
        _body.Write("id:\n"u8);
        return WriteAsync(StreamReset.EventName, StreamText.Reset(stream, reason));
    }

    // The response ends with its handler.
    public ValueTask CompleteAsync() => ValueTask.CompletedTask;

    // The exception itself cuts the response off.
    public void Break()
    {
    }

    public ValueTask IdleAsync()
    {
        if (IsEnding || _time.GetUtcNow().Ticks < Volatile.Read(ref _heartbeatAt))
        {
            return ValueTask.CompletedTask;
        }

        _body.Write(": keep-alive\n\n"u8);
        return FlushAsync();
    }

    /// <summary>Says why the stream ends here, where the reader can still be told; it will come back by itself.</summary>
    public async ValueTask SayGoodbyeAsync()
    {
        if (_end == EndReason.ServerStopping && !_context.RequestAborted.IsCancellationRequested)
        {
            _body.Write(": the server is going away, reconnect to go on\n\n"u8);
            await FlushAsync();
        }
    }

    public override void Tick(DateTimeOffset now)
    {
        if (now.Ticks > Volatile.Read(ref _writeDeadline))
        {
            Abort(_context);
        }
        else if (Caller.KeyId is not null && now > Caller.ExpiresAt)
        {
            // Not so with tokens: they are good for minutes, and a stream that watches for hours goes on until its session ends.
            End(EndReason.Expired);
        }
        else if (now.Ticks >= Volatile.Read(ref _heartbeatAt))
        {
            Signal.Set();
        }
    }

    public override void End(EndReason reason)
    {
        _end = reason;
        Signal.Set();
        if (Volatile.Read(ref _writeDeadline) != long.MaxValue && reason != EndReason.ServerStopping)
        {
            Abort(_context);
        }
    }

    public void Dispose()
    {
        Release();
        _aborted.Dispose();
    }

    private async ValueTask FlushAsync()
    {
        var pending = _body.FlushAsync(CancellationToken.None);
        if (!pending.IsCompleted)
        {
            Volatile.Write(ref _writeDeadline, _time.GetUtcNow().Ticks + SocketConnection.WriteDeadline.Ticks);
            await pending;
            Volatile.Write(ref _writeDeadline, long.MaxValue);
        }
        else
        {
            await pending;
        }

        ScheduleHeartbeat();
    }

    private void ScheduleHeartbeat() =>
        Volatile.Write(ref _heartbeatAt, _time.GetUtcNow().Ticks + HeartbeatInterval.Ticks - Random.Shared.NextInt64(2 * TimeSpan.TicksPerSecond));

    private void Encode(long seq, in StreamEvent item)
    {
        // Room for the fixed words and the number too.
        var span = _body.GetSpan(_idPrefix!.Length + (item.Kind.Length * 3) + item.Data.Length + 48);
        var length = 0;
        Put(span, ref length, _idPrefix);
        Utf8Formatter.TryFormat(seq, span[length..], out var digits);
        length += digits;
        Put(span, ref length, "\nevent: "u8);
        length += Encoding.UTF8.GetBytes(item.Kind, span[length..]);
        Put(span, ref length, "\ndata: "u8);
        Put(span, ref length, item.Data.Span);
        Put(span, ref length, "\n\n"u8);
        _body.Advance(length);
    }

    private static void Put(Span<byte> span, ref int length, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(span[length..]);
        length += bytes.Length;
    }
}
