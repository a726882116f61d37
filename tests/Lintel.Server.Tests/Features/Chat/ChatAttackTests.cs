using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using Lintel.Features.Accounts;
using Lintel.Infrastructure;
using Lintel.Platform.Security;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Features.Chat;

/// <summary>Clients that want more than their share: each is told or ended, and the others notice nothing.</summary>
public sealed class ChatAttackTests(SqliteAccountsServer server) : IClassFixture<SqliteAccountsServer>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_message_that_is_too_long_is_refused_and_one_of_two_megabytes_ends_the_socket()
    {
        using var mason = await ChatMember.NewAsync(server);
        var room = ChatMember.NewName("room");
        await using var client = await mason.RoomAsync(room);
        await client.SayAsync(new string('x', 8192));
        Assert.Equal(8192, (await client.NextTextAsync()).Length);
        await client.SayAsync(new string('€', 2731));
        Assert.StartsWith("A message has at most 8192 bytes", ChatClient.Text(await client.NextAsync("error"), "message"), StringComparison.Ordinal);
        await client.Socket.SendAsync(new string('x', 2_000_000));
        await client.Socket.AssertClosedAsync(WebSocketCloseStatus.MessageTooBig);
        await using var lobby = await mason.LobbyAsync(ChatMember.NewName());
        await lobby.Socket.SendAsync(new string('x', 2_000_000));
        await lobby.Socket.AssertClosedAsync(WebSocketCloseStatus.MessageTooBig);
    }

    [Fact]
    public async Task Who_floods_is_told_to_wait_then_closed_and_others_go_on()
    {
        using var mason = await ChatMember.NewAsync(server);
        using var other = await ChatMember.NewAsync(server);
        var room = ChatMember.NewName("room");
        await using var flooder = await mason.RoomAsync(room);
        await using var second = await mason.RoomAsync(room, query: "&history=0");
        await using var reader = await other.RoomAsync(room);
        for (var i = 0; i < 300; i++)
        {
            await flooder.SayAsync(i.ToString(CultureInfo.InvariantCulture));
        }

        for (var i = 0; i < 300; i++)
        {
            Assert.Equal(i.ToString(CultureInfo.InvariantCulture), await reader.NextTextAsync());
        }

        // The limit is the user's, not the socket's.
        await second.SayAsync("more");
        Assert.StartsWith("Too many messages; wait ", ChatClient.Text(await second.FindAsync("error"), "message"), StringComparison.Ordinal);
        for (var i = 0; i < 101; i++)
        {
            await flooder.SayAsync("more");
        }

        await flooder.Socket.AssertClosedAsync(WebSocketCloseStatus.PolicyViolation, "Too many messages");
        await reader.SayAsync("quiet at last");
        Assert.Equal("quiet at last", await reader.NextTextAsync());
    }

    [Fact]
    public async Task A_client_that_never_reads_is_dropped_and_holds_nobody_up()
    {
        using var mason = await ChatMember.NewAsync(server);
        using var writer = await ChatMember.NewAsync(server);
        var room = ChatMember.NewName("room");
        using var stuck = await StartReadingAsync($"/ws/rooms/{room}?client_id={ChatMember.NewName()}", mason.Token);
        await using var client = await writer.RoomAsync(room);
        var text = new string('x', 8000);
        for (var i = 0; i < 300; i++)
        {
            await client.SayAsync(text);
            await client.NextTextAsync();
        }

        // Two megabytes: more than its connection takes. It is given the deadline, and is then gone, its seat too.
        var registry = server.Services.GetRequiredService<LiveConnections>();
        Assert.Contains(registry.List(), connection => connection.Caller.OwnerId == mason.Person.Id);
        await Eventually.HoldsAsync(async () =>
        {
            server.Clock.Advance(TimeSpan.FromSeconds(1));
            return await server.CountAsync("SELECT count(*) FROM chat_socket WHERE user_id = $1", mason.Person.Id) == 0;
        });
        Assert.DoesNotContain(registry.List(), connection => connection.Caller.OwnerId == mason.Person.Id);
    }

    [Fact]
    public async Task Rooms_of_one_owner_are_bounded_also_when_they_are_made_at_once()
    {
        using var mason = await ChatMember.NewAsync(server);
        var answers = await Task.WhenAll(Enumerable.Range(0, 110).Select(async _ =>
        {
            using var response = await mason.MakeRoomAsync(ChatMember.NewName("room"));
            return response.StatusCode;
        }));

        Assert.Equal(100, answers.Count(static status => status == HttpStatusCode.Created));
        Assert.Equal(10, answers.Count(static status => status == HttpStatusCode.Conflict));
        Assert.Equal(HttpStatusCode.Conflict, (await mason.RefusalAsync($"/ws/rooms/{ChatMember.NewName("room")}?client_id={ChatMember.NewName()}")).Status);
    }

    [Fact]
    public async Task Signing_out_closes_the_sockets_and_gives_the_name_back()
    {
        using var mason = await ChatMember.NewAsync(server);
        var name = ChatMember.NewName();
        await using var client = await mason.LobbyAsync(name);
        using var logout = await server.LogoutAsync(mason.Person.Tokens.Refresh);
        await client.Socket.AssertClosedAsync(WebSocketCloseStatus.PolicyViolation, "Signed out");
        await Eventually.HoldsAsync(async () => await server.CountAsync("SELECT count(*) FROM chat_name WHERE name_key = $1", name) == 0);
    }

    private async Task<TcpClient> StartReadingAsync(string path, string token)
    {
        var client = new TcpClient { ReceiveBufferSize = 4096 };
        await client.ConnectAsync(server.BaseAddress.Host, server.BaseAddress.Port, Cancel);
        await client.GetStream().WriteAsync(
            Encoding.ASCII.GetBytes(
                $"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"),
            Cancel);
        var head = new byte[12];
        await client.GetStream().ReadExactlyAsync(head, Cancel);
        Assert.Equal("HTTP/1.1 101", Encoding.ASCII.GetString(head));
        return client;
    }
}
