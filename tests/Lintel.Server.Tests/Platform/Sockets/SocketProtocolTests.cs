using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using Lintel.Features.Jobs;
using Lintel.Infrastructure;
using Lintel.Platform.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Platform.Sockets;

/// <summary>What is true of every socket, tried on that of a job that waits.</summary>
public sealed class SocketProtocolTests(SqliteJobsServer server) : IClassFixture<SqliteJobsServer>
{
    private static readonly TimeSpan TokenLife = TimeSpan.FromMinutes(15);

    [Theory]
    [InlineData("hello")]
    [InlineData("")]
    [InlineData("{\"type\":\"ping\"} x")]
    [InlineData("{\"type\":")]
    public async Task Text_that_is_not_JSON_closes_with_1003(string text)
    {
        await using var socket = await OpenAsync();
        await socket.SendAsync(text);
        await socket.AssertClosedAsync(WebSocketCloseStatus.InvalidMessageType);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(5000)]
    public async Task Binary_closes_with_1003(int length)
    {
        await using var socket = await OpenAsync();
        await socket.SendAsync(new byte[length], WebSocketMessageType.Binary);
        await socket.AssertClosedAsync(WebSocketCloseStatus.InvalidMessageType);
    }

    [Fact]
    public async Task The_largest_message_is_read_and_a_larger_one_closes_with_1009()
    {
        await using var socket = await OpenAsync();
        const string start = "{\"type\":\"ping\",\"pad\":\"";
        await socket.SendAsync(start + new string('x', SocketConnection.DefaultMaxMessage - start.Length - 2) + "\"}");
        Assert.Equal("pong", await TypeAsync(socket));

        await socket.SendAsync(start + new string('x', SocketConnection.DefaultMaxMessage - start.Length - 1) + "\"}");
        await socket.AssertClosedAsync(WebSocketCloseStatus.MessageTooBig);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(4096)]
    public async Task A_message_in_many_frames_is_one_message(int frame)
    {
        await using var socket = await OpenAsync();
        await socket.SendInFramesAsync("{\"pad\":\"" + new string('x', frame * 5) + "\",\"type\":\"ping\"}", frame);
        Assert.Equal("pong", await TypeAsync(socket));
    }

    [Fact]
    public async Task A_ping_is_answered_and_what_is_wrong_in_any_other_way_leaves_the_socket_open()
    {
        await using var socket = await OpenAsync();
        foreach (var wrong in new[] { "{}", "[]", "7", "null", "{\"type\":7}", "{\"type\":null}", "{\"type\":\"nonsense\"}" })
        {
            await socket.SendAsync(wrong);
            Assert.Equal("error", await TypeAsync(socket));
        }

        await socket.SendAsync("{\"type\":\"nonsense\"}");
        Assert.Equal("Unknown message type: nonsense", (await socket.ReceiveAsync())!.Value.GetProperty("message").GetString());
        await socket.SendAsync("""{"type":"ping"}""");
        var pong = (await socket.ReceiveAsync())!.Value;
        Assert.Equal("pong", pong.GetProperty("type").GetString());
        Assert.EndsWith("Z", pong.GetProperty("timestamp").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Authorization", "Bearer nonsense")]
    [InlineData("Authorization", "Basic bWFzb246aHVudGVy")]
    [InlineData("X-API-Key", "nonsense")]
    public async Task Bad_credentials_in_a_header_are_refused_before_the_upgrade(string header, string value)
    {
        using var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        socket.Options.SetRequestHeader(header, value);

        await Assert.ThrowsAsync<WebSocketException>(() => socket.ConnectAsync(AnyJob(), TestContext.Current.CancellationToken));

        Assert.Equal(HttpStatusCode.Unauthorized, socket.HttpStatusCode);
        Assert.True(socket.HttpResponseHeaders!.ContainsKey("X-Request-ID"));
    }

    [Theory]
    [InlineData("""{"type":"auth","token":"nonsense"}""", "Invalid or expired token")]
    [InlineData("""{"type":"auth","api_key":"nonsense"}""", "Invalid API key")]
    [InlineData("""{"type":"auth"}""", "Missing API key")]
    [InlineData("""{"type":"auth","token":7,"api_key":""}""", "Missing API key")]
    [InlineData("""{"type":"ping"}""", "Missing API key")]
    [InlineData("[]", "Missing API key")]
    public async Task A_first_message_with_bad_or_no_credentials_closes_with_1008_and_the_reason(string message, string reason)
    {
        await using var socket = await SocketClient.OpenAsync(AnyJob());
        await socket.SendAsync(message);

        var error = (await socket.ReceiveAsync())!.Value;
        Assert.Equal(("error", reason), (error.GetProperty("type").GetString(), error.GetProperty("message").GetString()));
        await socket.AssertClosedAsync(WebSocketCloseStatus.PolicyViolation, reason);
    }

    [Theory]
    [InlineData("ticket")]
    [InlineData("token")]
    public async Task A_bad_credential_in_the_address_closes_with_1008(string name)
    {
        await using var socket = await SocketClient.OpenAsync(new Uri($"{AnyJob()}?{name}=nonsense"));
        Assert.Equal("Invalid or expired token", (await socket.ReceiveAsync())!.Value.GetProperty("message").GetString());
        await socket.AssertClosedAsync(WebSocketCloseStatus.PolicyViolation, "Invalid or expired token");
    }

    [Fact]
    public async Task A_first_message_that_is_not_JSON_closes_with_1003()
    {
        await using var socket = await SocketClient.OpenAsync(AnyJob());
        await socket.SendAsync("let me in");
        await socket.AssertClosedAsync(WebSocketCloseStatus.InvalidMessageType);
    }

    [Fact]
    public async Task Silence_for_five_seconds_is_no_introduction()
    {
        await using var socket = await SocketClient.OpenAsync(AnyJob());
        Assert.Equal("Authentication timeout", (await socket.ReceiveAsync())!.Value.GetProperty("message").GetString());
        await socket.AssertClosedAsync(WebSocketCloseStatus.PolicyViolation, "Authentication timeout");
    }

    [Theory]
    [InlineData("81027B7D81027B7D81027B7D")]
    [InlineData("C18000000000")]
    [InlineData("838000000000")]
    [InlineData("098000000000")]
    [InlineData("808000000000")]
    [InlineData("81FFFFFFFFFFFFFFFFFF00000000")]
    [InlineData("8882000000000001")]
    [InlineData("888100000000" + "01")]
    public async Task A_breach_of_the_protocol_is_answered_with_1002_and_no_reset(string frame)
    {
        var cancel = TestContext.Current.CancellationToken;
        using var client = new TcpClient();
        await client.ConnectAsync(server.BaseAddress.Host, server.BaseAddress.Port, cancel);
        var stream = client.GetStream();
        var handshake = $"GET {AnyJob().AbsolutePath} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(handshake), cancel);
        await stream.WriteAsync(Convert.FromHexString(frame), cancel);

        // Fails where the server resets the connection.
        var received = new MemoryStream();
        await stream.CopyToAsync(received, cancel);

        Assert.EndsWith("880203EA", Convert.ToHexString(received.ToArray()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failure_of_the_server_s_own_closes_with_1011()
    {
        await using var own = await ServerFixture.StartAsync();
        own.Client.DefaultRequestHeaders.Add("X-API-Key", JobsServer.ApiKey);
        var id = await own.Client.SubmitAcceptedAsync("batch-design", new[] { new { width = 300 } });
        await own.Client.WatchAsync(id);
        await own.Services.GetRequiredService<Database>().WriteAsync(
            static session => session.ExecuteAsync("ALTER TABLE stream RENAME TO lost"), TestContext.Current.CancellationToken);

        await using var socket = await SocketClient.OpenAsync(own.SocketAddress($"/ws/jobs/{id}"), "X-API-Key", JobsServer.ApiKey);
        await socket.AssertClosedAsync(WebSocketCloseStatus.InternalServerError, "Server error");
    }

    [Fact]
    public async Task A_request_that_is_no_handshake_is_told_to_upgrade()
    {
        using var client = server.CreateMachine();
        using var response = await client.GetAsync($"/ws/jobs/{Guid.CreateVersion7()}", TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.UpgradeRequired, response.StatusCode);
        Assert.Equal("websocket", response.Headers.Upgrade.ToString());
    }

    [Fact]
    public async Task When_the_token_expires_the_socket_closes_after_a_grace()
    {
        var (socket, _, gate) = await OpenWithTokenAsync();
        await using var open = socket;
        server.Clock.Advance(TokenLife + TimeSpan.FromSeconds(1));
        await socket.SendAsync("""{"type":"ping"}""");
        Assert.Equal("pong", await TypeAsync(socket));

        server.Clock.Advance(TimeSpan.FromSeconds(10));
        await socket.AssertClosedAsync(WebSocketCloseStatus.PolicyViolation, "Token expired");
        gate.Open();
    }

    [Fact]
    public async Task A_new_token_in_time_keeps_the_socket_open()
    {
        var (socket, refresh, gate) = await OpenWithTokenAsync();
        await using var open = socket;
        server.Clock.Advance(TokenLife - TimeSpan.FromSeconds(1));
        await socket.SendAsync(new { type = "auth", token = await refresh() });
        await socket.SendAsync("""{"type":"ping"}""");
        Assert.Equal("pong", await TypeAsync(socket));

        server.Clock.Advance(TimeSpan.FromSeconds(60));
        gate.Open();
        Assert.Equal("complete", await TypeAsync(socket));
        await socket.AssertClosedAsync(WebSocketCloseStatus.NormalClosure);
    }

    [Fact]
    public async Task Another_one_s_token_closes_the_socket()
    {
        var (socket, _, gate) = await OpenWithTokenAsync();
        await using var open = socket;
        await socket.SendAsync(new { type = "auth", token = await server.NewTokenAsync() });
        await socket.AssertClosedAsync(WebSocketCloseStatus.PolicyViolation, "Invalid or expired token");
        gate.Open();
    }

    private Uri AnyJob() => server.SocketAddress($"/ws/jobs/{Guid.CreateVersion7()}");

    private static async Task<string?> TypeAsync(SocketClient socket) => (await socket.ReceiveAsync())!.Value.GetProperty("type").GetString();

    /// <summary>A socket on a job that has said that it is here, and says no more.</summary>
    private async Task<SocketClient> OpenAsync()
    {
        using var client = server.CreateMachine();
        var (name, _) = server.NewGate();
        var id = await client.SubmitAcceptedAsync("gate", new { gate = name });
        var socket = await SocketClient.OpenAsync(server.SocketAddress($"/ws/jobs/{id}"), "X-API-Key", JobsServer.ApiKey);
        Assert.Equal("here", await TypeAsync(socket));
        return socket;
    }

    private async Task<(SocketClient Socket, Func<Task<string>> Refresh, Gate Gate)> OpenWithTokenAsync()
    {
        var (token, refresh) = await server.NewSessionAsync();
        using var client = server.CreateClient();
        client.DefaultRequestHeaders.Authorization = new("Bearer", token);
        var (name, gate) = server.NewGate();
        var id = await client.SubmitAcceptedAsync("gate", new { gate = name });
        var socket = await SocketClient.OpenAsync(server.SocketAddress($"/ws/jobs/{id}"), "Authorization", "Bearer " + token);
        Assert.Equal("here", await TypeAsync(socket));
        return (socket, refresh, gate);
    }
}
