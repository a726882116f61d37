using System.Net;
using System.Net.WebSockets;
using System.Text.Json;
using Lintel.Features.Accounts;
using Lintel.Features.ApiKeys;
using Lintel.Infrastructure;

namespace Lintel.Features.Chat;

/// <summary>Credentials are told to nobody, and without them nobody is heard.</summary>
public abstract class ChatCredentialTests(AccountsServer server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("token")]
    [InlineData("api_key")]
    public async Task Credentials_in_a_first_message_without_a_type_are_not_said_to_the_room(string field)
    {
        using var mason = await ChatMember.NewAsync(server);
        var secret = field == "token" ? mason.Token : (await server.NewKeyAsync(mason.Token, ["chat"])).Text;
        var room = ChatMember.NewName("room");
        await using var other = await mason.RoomAsync(room, "watcher-" + room[^8..]);
        await using var client = await SocketClient.OpenAsync(server.SocketAddress($"/ws/rooms/{room}?client_id=late-{room[^8..]}"));
        await client.SendAsync(JsonSerializer.Serialize(new Dictionary<string, string> { [field] = secret }));
        Assert.Equal("connection", (await client.ReceiveAsync())!.Value.GetProperty("type").GetString());
        await client.SendAsync(new { type = "message", message = "hello" });

        Assert.Equal("hello", await other.NextTextAsync());
        var history = await mason.GetAsync($"/api/rooms/{room}/messages");
        Assert.DoesNotContain(secret, history.GetRawText(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"token":"eyJhbGciOiJIUzI1NiJ9.x.y"}""")]
    [InlineData("""{"type":"auth","api_key":"ltl_x" """)]
    public async Task What_looks_like_credentials_later_is_told_to_nobody(string frame)
    {
        using var mason = await ChatMember.NewAsync(server);
        var room = ChatMember.NewName("room");
        foreach (var client in new[] { await mason.RoomAsync(room), await mason.LobbyAsync(ChatMember.NewName()) })
        {
            await client.Socket.SendAsync(frame);
            Assert.StartsWith("This looks like credentials", ChatClient.Text(await client.FindAsync("error"), "message"), StringComparison.Ordinal);
            await client.DisposeAsync();
        }

        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM event WHERE stream_id = (SELECT stream_id FROM room WHERE name_key = $1)", room));
    }

    [Fact]
    public async Task Whose_key_is_revoked_says_nothing_more_however_slowly_they_leave()
    {
        using var mason = await ChatMember.NewAsync(server);
        var key = await server.NewKeyAsync(mason.Token, ["chat"]);
        var room = ChatMember.NewName("room");
        await using var reader = await mason.RoomAsync(room, "reader-" + room[^8..]);
        await using var client = await SocketClient.OpenAsync(server.SocketAddress($"/ws/rooms/{room}?client_id=bot-{room[^8..]}"), "X-API-Key", key.Text);
        await client.SendAsync(new { type = "message", message = "before" });
        Assert.Equal("before", await reader.NextTextAsync());
        Assert.Equal(HttpStatusCode.NoContent, await server.RevokeKeyAsync(mason.Token, key.Id));

        // It has read that it is over, answers no close frame and goes on.
        while (await client.ReceiveAsync() is not null)
        {
        }

        for (var i = 0; i < 5; i++)
        {
            try
            {
                await client.SendAsync(new { type = "message", message = "after" });
            }
            catch (Exception failure) when (failure is WebSocketException or InvalidOperationException or ObjectDisposedException)
            {
                break;
            }
        }

        await reader.SayAsync("end");
        Assert.Equal("end", await reader.NextTextAsync());
    }

    [Fact]
    public async Task Who_comes_and_goes_without_end_is_refused_for_a_while()
    {
        await using var strict = await ServerFixture.StartAsync(["--CHAT_JOINS_PER_MINUTE=2", "--PASSWORD_HASH_ITERATIONS=10000"]);
        var token = (await SignInAsync(strict)).Access;
        for (var i = 0; i < 2; i++)
        {
            await using var client = await ChatClient.OpenAsync(strict.SocketAddress("/ws/name-" + i), token);
        }

        using var request = new HttpRequestMessage(HttpMethod.Get, "/ws/rooms/site?client_id=name-3");
        foreach (var (name, value) in new[]
        {
            ("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="), ("Authorization", "Bearer " + token),
        })
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var refused = await strict.Client.SendAsync(request, Cancel);
        Assert.Equal((HttpStatusCode.TooManyRequests, "RATE_LIMITED"), (refused.StatusCode, await refused.ErrorCodeAsync()));
    }

    [Fact]
    public async Task Of_many_who_remove_a_message_at_once_one_does_and_the_others_find_none()
    {
        using var mason = await ChatMember.NewAsync(server);
        var room = ChatMember.NewName("room");
        await using var client = await mason.RoomAsync(room);
        for (var round = 0; round < 5; round++)
        {
            await client.SayAsync("x");
            var id = ChatClient.Text(await client.FindAsync("message"), "id");
            var statuses = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => mason.SendAsync(HttpMethod.Delete, $"/api/rooms/{room}/messages/{id}")));

            Assert.Equal(1, statuses.Count(static status => status == HttpStatusCode.NoContent));
            Assert.Equal(5, statuses.Count(static status => status == HttpStatusCode.NotFound));
        }
    }

    private static async Task<Tokens> SignInAsync(ServerFixture fixture)
    {
        var person = new { email = AccountsServer.NewEmail(), password = AccountsServer.Password };
        using var registered = await fixture.SendAsync(HttpMethod.Post, "/auth/register", person);
        using var signedIn = await fixture.SendAsync(HttpMethod.Post, "/auth/login", person);
        return await Tokens.OfAsync(signedIn);
    }
}

public sealed class SqliteChatCredentialTests(SqliteAccountsServer server) : ChatCredentialTests(server), IClassFixture<SqliteAccountsServer>;

public sealed class PostgresChatCredentialTests(PostgresAccountsServer server) : ChatCredentialTests(server), IClassFixture<PostgresAccountsServer>;
