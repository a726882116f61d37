using System.Net.Sockets;
using System.Text;
using Lintel.Infrastructure;

namespace Lintel.Platform.Sockets;

/// <summary>Whose pages may open sockets.</summary>
public sealed class SocketOriginTests
{
    private const string Upgraded = "HTTP/1.1 101 ";
    private const string Refused = "HTTP/1.1 403 ";

    [Theory]
    [InlineData("lintel.example.com", null, Upgraded)]
    [InlineData("lintel.example.com", "http://lintel.example.com", Upgraded)]
    [InlineData("lintel.example.com", "http://LINTEL.example.com:80", Upgraded)]
    [InlineData("lintel.example.com:8000", "http://lintel.example.com:8000", Upgraded)]
    [InlineData("[::1]:8000", "http://[::1]:8000", Upgraded)]
    [InlineData("lintel.example.com", "https://app.example.com", Upgraded)]
    [InlineData("lintel.example.com", "http://app.example.com", Refused)]
    [InlineData("lintel.example.com", "https://app.example.com:8443", Refused)]
    [InlineData("lintel.example.com", "https://app.example.com.evil.example", Refused)]
    [InlineData("lintel.example.com:8000", "http://lintel.example.com", Refused)]
    [InlineData("lintel.example.com", "https://lintel.example.com", Refused)]
    [InlineData("lintel.example.com", "http://evil.example", Refused)]
    [InlineData("lintel.example.com", "null", Refused)]
    [InlineData("lintel.example.com", "", Refused)]
    [InlineData("lintel.example.com", "file://", Refused)]
    public async Task A_page_opens_sockets_of_its_own_server_and_where_it_is_named(string host, string? origin, string status)
    {
        await using var server = await ServerFixture.StartAsync(["--CORS_ORIGINS=https://app.example.com"]);

        var answer = await HandshakeAsync(server, host, origin is null ? [] : [$"Origin: {origin}"]);

        Assert.StartsWith(status, answer, StringComparison.Ordinal);
        Assert.Equal(status == Refused, answer.Contains("\"code\":\"FORBIDDEN\"", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("https://lintel.example.com", Upgraded)]
    [InlineData("http://lintel.example.com", Refused)]
    [InlineData("http://127.0.0.1:8000", Refused)]
    public async Task Behind_a_trusted_proxy_the_server_s_own_origin_is_what_the_client_sees(string origin, string status)
    {
        await using var server = await ServerFixture.StartAsync(["--TRUSTED_PROXIES=127.0.0.1"]);

        var answer = await HandshakeAsync(
            server, "127.0.0.1:8000", [$"Origin: {origin}", "X-Forwarded-Proto: https", "X-Forwarded-Host: made-up.example, lintel.example.com"]);

        Assert.StartsWith(status, answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_anybody_else_forwards_does_not_count()
    {
        await using var server = await ServerFixture.StartAsync();

        var answer = await HandshakeAsync(server, "lintel.example.com", ["Origin: http://evil.example", "X-Forwarded-Host: evil.example"]);

        Assert.StartsWith(Refused, answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_star_lets_every_page_in()
    {
        await using var server = await ServerFixture.StartAsync(["--CORS_ORIGINS=*"]);

        Assert.StartsWith(Upgraded, await HandshakeAsync(server, "lintel.example.com", ["Origin: http://anywhere.example"]), StringComparison.Ordinal);
    }

    /// <summary>The head of the server's answer, with the body where it refuses.</summary>
    private static async Task<string> HandshakeAsync(ServerFixture server, string host, string[] headers)
    {
        var cancel = TestContext.Current.CancellationToken;
        using var client = new TcpClient();
        await client.ConnectAsync(server.BaseAddress.Host, server.BaseAddress.Port, cancel);
        var stream = client.GetStream();
        var request = $"GET /ws/jobs/{Guid.CreateVersion7()} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            + string.Concat(headers.Select(static header => header + "\r\n")) + "\r\n";
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request), cancel);

        var received = new StringBuilder();
        var buffer = new byte[4096];
        int count;
        while (!IsWhole(received.ToString()) && (count = await stream.ReadAsync(buffer, cancel)) > 0)
        {
            received.Append(Encoding.Latin1.GetString(buffer, 0, count));
        }

        return received.ToString();
    }

    private static bool IsWhole(string answer) =>
        answer.StartsWith(Upgraded, StringComparison.Ordinal) ? answer.Contains("\r\n\r\n", StringComparison.Ordinal) : answer.EndsWith('}');
}
