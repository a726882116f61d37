using System.Text.Json;
using Lintel.Features.Accounts;
using Lintel.Features.Chat.Presence;
using Lintel.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Features.Chat;

public abstract class PresenceTests(AccountsServer server)
{
    [Fact]
    public async Task Presence_counts_people_and_not_sockets_and_its_version_grows()
    {
        using var mason = await ChatMember.NewAsync(server);
        using var other = await ChatMember.NewAsync(server);
        var room = ChatMember.NewName("room");
        var (one, two, three) = (ChatMember.NewName("a"), ChatMember.NewName("b"), ChatMember.NewName("c"));
        await using var client = await mason.RoomAsync(room, one);
        var alone = await PresenceAsync(client, $"{mason.Person.Id}:{one}");
        await using var second = await mason.RoomAsync(room, two);
        var both = await PresenceAsync(client, $"{mason.Person.Id}:{one},{two}");
        ChatClient guest = await other.RoomAsync(room, three);
        var three1 = await PresenceAsync(client, $"{mason.Person.Id}:{one},{two}", $"{other.Person.Id}:{three}");
        await PresenceAsync(guest, $"{mason.Person.Id}:{one},{two}", $"{other.Person.Id}:{three}");
        await guest.Socket.CloseAsync();
        await client.FindAsync("disconnect", message => ChatClient.Text(message, "message") == $"{three} left");
        var after = await PresenceAsync(client, $"{mason.Person.Id}:{one},{two}");

        Assert.True(alone < both && both < three1 && three1 < after);
    }

    [Fact]
    public async Task Presence_of_a_node_that_died_is_taken_away_and_its_names_are_free()
    {
        using var mason = await ChatMember.NewAsync(server);
        using var other = await ChatMember.NewAsync(server);
        var (room, name) = (ChatMember.NewName("room"), ChatMember.NewName());
        await using var client = await mason.RoomAsync(room, "x-" + name);

        // What a node leaves that was killed: a seat, and no row of its own.
        await server.ExecuteAsync("INSERT INTO chat_name (name_key, user_id) VALUES ($1, 999)", name);
        await server.ExecuteAsync(
            "INSERT INTO chat_socket (id, node_id, room_id, user_id, name, name_key) SELECT $1, $2, stream_id, 999, $3, $3 FROM room WHERE name_key = $4",
            Guid.CreateVersion7(),
            Guid.CreateVersion7(),
            name,
            room);
        await client.FindAsync("disconnect", message => ChatClient.Text(message, "message") == $"{name} left");
        await using var taken = await other.RoomAsync(room, name);
        await PresenceAsync(client, $"{mason.Person.Id}:x-{name}", $"{other.Person.Id}:{name}");
    }

    [Fact]
    public async Task A_node_that_was_taken_for_dead_takes_its_seats_again_unless_the_name_is_anothers_now()
    {
        using var mason = await ChatMember.NewAsync(server);
        var room = ChatMember.NewName("room");
        var (kept, lost) = (ChatMember.NewName(), ChatMember.NewName());
        await using var first = await mason.RoomAsync(room, kept);
        await using var second = await mason.RoomAsync(room, lost);
        await first.FindAsync("presence", presence => presence.GetRawText().Contains(lost, StringComparison.Ordinal));
        await server.ExecuteAsync("DELETE FROM chat_socket WHERE name_key IN ($1, $2)", kept, lost);
        await server.ExecuteAsync("DELETE FROM chat_name WHERE name_key = $1", kept);
        await server.ExecuteAsync("UPDATE chat_name SET user_id = 999 WHERE name_key = $1", lost);
        await server.ExecuteAsync(
            "INSERT INTO chat_socket (id, node_id, room_id, user_id, name, name_key) SELECT $1, id, 0, 999, $2, $2 FROM node", Guid.CreateVersion7(), lost);

        await second.Socket.AssertClosedAsync(System.Net.WebSockets.WebSocketCloseStatus.PolicyViolation, "Name taken");
        await PresenceAsync(first, $"{mason.Person.Id}:{kept}");
    }

    [Fact]
    public async Task Seats_that_others_took_away_and_that_end_meanwhile_leave_nothing_behind()
    {
        using var mason = await ChatMember.NewAsync(server);
        var name = ChatMember.NewName();
        List<ChatClient> clients = [];
        for (var i = 0; i < 60; i++)
        {
            clients.Add(await mason.LobbyAsync(name));
        }

        // As another node does that takes this one for dead.
        await server.ExecuteAsync("DELETE FROM chat_socket WHERE name_key = $1", name);
        var looking = server.Services.GetRequiredService<ChatSeats>().LookAfterAsync(TestContext.Current.CancellationToken);
        foreach (var client in clients)
        {
            await client.Socket.CloseAsync();
            await client.DisposeAsync();
        }

        await looking;
        await Eventually.HoldsAsync(async () => await server.CountAsync("SELECT count(*) FROM chat_socket WHERE name_key = $1", name) == 0);
    }

    [Fact]
    public async Task Typing_is_told_to_others_kept_nowhere_and_bounded()
    {
        using var mason = await ChatMember.NewAsync(server);
        using var other = await ChatMember.NewAsync(server);
        var room = ChatMember.NewName("room");
        await using var writer = await mason.RoomAsync(room);
        await using var reader = await other.RoomAsync(room);
        await writer.Socket.SendAsync(new { type = "typing" });
        Assert.Equal(mason.Person.Id, (await reader.FindAsync("typing")).GetProperty("user_id").GetInt64());
        for (var i = 0; i < 500; i++)
        {
            await writer.Socket.SendAsync(new { type = "typing" });
        }

        await writer.SayAsync("done");
        var told = 0;
        while (await reader.Socket.ReceiveAsync() is { } message && ChatClient.Text(message, "type") != "message")
        {
            told += ChatClient.Text(message, "type") == "typing" ? 1 : 0;
        }

        Assert.InRange(told, 0, 60);
        Assert.Equal(1, await server.CountAsync("SELECT count(*) FROM event WHERE stream_id = (SELECT stream_id FROM room WHERE name_key = $1)", room));

        // Who types is not told of it.
        while (await writer.Socket.ReceiveAsync() is { } message && ChatClient.Text(message, "type") != "message")
        {
            Assert.NotEqual("typing", ChatClient.Text(message, "type"));
        }
    }

    private static async Task<long> PresenceAsync(ChatClient client, params string[] members)
    {
        var found = await client.FindAsync("presence", presence => members.SequenceEqual(Members(presence)));
        Assert.Equal(members.Length, found.GetProperty("total").GetInt32());
        return found.GetProperty("version").GetInt64();
    }

    private static IEnumerable<string> Members(JsonElement presence) => presence.GetProperty("members").EnumerateArray()
        .Select(static member => $"{member.GetProperty("user_id").GetInt64()}:{string.Join(',', member.GetProperty("client_ids").EnumerateArray().Select(static name => name.GetString()))}");
}

public sealed class SqlitePresenceTests(SqliteAccountsServer server) : PresenceTests(server), IClassFixture<SqliteAccountsServer>;

public sealed class PostgresPresenceTests(PostgresAccountsServer server) : PresenceTests(server), IClassFixture<PostgresAccountsServer>;
