using Microsoft.AspNetCore.Http.Features;

namespace Lintel.Platform.Sockets;

/// <summary>Keeps hold of the connection below a WebSocket, so that what many sockets are sent can be written as it is (<see cref="SocketFrames"/>).</summary>
internal sealed class SocketUpgrade(IHttpUpgradeFeature upgrade) : IHttpUpgradeFeature
{
    public bool IsUpgradableRequest => upgrade.IsUpgradableRequest;

    /// <summary>The connection, once it is a WebSocket's.</summary>
    public SocketStream? Stream { get; private set; }

    public async Task<Stream> UpgradeAsync() => Stream = new SocketStream(await upgrade.UpgradeAsync());
}

/// <summary>
/// A connection with two writers: the framework's WebSocket, which sends pings and pongs whenever it likes, and frames that are ready. Each writes whole frames, and
/// one frame is in the connection's buffer before the next begins.
/// </summary>
internal sealed class SocketStream(Stream inner) : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => inner.ReadAsync(buffer, cancellationToken);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        inner.ReadAsync(buffer, offset, count, cancellationToken);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        // Kestrel copies the bytes before it returns, and waits afterwards for a client that is slow; two may wait at once.
        lock (inner)
        {
            return inner.WriteAsync(buffer, cancellationToken);
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken)
    {
        lock (inner)
        {
            return inner.FlushAsync(cancellationToken);
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

    public override void Write(byte[] buffer, int offset, int count) => inner.Write(buffer, offset, count);

    public override void Flush() => inner.Flush();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }
}

internal static class SocketUpgradeSetup
{
    /// <summary>As the framework's <c>UseWebSockets</c>, with the connection below each socket kept within reach.</summary>
    public static void UseSockets(this IApplicationBuilder app)
    {
        app.Use(static next => context =>
        {
            if (context.Request.Headers.Upgrade.Count > 0 && context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true } upgrade)
            {
                context.Features.Set<IHttpUpgradeFeature>(new SocketUpgrade(upgrade));
            }

            return next(context);
        });
        app.UseWebSockets();
    }
}
