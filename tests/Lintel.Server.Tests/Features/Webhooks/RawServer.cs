using System.Net;
using System.Net.Sockets;

namespace Lintel.Features.Webhooks;

/// <summary>Answers each connection, whatever comes, with bytes of the test's own; what it writes is what the other end has taken or has buffers for.</summary>
internal sealed class RawServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<Stream, CancellationToken, Task> _answer;

    public RawServer(Func<Stream, CancellationToken, Task> answer)
    {
        _answer = answer;
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                _ = AnswerAsync(client);
            }
        }
        catch (Exception failure) when (failure is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task AnswerAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                await _answer(client.GetStream(), _stop.Token);
            }
            catch (Exception failure) when (failure is OperationCanceledException or IOException or ObjectDisposedException)
            {
                // The other end has had enough, or the test is over.
            }
        }
    }
}
