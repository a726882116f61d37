using System.Net;
using System.Net.Http.Json;
using System.Net.WebSockets;
using Lintel.Features.Accounts;
using Lintel.Infrastructure;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Features.Chat;

public abstract class LobbyTests(AccountsServer server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_text_goes_to_all_who_are_there_as_it_was_sent()
    {
        using var mason = await ChatMember.NewAsync(server);
        using var carpenter = await ChatMember.NewAsync(server);
        var (one, two) = (ChatMember.NewName(), ChatMember.NewName());
        await using var here = await mason.LobbyAsync(one);
        await using var there = await carpenter.LobbyAsync(two);
        Assert.Equal($$"""{"type":"connection","message":"Connected as {{one}}"}""", here.Connection.GetRawText());

        string[] texts = ["Good morning", """{"message":"just text"}""", """{"type":"message","message":"as it is"}""", "<b>bold</b> & \"quoted\"", "ein Träger 🏗", "[1,2]"];
        foreach (var text in texts)
        {
            await here.Socket.SendAsync(text);
        }

        foreach (var client in new[] { here, there })
        {
            foreach (var text in texts)
            {
                var message = await client.FindAsync("message", message => ChatClient.Text(message, "client_id") == one);
                Assert.Equal(text, ChatClient.Text(message, "message"));
                Assert.NotNull(ChatClient.Text(message, "id"));
                Assert.Equal(TimeSpan.Zero, message.GetProperty("at").GetDateTimeOffset().Offset);
            }
        }
    }

    [Fact]
    public async Task Markup_comes_as_data_that_no_page_could_take_for_markup()
    {
        using var mason = await ChatMember.NewAsync(server);
        var name = ChatMember.NewName("<i>");
        await using var client = await mason.LobbyAsync(name);
        await client.Socket.SendAsync("<script>alert(1)</script>");
        var message = await client.FindAsync("message", message => ChatClient.Text(message, "client_id") == name);

        Assert.Equal("<script>alert(1)</script>", ChatClient.Text(message, "message"));
        Assert.DoesNotContain("<", message.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_leaves_is_told_of_behind_what_they_said()
    {
        using var mason = await ChatMember.NewAsync(server);
        using var carpenter = await ChatMember.NewAsync(server);
        var name = ChatMember.NewName();
        await using var here = await mason.LobbyAsync(ChatMember.NewName());
        await using (var there = await carpenter.LobbyAsync(name))
        {
            await there.Socket.SendAsync("bye");
            await there.Socket.CloseAsync();
        }

        await here.FindAsync("message", message => ChatClient.Text(message, "client_id") == name);
        await here.FindAsync("disconnect", message => ChatClient.Text(message, "message") == $"{name} left");
    }

    [Fact]
    public async Task A_name_is_its_holders_until_their_last_socket_is_gone()
    {
        using var mason = await ChatMember.NewAsync(server);
        using var carpenter = await ChatMember.NewAsync(server);
        var name = ChatMember.NewName("Mason");
        await using var first = await mason.LobbyAsync(name);
        await using var second = await mason.RoomAsync(ChatMember.NewName("room"), name.ToUpperInvariant());

        Assert.Equal((HttpStatusCode.Conflict, "CONFLICT"), await carpenter.RefusalAsync("/ws/" + name));
        Assert.Equal((HttpStatusCode.Conflict, "CONFLICT"), await carpenter.RefusalAsync($"/ws/rooms/x?client_id={name.ToLowerInvariant()}"));
        await first.Socket.CloseAsync();
        await Eventually.HoldsAsync(async () => await server.CountAsync("SELECT count(*) FROM chat_socket WHERE name_key = $1", name.ToLowerInvariant()) == 1);
        Assert.Equal(HttpStatusCode.Conflict, (await carpenter.RefusalAsync("/ws/" + name)).Status);
        await second.Socket.CloseAsync();
        await Eventually.HoldsAsync(async () => await server.CountAsync("SELECT count(*) FROM chat_name WHERE name_key = $1", name.ToLowerInvariant()) == 0);
        await using var taken = await carpenter.LobbyAsync(name);
        Assert.Equal(HttpStatusCode.Conflict, (await mason.RefusalAsync("/ws/" + name)).Status);
    }

    [Fact]
    public async Task Of_many_users_who_want_a_name_at_once_one_gets_it()
    {
        var members = new List<ChatMember>();
        for (var i = 0; i < 8; i++)
        {
            members.Add(await ChatMember.NewAsync(server));
        }

        var name = ChatMember.NewName();
        var answers = await Task.WhenAll(members.Select(async member =>
        {
            try
            {
                return await member.LobbyAsync(name);
            }
            catch (WebSocketException)
            {
                return null;
            }
        }));

        Assert.Single(answers, static answer => answer is not null);
        Assert.Equal(1, await server.CountAsync("SELECT count(*) FROM chat_socket WHERE name_key = $1", name));
        await answers.Single(static answer => answer is not null)!.DisposeAsync();
        members.ForEach(static member => member.Dispose());
    }

    [Fact]
    public async Task Where_credentials_come_later_a_name_that_is_held_closes_the_socket()
    {
        using var mason = await ChatMember.NewAsync(server);
        using var carpenter = await ChatMember.NewAsync(server);
        var name = ChatMember.NewName();
        await using var holder = await mason.LobbyAsync(name);
        await using var late = await SocketClient.OpenAsync(server.SocketAddress("/ws/" + name));
        await late.SendAsync(new { type = "auth", token = carpenter.Token });
        await late.AssertClosedAsync(WebSocketCloseStatus.PolicyViolation, "Another user has this name now; choose another client_id.");
        await using var own = await SocketClient.OpenAsync(server.SocketAddress("/ws/" + name));
        await own.SendAsync(new { type = "auth", token = mason.Token });

        Assert.Equal("connection", ChatClient.Text((await own.ReceiveAsync())!.Value, "type"));
    }

    [Fact]
    public async Task Tickets_and_tokens_in_the_address_open_it_and_a_first_message_with_credentials_is_shown_to_nobody()
    {
        using var mason = await ChatMember.NewAsync(server);
        var (one, two, three) = (ChatMember.NewName(), ChatMember.NewName(), ChatMember.NewName());
        using var answer = await mason.Client.PostAsJsonAsync("/auth/ws-ticket", new { path = "/ws/" + one }, Cancel);
        var ticket = (await answer.JsonAsync()).GetProperty("ticket").GetString();
        await using var ticketed = await SocketClient.OpenAsync(server.SocketAddress($"/ws/{one}?ticket={ticket}"));
        Assert.Equal("connection", ChatClient.Text((await ticketed.ReceiveAsync())!.Value, "type"));
        await using var tokened = await SocketClient.OpenAsync(server.SocketAddress($"/ws/{two}?token={mason.Token}"));
        Assert.Equal("connection", ChatClient.Text((await tokened.ReceiveAsync())!.Value, "type"));
        await using var late = await SocketClient.OpenAsync(server.SocketAddress("/ws/" + three));
        await late.SendAsync(new { type = "message", message = "hello", token = mason.Token });
        Assert.Equal("connection", ChatClient.Text((await late.ReceiveAsync())!.Value, "type"));
        await late.SendAsync("second");
        await late.SendAsync(new { type = "auth", token = mason.Token });
        await late.SendAsync("third");

        Assert.Equal(["second", "third"], await OwnTextsAsync(late, three, 2));
    }

    [Fact]
    public async Task Without_credentials_or_the_scope_nobody_comes_in()
    {
        await using var nobody = await SocketClient.OpenAsync(server.SocketAddress("/ws/" + ChatMember.NewName()));
        await nobody.SendAsync(new { type = "ping" });
        await nobody.AssertClosedAsync(WebSocketCloseStatus.PolicyViolation, "Missing API key");
        using var mason = await ChatMember.NewAsync(server);
        using var made = await mason.Client.PostAsJsonAsync("/api/keys", new { name = "x", scopes = new[] { "design" } }, Cancel);
        using var machine = server.CreateClient();
        machine.DefaultRequestHeaders.Add("X-API-Key", (await made.JsonAsync()).GetProperty("key").GetString());
        using var refused = await machine.GetAsync("/ws/" + ChatMember.NewName(), Cancel);

        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
    }

    [Theory]
    [InlineData("design")]
    [InlineData("JOBS")]
    [InlineData("rooms")]
    public async Task A_name_that_is_a_part_of_the_server_is_nobodys(string name)
    {
        using var mason = await ChatMember.NewAsync(server);
        Assert.Equal((HttpStatusCode.NotFound, "NOT_FOUND"), await mason.RefusalAsync("/ws/" + name));
    }

    [Theory]
    [InlineData("%20mason")]
    [InlineData("%E2%80%AEmason")]
    [InlineData("a%0Ab")]
    [InlineData("%E2%80%8B")]
    [InlineData("mason%EF%B8%8F")]
    [InlineData("mason%CD%8F")]
    [InlineData("%E3%85%A4")]
    [InlineData("%CC%81mason")]
    [InlineData("a%20%20b")]
    [InlineData("a%C2%A0b")]
    [InlineData("a%5Cb")]
    [InlineData("12345678901234567890123456789012345678901234567890123456789012345")]
    public async Task A_name_that_nobody_could_read_is_refused(string name)
    {
        using var mason = await ChatMember.NewAsync(server);
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "VALIDATION_ERROR"), await mason.RefusalAsync("/ws/" + name));
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "VALIDATION_ERROR"), await mason.RefusalAsync("/ws/rooms/x?client_id=" + name));
    }

    [Fact]
    public void The_lobby_swallows_no_other_socket()
    {
        var first = server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Select(static route => route.RoutePattern.RawText!.Trim('/').Split('/'))
            .Where(static parts => parts is ["ws", not "{client_id}", ..]).Select(static parts => parts[1]).Distinct();

        Assert.All(first, static part => Assert.True(ChatName.TryParse(part, out var name) && name.IsReserved, part));
    }

    private static async Task<List<string>> OwnTextsAsync(SocketClient socket, string name, int count)
    {
        List<string> texts = [];
        while (texts.Count < count && await socket.ReceiveAsync() is { } message)
        {
            if (ChatClient.Text(message, "type") == "message" && ChatClient.Text(message, "client_id") == name)
            {
                texts.Add(ChatClient.Text(message, "message")!);
            }
        }

        return texts;
    }
}

public sealed class SqliteLobbyTests(SqliteAccountsServer server) : LobbyTests(server), IClassFixture<SqliteAccountsServer>;

public sealed class PostgresLobbyTests(PostgresAccountsServer server) : LobbyTests(server), IClassFixture<PostgresAccountsServer>;
