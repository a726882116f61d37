using System.Net;
using System.Net.WebSockets;
using Lintel.Features.Accounts;
using Lintel.Infrastructure;

namespace Lintel.Features.Chat;

public abstract class RoomMemberTests(AccountsServer server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_private_room_of_others_looks_like_none()
    {
        using var mason = await ChatMember.NewAsync(server);
        using var stranger = await ChatMember.NewAsync(server);
        var room = await mason.NewRoomAsync(isPrivate: true);
        await using var inside = await mason.RoomAsync(room);
        await inside.SayAsync("private");
        var id = ChatClient.Text(await inside.NextAsync("message"), "id");

        Assert.Equal((HttpStatusCode.NotFound, "NOT_FOUND"), await stranger.RefusalAsync($"/ws/rooms/{room}?client_id={ChatMember.NewName()}"));
        foreach (var path in new[] { "", "/messages", "/members" })
        {
            Assert.Equal(HttpStatusCode.NotFound, await stranger.SendAsync(HttpMethod.Get, $"/api/rooms/{room}{path}"));
        }

        Assert.Equal(HttpStatusCode.NotFound, await stranger.SendAsync(HttpMethod.Delete, $"/api/rooms/{room}/messages/{id}"));
        Assert.Equal(HttpStatusCode.NotFound, await stranger.SendAsync(HttpMethod.Delete, $"/api/rooms/{room}"));
        Assert.Equal(HttpStatusCode.NotFound, await stranger.InviteAsync(room, stranger));
        Assert.Equal(HttpStatusCode.NotFound, await stranger.RemoveAsync(room, stranger));
        var first = room[..^1];
        Assert.DoesNotContain((await stranger.GetAsync($"/api/rooms?after={first}&limit=1")).GetProperty("rooms").EnumerateArray(), item => ChatClient.Text(item, "name") == room);
        await using var late = await SocketClient.OpenAsync(server.SocketAddress($"/ws/rooms/{room}?client_id={ChatMember.NewName()}"));
        await late.SendAsync(new { type = "auth", token = stranger.Token });
        await late.AssertClosedAsync(WebSocketCloseStatus.PolicyViolation, "There is no room of this name, or it is private and you are no member.");
    }

    [Fact]
    public async Task Members_come_in_invite_nobody_and_leave_when_they_like()
    {
        using var mason = await ChatMember.NewAsync(server);
        using var member = await ChatMember.NewAsync(server);
        using var other = await ChatMember.NewAsync(server);
        var room = await mason.NewRoomAsync(isPrivate: true);
        Assert.Equal(HttpStatusCode.NoContent, await mason.InviteAsync(room, member));
        Assert.Equal(HttpStatusCode.NoContent, await mason.InviteAsync(room, member));
        Assert.Equal(HttpStatusCode.NotFound, await mason.SendAsync(HttpMethod.Put, $"/api/rooms/{room}/members/999999999"));
        Assert.Equal(HttpStatusCode.Forbidden, await member.InviteAsync(room, other));
        Assert.Equal(HttpStatusCode.Conflict, await member.RemoveAsync(room, mason));
        Assert.Equal(HttpStatusCode.Forbidden, await member.RemoveAsync(room, other));
        Assert.Equal(
            new[] { mason.Person.Id, member.Person.Id },
            (await member.GetAsync($"/api/rooms/{room}/members")).GetProperty("members").EnumerateArray().Select(static item => item.GetProperty("user_id").GetInt64()));

        await using var inside = await member.RoomAsync(room);
        Assert.Equal(HttpStatusCode.NoContent, await member.RemoveAsync(room, member));
        await inside.Socket.AssertClosedAsync(WebSocketCloseStatus.PolicyViolation, "Removed from the room");
        Assert.Equal(HttpStatusCode.NotFound, await member.SendAsync(HttpMethod.Get, "/api/rooms/" + room));
        Assert.Equal(HttpStatusCode.Conflict, await mason.RemoveAsync(room, mason));
        var open = await mason.NewRoomAsync();
        Assert.Equal(HttpStatusCode.Conflict, await mason.InviteAsync(open, member));
    }

    [Fact]
    public async Task A_member_who_is_removed_in_the_midst_sees_and_says_nothing_behind_it()
    {
        using var mason = await ChatMember.NewAsync(server);
        using var member = await ChatMember.NewAsync(server);
        var room = await mason.NewRoomAsync(isPrivate: true);
        await mason.InviteAsync(room, member);
        await using var owner = await mason.RoomAsync(room);
        await using var inside = await member.RoomAsync(room);
        using var stop = new CancellationTokenSource();
        var talking = Task.Run(
            async () =>
            {
                for (var i = 0; i < 100 && !stop.IsCancellationRequested; i++)
                {
                    await inside.SayAsync($"m{i}");
                    await owner.SayAsync($"o{i}");
                }
            },
            Cancel);

        // They are talking; then one of them is out.
        await owner.NextAsync("message");
        Assert.Equal(HttpStatusCode.NoContent, await mason.RemoveAsync(room, member));
        var seen = await inside.Socket.ReceiveToEndAsync();
        Assert.Equal((WebSocketCloseStatus.PolicyViolation, "Removed from the room"), (inside.Socket.CloseStatus!.Value, inside.Socket.CloseReason));
        await stop.CancelAsync();
        await Task.WhenAny(talking);
        Assert.DoesNotContain(seen, static message => ChatClient.Text(message, "type") == "member_removed");

        var texts = await server.Database.ReadAsync(
            session => session.QueryAsync(
                "SELECT seq, kind, data FROM event WHERE stream_id = (SELECT stream_id FROM room WHERE name_key = $1) ORDER BY seq",
                static row => (Seq: row.GetInt64(0), Kind: row.GetString(1), Data: System.Text.Encoding.UTF8.GetString(row.GetFieldValue<byte[]>(2))),
                room),
            Cancel);
        var removed = Assert.Single(texts, static item => item.Kind == "member_removed").Seq;
        Assert.DoesNotContain(texts, item => item.Seq > removed && item.Data.Contains($"\"user_id\":{member.Person.Id},", StringComparison.Ordinal));
        Assert.Equal(removed - 1, seen.Count(static message => ChatClient.Text(message, "type") == "message"));

        // Let in again, they see all of it: their removal too, which is behind them.
        await mason.InviteAsync(room, member);
        await using var again = await member.RoomAsync(room, query: "&after=0");
        await again.FindAsync("member_removed");
        await again.SayAsync("back");
        await again.FindAsync("message", static message => ChatClient.Text(message, "message") == "back");
    }
}

public sealed class SqliteRoomMemberTests(SqliteAccountsServer server) : RoomMemberTests(server), IClassFixture<SqliteAccountsServer>;

public sealed class PostgresRoomMemberTests(PostgresAccountsServer server) : RoomMemberTests(server), IClassFixture<PostgresAccountsServer>;
