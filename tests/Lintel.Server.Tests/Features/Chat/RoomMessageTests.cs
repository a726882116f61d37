using System.Net;
using System.Text.Json;
using Lintel.Features.Accounts;

namespace Lintel.Features.Chat;

public abstract class RoomMessageTests(AccountsServer server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_changed_message_is_told_to_those_who_saw_it_and_is_what_history_shows()
    {
        using var mason = await ChatMember.NewAsync(server);
        var room = ChatMember.NewName("room");
        await using var writer = await mason.RoomAsync(room);
        var id = await SayAsync(writer, "frist");
        await SayAsync(writer, "second");
        await writer.Socket.SendAsync(new { type = "edit", message_id = id, message = "first" });
        var edit = await writer.NextAsync("edit");
        Assert.Equal((id, "first"), (ChatClient.Text(edit, "message_id"), ChatClient.Text(edit, "message")));
        await writer.Socket.SendAsync(new { type = "edit", message_id = id, message = "First!" });
        await writer.NextAsync("edit");

        // Who comes now reads what is, then of each change once; the text in between is gone.
        await using var late = await mason.RoomAsync(room);
        var first = await late.NextAsync("message");
        Assert.Equal((id, "First!"), (ChatClient.Text(first, "id"), ChatClient.Text(first, "message")));
        Assert.True(first.GetProperty("edited_at").GetDateTimeOffset() > first.GetProperty("at").GetDateTimeOffset());
        Assert.Equal("second", await late.NextTextAsync());
        Assert.False((await late.NextAsync("edit")).TryGetProperty("message", out _));
        var last = await late.NextAsync("edit");
        Assert.Equal(("First!", ChatClient.Text(first, "edit_id")), (ChatClient.Text(last, "message"), ChatClient.Text(last, "id")));
        Assert.Equal(["second", "First!"], await HistoryAsync(mason, room));
    }

    [Fact]
    public async Task A_removed_messages_text_is_nowhere_any_more()
    {
        using var mason = await ChatMember.NewAsync(server);
        var room = ChatMember.NewName("room");
        await using var writer = await mason.RoomAsync(room);
        var id = await SayAsync(writer, "secret-one");
        await writer.Socket.SendAsync(new { type = "edit", message_id = id, message = "secret-two" });
        await writer.NextAsync("edit");
        await writer.Socket.SendAsync(new { type = "delete", message_id = id });
        var deletion = await writer.NextAsync("delete");
        Assert.Equal((id, "author"), (ChatClient.Text(deletion, "message_id"), ChatClient.Text(deletion, "by")));

        await using var late = await mason.RoomAsync(room);
        JsonElement[] replayed = [await late.NextAsync("message"), await late.NextAsync("edit"), await late.NextAsync("delete")];
        Assert.DoesNotContain(replayed, static message => message.GetRawText().Contains("secret", StringComparison.Ordinal));
        Assert.Equal("", ChatClient.Text(replayed[0], "message"));
        Assert.DoesNotContain("secret", await StoredAsync(room), StringComparison.Ordinal);

        foreach (var command in new object[] { new { type = "edit", message_id = id, message = "x" }, new { type = "delete", message_id = id } })
        {
            await writer.Socket.SendAsync(command);
            Assert.Equal("You have no message of this id here.", ChatClient.Text(await writer.NextAsync("error"), "message"));
        }
    }

    [Fact]
    public async Task Only_the_author_changes_a_message_and_only_the_author_or_a_moderator_removes_it()
    {
        using var mason = await ChatMember.NewAsync(server);
        using var other = await ChatMember.NewAsync(server);
        using var moderator = await ChatMember.NewModeratorAsync(server);
        var room = ChatMember.NewName("room");
        await using var writer = await mason.RoomAsync(room);
        await using var reader = await other.RoomAsync(room);
        await using var guard = await moderator.RoomAsync(room);
        var id = await SayAsync(writer, "mine");
        await reader.NextAsync("message");
        await guard.NextAsync("message");
        foreach (var (client, command) in new (ChatClient, object)[]
        {
            (reader, new { type = "edit", message_id = id, message = "yours" }),
            (reader, new { type = "delete", message_id = id }),
            (guard, new { type = "edit", message_id = id, message = "theirs" }),
        })
        {
            await client.Socket.SendAsync(command);
            Assert.Equal("You have no message of this id here.", ChatClient.Text(await client.NextAsync("error"), "message"));
        }

        Assert.Equal(HttpStatusCode.NotFound, await other.SendAsync(HttpMethod.Delete, $"/api/rooms/{room}/messages/{id}"));
        Assert.Equal(["mine"], await HistoryAsync(other, room));
        await guard.Socket.SendAsync(new { type = "delete", message_id = id });
        Assert.Equal("moderator", ChatClient.Text(await reader.NextAsync("delete"), "by"));
        var second = await SayAsync(writer, "again", skip: 1);
        Assert.Equal(HttpStatusCode.NoContent, await moderator.SendAsync(HttpMethod.Delete, $"/api/rooms/{room}/messages/{second}"));
        Assert.Equal(["", ""], await HistoryAsync(other, room));
    }

    [Fact]
    public async Task Of_changes_at_once_the_last_in_the_stream_is_what_history_shows()
    {
        using var mason = await ChatMember.NewAsync(server);
        var room = ChatMember.NewName("room");
        await using var writer = await mason.RoomAsync(room);
        var id = await SayAsync(writer, "start");
        List<ChatClient> clients = [];
        for (var i = 0; i < 6; i++)
        {
            clients.Add(await mason.RoomAsync(room, query: "&history=0"));
        }

        await Task.WhenAll(clients.Select((client, i) => client.Socket.SendAsync(new { type = "edit", message_id = id, message = $"e{i}" })));
        string last = "";
        for (var i = 0; i < clients.Count; i++)
        {
            last = ChatClient.Text(await writer.NextAsync("edit"), "message")!;
        }

        Assert.Equal([last], await HistoryAsync(mason, room));
        Assert.Equal(1, await server.CountAsync("SELECT count(*) FROM event WHERE kind = 'edit' AND stream_id = (SELECT stream_id FROM room WHERE name_key = $1) AND length(data) > (SELECT min(length(data)) FROM event WHERE kind = 'edit' AND stream_id = (SELECT stream_id FROM room WHERE name_key = $1))", room));
        foreach (var client in clients)
        {
            await client.DisposeAsync();
        }
    }

    [Fact]
    public async Task Who_is_muted_is_not_heard_until_the_time_is_over()
    {
        using var mason = await ChatMember.NewAsync(server);
        using var other = await ChatMember.NewAsync(server);
        using var moderator = await ChatMember.NewModeratorAsync(server);
        var room = ChatMember.NewName("room");
        await using var writer = await mason.RoomAsync(room);
        await using var reader = await other.RoomAsync(room);
        var path = $"/api/rooms/{room}/mutes/{mason.Person.Id}";
        var until = server.Clock.GetUtcNow().AddMinutes(5);
        Assert.Equal(HttpStatusCode.Forbidden, await other.SendAsync(HttpMethod.Put, path, new { until }));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, await moderator.SendAsync(HttpMethod.Put, path, new { until = server.Clock.GetUtcNow().AddMinutes(-1) }));
        Assert.Equal(HttpStatusCode.NotFound, await moderator.SendAsync(HttpMethod.Put, $"/api/rooms/{room}/mutes/999999999", new { until }));
        Assert.Equal(HttpStatusCode.NoContent, await moderator.SendAsync(HttpMethod.Put, path, new { until }));
        Assert.Equal(mason.Person.Id, (await reader.NextAsync("muted")).GetProperty("user_id").GetInt64());

        await writer.NextAsync("muted");
        await writer.SayAsync("unheard");
        Assert.StartsWith("You are muted in this room until ", ChatClient.Text(await writer.NextAsync("error"), "message"), StringComparison.Ordinal);
        await writer.Socket.SendAsync(new { type = "typing" });
        Assert.Equal(HttpStatusCode.NoContent, await moderator.SendAsync(HttpMethod.Delete, path));
        await writer.NextAsync("muted");
        await SayAsync(writer, "heard");
        await moderator.SendAsync(HttpMethod.Put, path, new { until });
        await writer.NextAsync("muted");
        await server.ExecuteAsync("UPDATE room_mute SET until = 1 WHERE user_id = $1", mason.Person.Id);
        await SayAsync(writer, "later");

        Assert.Equal(["later", "heard"], await HistoryAsync(other, room));
    }

    [Fact]
    public async Task History_comes_in_pages_of_messages_alone()
    {
        using var mason = await ChatMember.NewAsync(server);
        var room = ChatMember.NewName("room");
        await using var writer = await mason.RoomAsync(room);
        for (var i = 0; i < 5; i++)
        {
            var id = await SayAsync(writer, $"t{i}");
            await writer.Socket.SendAsync(new { type = "edit", message_id = id, message = $"T{i}" });
            await writer.NextAsync("edit");
        }

        List<string> texts = [];
        for (var query = "?limit=2"; ;)
        {
            var page = await mason.GetAsync($"/api/rooms/{room}/messages{query}");
            texts.AddRange(page.GetProperty("messages").EnumerateArray().Select(static item => item.GetProperty("data").GetProperty("message").GetString()!));
            if (page.GetProperty("next").GetString() is not { } next)
            {
                break;
            }

            query = "?limit=2&before=" + next;
        }

        Assert.Equal(["T4", "T3", "T2", "T1", "T0"], texts);
        using var wrong = await mason.Client.GetAsync($"/api/rooms/{room}/messages?before=x", Cancel);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, wrong.StatusCode);
    }

    private static async Task<string> SayAsync(ChatClient client, string text, int skip = 0)
    {
        await client.SayAsync(text);
        for (var i = 0; i < skip; i++)
        {
            await client.NextAsync();
        }

        return ChatClient.Text(await client.NextAsync("message"), "id")!;
    }

    private static async Task<string[]> HistoryAsync(ChatMember member, string room) =>
        [.. (await member.GetAsync($"/api/rooms/{room}/messages")).GetProperty("messages").EnumerateArray().Select(static item => item.GetProperty("data").GetProperty("message").GetString()!)];

    private Task<string> StoredAsync(string room) => server.Database.ReadAsync(
        async session => string.Concat(await session.QueryAsync(
            "SELECT data FROM event WHERE stream_id = (SELECT stream_id FROM room WHERE name_key = $1)",
            static row => System.Text.Encoding.UTF8.GetString(row.GetFieldValue<byte[]>(0)),
            room)),
        Cancel);
}

public sealed class SqliteRoomMessageTests(SqliteAccountsServer server) : RoomMessageTests(server), IClassFixture<SqliteAccountsServer>;

public sealed class PostgresRoomMessageTests(PostgresAccountsServer server) : RoomMessageTests(server), IClassFixture<PostgresAccountsServer>;
