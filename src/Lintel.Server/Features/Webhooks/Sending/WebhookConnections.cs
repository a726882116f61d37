using System.Net;
using System.Net.Sockets;

namespace Lintel.Features.Webhooks.Sending;

/// <summary>All addresses of a name.</summary>
internal delegate Task<IPAddress[]> ResolveHost(string host, CancellationToken cancellationToken);

/// <summary>None of a target's addresses is one that is sent to.</summary>
internal sealed class TargetRefusedException() : IOException("The target's address is not public.");

/// <summary>
/// Connections to targets. The addresses of a name are looked at when they are connected to, and what was looked at is what is connected to: a name that leads elsewhere a moment
/// later leads nobody there.
/// </summary>
internal sealed class WebhookConnections : IDisposable
{
    private const int MaxAddresses = 4;
    private const int MaxHeadersKilobytes = 16;

    private static readonly TimeSpan AddressPatience = TimeSpan.FromSeconds(3);

    private readonly TargetAddresses _addresses;
    private readonly ResolveHost _resolve;
    private readonly TimeProvider _time;

    public WebhookConnections(TargetAddresses addresses, ResolveHost resolve, WebhookOptions options, TimeProvider time)
    {
        _addresses = addresses;
        _resolve = resolve;
        _time = time;
        Client = new HttpMessageInvoker(new SocketsHttpHandler
        {
            ConnectCallback = ConnectAsync,
            // Longer than anybody waits for the answer, so that of the two that one is told.
            ConnectTimeout = options.Timeout + AddressPatience,

            // Each of these would send somebody's secrets, or the request itself, to where nobody has looked.
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            Credentials = null,
            ActivityHeadersPropagator = null,

            AutomaticDecompression = DecompressionMethods.None,
            MaxResponseHeadersLength = MaxHeadersKilobytes,
            MaxResponseDrainSize = 0,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        });
    }

    public HttpMessageInvoker Client { get; }

    public void Dispose() => Client.Dispose();

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var target = context.DnsEndPoint;
        var host = target.Host.Trim('[', ']');
        var resolved = IPAddress.TryParse(host, out var literal) ? [literal] : await _resolve(host, cancellationToken).WaitAsync(cancellationToken);
        var addresses = resolved.Where(_addresses.Allow).Take(MaxAddresses).ToArray();
        if (addresses.Length == 0)
        {
            throw resolved.Length == 0 ? new SocketException((int)SocketError.HostNotFound) : new TargetRefusedException();
        }

        for (var i = 0; ; i++)
        {
            try
            {
                return await ConnectAsync(new IPEndPoint(addresses[i], target.Port), cancellationToken);
            }
            catch (SocketException) when (i < addresses.Length - 1)
            {
                // The next one may answer.
            }
        }
    }

    private async Task<Stream> ConnectAsync(IPEndPoint address, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(AddressPatience, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(address, either.Token);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            socket.Dispose();
            throw new SocketException((int)SocketError.TimedOut);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
