using System.Net;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text.Json;
using Lintel.Features.Jobs;
using Lintel.Infrastructure;

namespace Lintel.Features.Beams;

/// <summary>Who may open a live design socket, with what, and for how long.</summary>
public abstract class DesignSocketCredentialTests(BeamsServer server)
{
    private const string Session = "/ws/design/credentials";

    private static readonly TimeSpan TokenLife = TimeSpan.FromMinutes(15);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("Authorization")]
    [InlineData("X-API-Key")]
    public async Task A_header_opens_it(string header)
    {
        var value = header == "X-API-Key" ? JobsServer.ApiKey : "Bearer " + await server.NewTokenAsync();
        await using var socket = await SocketClient.OpenAsync(server.SocketAddress(Session), header, value);
        await PongAsync(socket);
    }

    [Fact]
    public async Task A_ticket_opens_it_once_and_in_time()
    {
        using var client = await server.SignInAsync();
        var ticket = await BeamsServer.TicketAsync(client, Session);
        await using var socket = await OpenAsync($"?ticket={ticket}");
        await PongAsync(socket);

        await using var again = await OpenAsync($"?ticket={ticket}");
        await AssertRefusedAsync(again, "Invalid or expired token");

        var late = await BeamsServer.TicketAsync(client, Session);
        server.Clock.Advance(TimeSpan.FromSeconds(31));
        await using var tooLate = await OpenAsync($"?ticket={late}");
        await AssertRefusedAsync(tooLate, "Invalid or expired token");
    }

    [Fact]
    public async Task A_token_in_the_address_opens_it_and_is_not_logged()
    {
        var token = await server.NewTokenAsync();
        var path = $"/ws/design/{Guid.CreateVersion7()}";
        await using var socket = await SocketClient.OpenAsync(server.SocketAddress($"{path}?token={token}"));
        await PongAsync(socket);
        await socket.CloseAsync();

        await server.Log.WaitForAsync(
            line => line.GetProperty("message").GetString() == "Request finished" && line.TryGetProperty("path", out var logged) && logged.GetString() == path, Cancel);
        Assert.DoesNotContain(token, server.Log.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_first_message_of_credentials_opens_it()
    {
        await using var person = await OpenAsync();
        await person.SendAsync(new { type = "auth", token = await server.NewTokenAsync() });
        await PongAsync(person);

        await using var machine = await OpenAsync();
        await machine.SendAsync(new { type = "auth", api_key = JobsServer.ApiKey });
        await PongAsync(machine);
    }

    [Fact]
    public async Task Credentials_in_the_socket_s_own_first_message_open_it_and_the_message_is_answered()
    {
        await using var person = await OpenAsync();
        await person.SendAsync(new { type = "design_beam", token = await server.NewTokenAsync(), @params = new { width = 300 } });
        Assert.Equal("design_result", Type((await person.ReceiveAsync())!.Value));
        await PongAsync(person);

        await using var machine = await OpenAsync();
        await machine.SendAsync(new { type = "ping", api_key = JobsServer.ApiKey });
        Assert.Equal("pong", Type((await machine.ReceiveAsync())!.Value));
        await PongAsync(machine);
    }

    [Theory]
    [InlineData("Authorization", "Bearer nonsense", "AUTH_TOKEN_INVALID")]
    [InlineData("X-API-Key", "nonsense", "AUTH_TOKEN_INVALID")]
    public async Task A_bad_header_is_refused_before_the_upgrade(string header, string value, string code)
    {
        var answer = await RawHttp.SendAsync(server.BaseAddress, Handshake($"{header}: {value}"));

        Assert.StartsWith("HTTP/1.1 401 ", answer, StringComparison.Ordinal);
        Assert.Contains($"\"code\":\"{code}\"", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"type":"ping"}""", "Missing API key")]
    [InlineData("""{"type":"design_beam","params":{}}""", "Missing API key")]
    [InlineData("""{"type":"auth"}""", "Missing API key")]
    [InlineData("""{"type":"auth","api_key":"nonsense"}""", "Invalid API key")]
    [InlineData("""{"type":"auth","token":"nonsense"}""", "Invalid or expired token")]
    public async Task A_first_message_with_bad_or_no_credentials_closes_it_with_the_reason(string message, string reason)
    {
        await using var socket = await OpenAsync();
        await socket.SendAsync(message);
        await AssertRefusedAsync(socket, reason);
    }

    [Fact]
    public async Task An_expired_token_in_the_address_closes_it_with_the_reason()
    {
        var token = await server.NewTokenAsync();
        server.Clock.Advance(TokenLife + TimeSpan.FromSeconds(1));
        await using var socket = await OpenAsync($"?token={token}");
        await AssertRefusedAsync(socket, "Invalid or expired token");
    }

    [Fact]
    public async Task Silence_for_five_seconds_closes_it()
    {
        var opened = TimeProvider.System.GetTimestamp();
        await using var socket = await OpenAsync();
        await AssertRefusedAsync(socket, "Authentication timeout");
        Assert.InRange(TimeProvider.System.GetElapsedTime(opened), TimeSpan.FromSeconds(4.9), TimeSpan.MaxValue);
    }

    [Fact]
    public async Task Without_the_scope_design_it_is_refused_by_403_or_by_1008()
    {
        var token = await server.ScopedTokenAsync("chat", "execute", "tasks", "files");
        var answer = await RawHttp.SendAsync(server.BaseAddress, Handshake($"Authorization: Bearer {token}"));
        Assert.StartsWith("HTTP/1.1 403 ", answer, StringComparison.Ordinal);
        Assert.Contains("\"code\":\"FORBIDDEN\"", answer, StringComparison.Ordinal);

        await using var byAddress = await OpenAsync($"?token={token}");
        await AssertRefusedAsync(byAddress, "Not allowed");
        await using var byMessage = await OpenAsync();
        await byMessage.SendAsync(new { type = "auth", token });
        await AssertRefusedAsync(byMessage, "Not allowed");
    }

    [Fact]
    public async Task A_new_token_in_time_keeps_it_open()
    {
        var (token, refresh) = await server.NewSessionAsync();
        await using var socket = await OpenAsync($"?token={token}");
        server.Clock.Advance(TokenLife + TimeSpan.FromSeconds(5));
        await socket.SendAsync(new { type = "auth", token = await refresh() });
        await PongAsync(socket);

        server.Clock.Advance(TimeSpan.FromMinutes(5));
        await PongAsync(socket);

        // The new one ends too.
        server.Clock.Advance(TokenLife);
        await socket.AssertClosedAsync(WebSocketCloseStatus.PolicyViolation, "Token expired");
    }

    [Fact]
    public async Task When_its_token_expires_it_is_closed_after_a_grace()
    {
        await using var socket = await OpenAsync($"?token={await server.NewTokenAsync()}");
        server.Clock.Advance(TokenLife + TimeSpan.FromSeconds(1));
        await PongAsync(socket);

        server.Clock.Advance(TimeSpan.FromSeconds(10));
        await socket.AssertClosedAsync(WebSocketCloseStatus.PolicyViolation, "Token expired");
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData(null)]
    public async Task A_token_that_is_bad_or_another_one_s_closes_it(string? token)
    {
        await using var socket = await OpenAsync($"?token={await server.NewTokenAsync()}");
        await socket.SendAsync(new { type = "auth", token = token ?? await server.NewTokenAsync() });
        await AssertRefusedAsync(socket, "Invalid or expired token");
    }

    [Fact]
    public async Task Signing_out_closes_it()
    {
        var person = await server.SignInPersonAsync();
        await using var socket = await OpenAsync($"?token={person.Access}");
        await PongAsync(socket);
        using var signedOut = await server.Client.PostAsJsonAsync("/auth/logout", new { refresh_token = person.Refresh }, Cancel);
        Assert.Equal(HttpStatusCode.OK, signedOut.StatusCode);

        await socket.AssertClosedAsync(WebSocketCloseStatus.PolicyViolation, "Signed out");
    }

    private static string? Type(JsonElement message) => message.GetProperty("type").GetString();

    private static async Task PongAsync(SocketClient socket)
    {
        await socket.SendAsync("""{"type":"ping"}""");
        Assert.Equal("pong", Type((await socket.ReceiveAsync())!.Value));
    }

    /// <summary>One error that tells the reason, then a close that tells it again.</summary>
    private static async Task AssertRefusedAsync(SocketClient socket, string reason)
    {
        Assert.Equal($$"""{"type":"error","message":"{{reason}}"}""", (await socket.ReceiveAsync())!.Value.GetRawText());
        Assert.Null(await socket.ReceiveAsync());
        Assert.Equal((WebSocketCloseStatus.PolicyViolation, reason), (socket.CloseStatus, socket.CloseReason));
    }

    private static string Handshake(string header) =>
        $"GET {Session} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        + $"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{header}\r\n\r\n";

    private Task<SocketClient> OpenAsync(string query = "") => SocketClient.OpenAsync(server.SocketAddress(Session + query));
}

public sealed class SqliteDesignSocketCredentialTests(SqliteBeamsServer server) : DesignSocketCredentialTests(server), IClassFixture<SqliteBeamsServer>;

public sealed class PostgresDesignSocketCredentialTests(PostgresBeamsServer server) : DesignSocketCredentialTests(server), IClassFixture<PostgresBeamsServer>;
