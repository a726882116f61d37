using System.Net;
using System.Net.Sockets;

namespace Lintel.Cli.Infrastructure;

/// <summary>A network between a client and the server that can be broken: what is under way is lost, and with it whatever was not delivered.</summary>
public sealed class TcpProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Uri _server;
    private readonly List<TcpClient> _open = [];
    private readonly Task _accepting;
    private volatile bool _isDown;

    public TcpProxy(Uri server)
    {
        _server = server;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    /// <summary>Resets every connection.</summary>
    /// <param name="stayDown">New ones are not accepted either, until <see cref="Repair"/>.</param>
    public void Break(bool stayDown = false)
    {
        lock (_open)
        {
            _isDown = stayDown;
            foreach (var connection in _open)
            {
                Reset(connection);
            }

            _open.Clear();
        }
    }

    public void Repair() => _isDown = false;

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _accepting;
        Break();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync();
                if (_isDown)
                {
                    Reset(client);
                }
                else
                {
                    _ = RelayAsync(client);
                }
            }
        }
        catch (Exception stopped) when (stopped is SocketException or ObjectDisposedException)
        {
            // As it is told to.
        }
    }

    private async Task RelayAsync(TcpClient client)
    {
        var server = new TcpClient { NoDelay = true };
        client.NoDelay = true;
        lock (_open)
        {
            _open.AddRange([client, server]);
        }

        try
        {
            await server.ConnectAsync(_server.Host, _server.Port);
            await Task.WhenAll(CopyAsync(client, server), CopyAsync(server, client));
        }
        catch (Exception broken) when (broken is IOException or SocketException or ObjectDisposedException or InvalidOperationException)
        {
            Reset(client);
            Reset(server);
        }
    }

    private static async Task CopyAsync(TcpClient from, TcpClient to)
    {
        await from.GetStream().CopyToAsync(to.GetStream());
        to.Client.Shutdown(SocketShutdown.Send);
    }

    private static void Reset(TcpClient connection)
    {
        try
        {
            connection.LingerState = new LingerOption(enable: true, seconds: 0);
        }
        catch (Exception gone) when (gone is SocketException or ObjectDisposedException)
        {
            // It is closed already.
        }

        connection.Dispose();
    }
}
