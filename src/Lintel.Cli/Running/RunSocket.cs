using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text.Json;
using Lintel.Cli.Accounts;
using Lintel.Cli.Api;

namespace Lintel.Cli.Running;

/// <summary>The connection over which a program is run. Once it is broken, sending does nothing and there is nothing more to receive.</summary>
internal sealed class RunSocket : IDisposable
{
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ClientWebSocket _socket;
    private readonly SemaphoreSlim _sending = new(1, 1);
    private readonly ArrayBufferWriter<byte> _message = new(16 * 1024);

    private RunSocket(ClientWebSocket socket) => _socket = socket;

    /// <summary>How the server closed it; null where it broke.</summary>
    public WebSocketCloseStatus? CloseStatus => _socket.CloseStatus;

    /// <exception cref="CommandException">The server refused.</exception>
    /// <exception cref="ServerUnreachableException">It was not reached.</exception>
    public static async Task<RunSocket> ConnectAsync(ApiClient api, CancellationToken cancellationToken)
    {
        var credential = await api.Credentials!.GetAsync(cancellationToken);
        try
        {
            return await ConnectAsync(api, credential, cancellationToken);
        }
        catch (CommandException refused) when (refused.ExitCode == ExitCode.NotAllowed && credential.Token is not null)
        {
            if (await api.Credentials.RenewAsync(credential.Token, cancellationToken) is not { } renewed)
            {
                throw;
            }

            return await ConnectAsync(api, renewed, cancellationToken);
        }
    }

    /// <summary>False when the connection is broken.</summary>
    public Task<bool> SendAsync(SocketCommand command) => SendAsync(JsonSerializer.SerializeToUtf8Bytes(command, ApiJson.Compact.SocketCommand));

    /// <inheritdoc cref="SendAsync(SocketCommand)"/>
    public async Task<bool> SendAsync(byte[] message)
    {
        await _sending.WaitAsync();
        try
        {
            await _socket.SendAsync(message, WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
            return true;
        }
        catch (Exception broken) when (broken is WebSocketException or IOException or ObjectDisposedException or InvalidOperationException or OperationCanceledException)
        {
            return false;
        }
        finally
        {
            _sending.Release();
        }
    }

    /// <summary>The next message, good until the one after; null when the server closed the connection or it broke.</summary>
    public async Task<ReadOnlyMemory<byte>?> ReceiveAsync(CancellationToken cancellationToken)
    {
        _message.ResetWrittenCount();
        try
        {
            while (true)
            {
                var part = await _socket.ReceiveAsync(_message.GetMemory(16 * 1024), cancellationToken);
                if (part.MessageType == WebSocketMessageType.Close)
                {
                    return null;
                }

                _message.Advance(part.Count);
                if (part.EndOfMessage)
                {
                    return _message.WrittenMemory;
                }
            }
        }
        catch (Exception broken) when (broken is WebSocketException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            return null;
        }
    }

    public void Dispose() => _socket.Dispose();

    private static async Task<RunSocket> ConnectAsync(ApiClient api, Credential credential, CancellationToken cancellationToken)
    {
        var socket = new ClientWebSocket();
        try
        {
            var (name, value) = credential.Header;
            socket.Options.SetRequestHeader(name, value);
            socket.Options.CollectHttpResponseDetails = true;
            socket.Options.KeepAliveInterval = KeepAlive;
            socket.Options.KeepAliveTimeout = KeepAlive;
            using var invoker = new HttpMessageInvoker(api.Handler, disposeHandler: false);
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            patience.CancelAfter(Patience);
            await socket.ConnectAsync(api.Address.SocketAt("ws/execute"), invoker, patience.Token);
            api.Trace("GET /ws/execute 101");
            return new RunSocket(socket);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            socket.Dispose();
            throw new CommandException(ExitCode.TryAgain, $"{api.Address} did not answer within {Patience.TotalSeconds:0} seconds; try again later.");
        }
        catch (Exception failure) when (failure is WebSocketException or HttpRequestException or SocketException or IOException)
        {
            var status = socket.HttpStatusCode;
            socket.Dispose();
            api.Trace($"GET /ws/execute {(int)status}: {failure.Message}");
            throw status == default ? new ServerUnreachableException(api.Address, failure.InnerException ?? failure) : Refused(status, api.Address);
        }
    }

    private static CommandException Refused(HttpStatusCode status, ServerAddress address) => status switch
    {
        HttpStatusCode.Unauthorized => new(ExitCode.NotAllowed, $"{address} does not accept your credentials; run `lintel login`, or check the API key."),
        HttpStatusCode.Forbidden => new(ExitCode.NotAllowed, "You may not run programs on this server."),
        HttpStatusCode.TooManyRequests => new(ExitCode.TryAgain, "You have made too many requests; try again in a minute."),
        HttpStatusCode.ServiceUnavailable => new(ExitCode.Unavailable, $"{address} is busy or going away; try again later."),
        _ => new(ExitCode.Protocol, $"{address} answered with status {(int)status} where programs are run; check the server's address."),
    };
}
