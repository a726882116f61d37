using System.Net.Sockets;
using System.Text;

namespace Lintel.Infrastructure;

/// <summary>Sends bytes as they are: what a proper client would refuse to send.</summary>
internal static class RawHttp
{
    /// <summary>Sends <paramref name="request"/> and returns all that comes back until the server closes; ask it to with <c>Connection: close</c>.</summary>
    public static async Task<string> SendAsync(Uri server, string request)
    {
        var cancel = TestContext.Current.CancellationToken;
        using var client = new TcpClient();
        await client.ConnectAsync(server.Host, server.Port, cancel);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request), cancel);
        return await ReadToEndAsync(stream);
    }

    public static async Task<string> ReadToEndAsync(NetworkStream stream)
    {
        var received = new MemoryStream();
        try
        {
            await stream.CopyToAsync(received, TestContext.Current.CancellationToken);
        }
        catch (IOException)
        {
            // A server that refuses may reset the connection behind its answer.
        }

        return Encoding.UTF8.GetString(received.ToArray());
    }

    public static string Get(string target, params string[] headers) =>
        $"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{string.Concat(headers.Select(static header => header + "\r\n"))}\r\n";
}
