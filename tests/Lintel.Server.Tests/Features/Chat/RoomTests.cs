using System.Net;
using System.Net.WebSockets;
using Lintel.Features.Accounts;
using Lintel.Infrastructure;
using Lintel.Platform.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Features.Chat;

public abstract class RoomTests(AccountsServer server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task All_members_see_everything_in_one_order()
    {
        const int members = 6;
        const int each = 30;
        var room = ChatMember.NewName("room");
        List<ChatClient> clients = [];
        for (var i = 0; i < members; i++)
        {
            using var member = await ChatMember.NewAsync(server);
            clients.Add(await member.RoomAsync(room));
        }

        await Task.WhenAll(clients.Select(async (client, who) =>
        {
            for (var i = 0; i < each; i++)
            {
                await client.SayAsync($"{who} {i}");
            }
        }));

        List<string>[] seen = await Task.WhenAll(clients.Select(static async client =>
        {
            List<string> texts = [];
            while (texts.Count < members * each)
            {
                texts.Add(await client.NextTextAsync());
            }

            return texts;
        }));
        Assert.All(seen, texts => Assert.Equal(seen[0], texts));
        for (var who = 0; who < members; who++)
        {
            Assert.Equal(Enumerable.Range(0, each).Select(i => $"{who} {i}"), seen[0].Where(text => text.StartsWith($"{who} ", StringComparison.Ordinal)));
        }

        foreach (var client in clients)
        {
            await client.DisposeAsync();
        }
    }

    [Fact]
    public async Task Who_comes_back_goes_on_strictly_after_the_last_that_they_saw()
    {
        using var mason = await ChatMember.NewAsync(server);
        var room = ChatMember.NewName("room");
        await using var writer = await mason.RoomAsync(room);
        List<(string Id, string Text)> written = [];
        for (var i = 0; i < 20; i++)
        {
            await writer.SayAsync($"t{i}");
            var message = await writer.NextAsync("message");
            written.Add((ChatClient.Text(message, "id")!, ChatClient.Text(message, "message")!));
        }

        await using var after = await mason.RoomAsync(room, query: "&after=" + written[4].Id);
        foreach (var (id, text) in written.Skip(5))
        {
            var message = await after.NextAsync("message");
            Assert.Equal((id, text), (ChatClient.Text(message, "id"), ChatClient.Text(message, "message")));
        }

        await writer.SayAsync("live");
        Assert.Equal("live", await after.NextTextAsync());
        await using var few = await mason.RoomAsync(room, query: "&history=2");
        Assert.Equal(("t19", "live"), (await few.NextTextAsync(), await few.NextTextAsync()));
        await using var all = await mason.RoomAsync(room);
        Assert.Equal("t0", await all.NextTextAsync());
        await using var none = await mason.RoomAsync(room, query: "&history=0");
        await writer.SayAsync("new");
        Assert.Equal("new", await none.NextTextAsync());
    }

    [Fact]
    public async Task A_position_that_is_none_of_the_rooms_is_told_so()
    {
        using var mason = await ChatMember.NewAsync(server);
        await using var client = await mason.RoomAsync(ChatMember.NewName("room"), query: "&after=room-x.1.1");

        Assert.Equal("unknown", ChatClient.Text(await client.NextAsync("reset"), "reason"));
        await client.Socket.AssertClosedAsync(WebSocketCloseStatus.NormalClosure);
    }

    [Fact]
    public async Task Text_is_said_and_commands_are_done()
    {
        using var mason = await ChatMember.NewAsync(server);
        await using var client = await mason.RoomAsync(ChatMember.NewName("room"));
        foreach (var text in new[] { "plain", "[1]", "{", "{\"type\":1}", "{\"type\":\"message\"} and more", "\"text\"" })
        {
            await client.Socket.SendAsync(text);
            Assert.Equal(text, await client.NextTextAsync());
        }

        foreach (var (sent, error) in new[]
        {
            ("""{"type":"shout"}""", "Unknown message type: shout"),
            ("""{"type":"message","message":7}""", "The field message must be a text."),
            ("""{"type":"edit","message":"x"}""", "The field message_id must be the id of a message."),
            ("""{"type":"delete","message_id":"room-x.1.1"}""", "You have no message of this id here."),
            ("  ", "A message must not be empty."),
        })
        {
            await client.Socket.SendAsync(sent);
            Assert.Equal(error, ChatClient.Text(await client.NextAsync("error"), "message"));
        }

        await client.Socket.SendAsync(new { type = "ping" });
        await client.NextAsync("pong");
        await client.Socket.SendAsync([1, 2, 3], WebSocketMessageType.Binary);
        await client.Socket.AssertClosedAsync(WebSocketCloseStatus.InvalidMessageType);
    }

    [Fact]
    public async Task Rooms_are_listed_in_pages_and_counted()
    {
        using var mason = await ChatMember.NewAsync(server);
        var start = ChatMember.NewName("room");
        foreach (var end in new[] { "c", "A", "b" })
        {
            using var made = await mason.MakeRoomAsync(start + end);
            Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        }

        using var twice = await mason.MakeRoomAsync(start + "C");
        Assert.Equal("CONFLICT", await twice.ErrorCodeAsync());
        var page = await mason.GetAsync($"/api/rooms?limit=2&after={start}");
        Assert.Equal([start + "A", start + "b"], page.GetProperty("rooms").EnumerateArray().Select(static room => ChatClient.Text(room, "name")));
        Assert.Equal(start + "b", ChatClient.Text(page, "next"));
        Assert.Equal(mason.Person.Id, (await mason.GetAsync($"/api/rooms/{start}A")).GetProperty("owner_id").GetInt64());
    }

    [Fact]
    public async Task A_deleted_room_closes_its_sockets_and_its_name_begins_anew()
    {
        using var mason = await ChatMember.NewAsync(server);
        using var other = await ChatMember.NewAsync(server);
        var room = await mason.NewRoomAsync();
        await using var client = await other.RoomAsync(room);
        await client.SayAsync("old");
        var id = ChatClient.Text(await client.NextAsync("message"), "id");
        Assert.Equal(HttpStatusCode.NotFound, await other.SendAsync(HttpMethod.Delete, "/api/rooms/" + room));
        Assert.Equal(HttpStatusCode.NoContent, await mason.SendAsync(HttpMethod.Delete, "/api/rooms/" + room));
        await client.Socket.AssertClosedAsync(WebSocketCloseStatus.NormalClosure);

        await using var again = await other.RoomAsync(room, query: "&after=" + id);
        Assert.Equal("unknown", ChatClient.Text(await again.NextAsync("reset"), "reason"));
        await server.Services.GetRequiredService<ChatRetentionWorker>().ForgetAsync(Cancel);
        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM event WHERE kind = 'message' AND stream_id NOT IN (SELECT stream_id FROM room) AND stream_id <> (SELECT id FROM stream WHERE name = 'lobby')"));
    }

    [Fact]
    public async Task What_is_too_old_is_forgotten_and_who_still_wants_it_is_told_so()
    {
        using var mason = await ChatMember.NewAsync(server);
        var room = ChatMember.NewName("room");
        await using var client = await mason.RoomAsync(room);
        await client.SayAsync("old");
        await client.SayAsync("older than a year");
        await client.SayAsync("new");
        var first = ChatClient.Text(await client.NextAsync("message"), "id");
        await client.NextAsync("message");
        await client.NextAsync("message");
        var year = TimeProvider.System.GetUtcNow().AddDays(-366).ToMicroseconds();
        await server.ExecuteAsync("UPDATE event SET at = $1 WHERE seq < 3 AND stream_id = (SELECT stream_id FROM room WHERE name_key = $2)", year, room);
        await server.Services.GetRequiredService<ChatRetentionWorker>().ForgetAsync(Cancel);

        await using var late = await mason.RoomAsync(room, query: "&after=" + first);
        Assert.Equal("too_old", ChatClient.Text(await late.NextAsync("reset"), "reason"));
        await using var fresh = await mason.RoomAsync(room);
        Assert.Equal("new", await fresh.NextTextAsync());
    }

    [Fact]
    public async Task The_rooms_of_an_account_that_is_deleted_go_with_it_and_end_for_who_is_in_them()
    {
        using var mason = await ChatMember.NewAsync(server);
        using var guest = await ChatMember.NewAsync(server);
        var room = ChatMember.NewName("room");
        await using var owner = await mason.RoomAsync(room);
        await owner.SayAsync("said here");
        await owner.NextAsync("message");
        await using var other = await guest.RoomAsync(room);
        await other.NextAsync("message");
        var stream = await server.CountAsync("SELECT stream_id FROM room WHERE name_key = $1", room);
        await server.ExecuteAsync("DELETE FROM account WHERE id = (SELECT owner_id FROM room WHERE stream_id = $1)", stream);
        await server.Services.GetRequiredService<ChatRetentionWorker>().ForgetAsync(Cancel);

        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM event WHERE stream_id = $1", stream));
        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM stream WHERE id = $1", stream));
        await other.Socket.AssertClosedAsync(WebSocketCloseStatus.NormalClosure);
    }
}

public sealed class SqliteRoomTests(SqliteAccountsServer server) : RoomTests(server), IClassFixture<SqliteAccountsServer>;

public sealed class PostgresRoomTests(PostgresAccountsServer server) : RoomTests(server), IClassFixture<PostgresAccountsServer>;
