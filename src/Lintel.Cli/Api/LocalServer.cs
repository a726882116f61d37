using System.Net.Sockets;

namespace Lintel.Cli.Api;

/// <summary>The server on this machine, through the socket in its data folder: for what needs no credentials because only who has the server's files can open it.</summary>
internal static class LocalServer
{
    public static ApiClient Connect(string dataFolder, bool verbose)
    {
        var path = Path.Combine(Path.GetFullPath(dataFolder), "run", "admin.sock");
        var api = new ApiClient(ServerAddress.Parse("http://localhost"), verbose);
        api.Handler.ConnectCallback = async (_, cancellationToken) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        };
        return api;
    }

    /// <summary>What to tell who does not reach it.</summary>
    public static CommandException Unreachable(string dataFolder, ServerUnreachableException failure)
    {
        var socket = failure.InnerException as SocketException ?? failure.InnerException?.InnerException as SocketException;
        var folder = Path.GetFullPath(dataFolder);
        return socket?.SocketErrorCode == SocketError.AccessDenied
            ? new(ExitCode.NotAllowed, $"The server with the data folder {folder} belongs to another user; run this as the user that the server runs as.")
            : new(ExitCode.Unavailable, $"No server with the data folder {folder} runs on this machine; start it, or name its folder with --data.", failure.Message);
    }
}
