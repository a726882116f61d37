using System.Net;
using System.Net.Http.Json;
using System.Net.WebSockets;
using Lintel.Features.Accounts;
using Lintel.Features.Streams;
using Lintel.Features.Tasks;
using Lintel.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Lintel.Features.Notifications;

/// <summary>The inbox, read and watched.</summary>
public abstract class NotificationTests(AccountsServer server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_open_socket_hears_of_a_new_task_at_once()
    {
        using var mason = await Worker.NewAsync(server);
        await mason.MakeAsync("before");
        await using var socket = await SocketAsync(mason, "/ws/notifications");
        var made = await mason.MakeAsync(new { title = "after", due_at = "2999-01-31T12:00:00Z" });
        var message = (await socket.ReceiveAsync())!.Value;

        Assert.Equal(["type", "id", "task_id", "title", "status", "due_at"], message.EnumerateObject().Select(static property => property.Name));
        Assert.Equal("task_created", message.GetProperty("type").GetString());
        Assert.Equal(Worker.Id(made), message.GetProperty("task_id").GetGuid());
        Assert.Equal(("after", "pending", "2999-01-31T12:00:00.000000Z"),
            (message.GetProperty("title").GetString(), message.GetProperty("status").GetString(), message.GetProperty("due_at").GetString()));
        await socket.SendAsync(new { type = "ping" });
        Assert.Equal("pong", (await socket.ReceiveAsync())!.Value.GetProperty("type").GetString());
    }

    [Fact]
    public async Task All_open_connections_of_the_owner_hear_of_it_and_nobody_elses()
    {
        using var mason = await Worker.NewAsync(server);
        using var other = await Worker.NewAsync(server);
        await using var socket = await SocketAsync(mason, "/ws/notifications");
        await using var events = await SseClient.OpenAsync(mason.Client, "/api/notifications/events");
        await using var foreign = await SocketAsync(other, "/ws/notifications");
        await mason.MakeAsync("mine");
        await other.MakeAsync("theirs");

        Assert.Equal("mine", (await socket.ReceiveAsync())!.Value.GetProperty("title").GetString());
        var told = (await events.ReadAsync())!;
        Assert.Equal(("task_created", "mine"), (told.Kind, told.Json.GetProperty("title").GetString()));
        Assert.Equal("theirs", (await foreign.ReceiveAsync())!.Value.GetProperty("title").GetString());
    }

    [Fact]
    public async Task An_event_stream_goes_on_behind_the_last_id_without_a_gap_or_a_repeat()
    {
        using var mason = await Worker.NewAsync(server);
        string? last;
        await using (var events = await SseClient.OpenAsync(mason.Client, "/api/notifications/events"))
        {
            await mason.MakeAsync("t0");
            last = (await events.ReadAsync())!.Id;
        }

        for (var i = 1; i < 5; i++)
        {
            await mason.MakeAsync($"t{i}");
        }

        await using var resumed = await SseClient.OpenAsync(mason.Client, "/api/notifications/events", last);
        for (var i = 1; i < 5; i++)
        {
            Assert.Equal($"t{i}", (await resumed.ReadAsync())!.Json.GetProperty("title").GetString());
        }
    }

    [Fact]
    public async Task A_reader_that_has_heard_nothing_yet_can_come_back_to_where_it_was()
    {
        using var mason = await Worker.NewAsync(server);
        await mason.MakeAsync("before");
        using var response = await mason.Client.GetAsync("/api/notifications/events", HttpCompletionOption.ResponseHeadersRead, Cancel);
        using var lines = new StreamReader(await response.Content.ReadAsStreamAsync(Cancel));
        string? position = null;
        while (position is null)
        {
            var line = await lines.ReadLineAsync(Cancel) ?? throw new EndOfStreamException();
            position = line.StartsWith("id: ", StringComparison.Ordinal) ? line[4..] : null;
        }

        await mason.MakeAsync("meanwhile");
        await using var resumed = await SseClient.OpenAsync(mason.Client, "/api/notifications/events", position);
        Assert.Equal("meanwhile", (await resumed.ReadAsync())!.Json.GetProperty("title").GetString());
    }

    [Fact]
    public async Task The_list_and_a_socket_opened_behind_it_have_no_gap_between_them()
    {
        using var mason = await Worker.NewAsync(server);
        await mason.MakeAsync("listed");
        var list = await mason.GetAsync("/api/notifications");
        await mason.MakeAsync("between");
        await using var socket = await SocketAsync(mason, "/ws/notifications?after=" + list.GetProperty("position").GetString());

        Assert.Equal("between", (await socket.ReceiveAsync())!.Value.GetProperty("title").GetString());
    }

    [Fact]
    public async Task A_position_of_anothers_inbox_brings_a_reset()
    {
        using var mason = await Worker.NewAsync(server);
        using var other = await Worker.NewAsync(server);
        await other.MakeAsync("theirs");
        var theirs = (await other.GetAsync("/api/notifications")).GetProperty("notifications")[0].GetProperty("id").GetString()!;
        await using var events = await SseClient.OpenAsync(mason.Client, "/api/notifications/events", theirs);
        await using var socket = await SocketAsync(mason, "/ws/notifications?after=" + theirs);

        Assert.Equal("unknown", (await events.ReadAsync())!.Json.GetProperty("reason").GetString());
        Assert.Null(await events.ReadAsync());
        Assert.Equal("unknown", (await socket.ReceiveAsync())!.Value.GetProperty("reason").GetString());
        await socket.AssertClosedAsync(WebSocketCloseStatus.NormalClosure);
    }

    [Fact]
    public async Task Credentials_may_come_in_the_first_message_or_as_a_ticket()
    {
        using var mason = await Worker.NewAsync(server);
        await using var late = await SocketClient.OpenAsync(server.SocketAddress("/ws/notifications?after=" + await PositionAsync(mason)));
        await late.SendAsync(new { type = "auth", token = mason.Person.Tokens.Access });
        using var ticket = await mason.Client.PostAsJsonAsync("/auth/ws-ticket", new { path = "/ws/notifications" }, Cancel);
        await using var ticketed = await SocketClient.OpenAsync(
            server.SocketAddress("/ws/notifications?ticket=" + (await ticket.JsonAsync()).GetProperty("ticket").GetString()));
        using var eventTicket = await mason.Client.PostAsJsonAsync("/auth/ws-ticket", new { path = "/api/notifications/events" }, Cancel);
        await using var events = await SseClient.OpenAsync(
            server.Client, "/api/notifications/events?ticket=" + (await eventTicket.JsonAsync()).GetProperty("ticket").GetString());
        await mason.MakeAsync("told");

        Assert.Equal("told", (await late.ReceiveAsync())!.Value.GetProperty("title").GetString());
        Assert.Equal("told", (await ticketed.ReceiveAsync())!.Value.GetProperty("title").GetString());
        Assert.Equal("told", (await events.ReadAsync())!.Json.GetProperty("title").GetString());
    }

    [Fact]
    public async Task Without_credentials_nothing_is_told()
    {
        await using var socket = await SocketClient.OpenAsync(server.SocketAddress("/ws/notifications"));
        await socket.SendAsync(new { type = "ping" });
        await socket.AssertClosedAsync(WebSocketCloseStatus.PolicyViolation, "Missing API key");
        using var events = await server.Client.GetAsync("/api/notifications/events", Cancel);
        using var list = await server.Client.GetAsync("/api/notifications", Cancel);

        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized), (events.StatusCode, list.StatusCode));
    }

    [Fact]
    public async Task A_machine_without_an_account_has_no_inbox_whichever_way_it_comes()
    {
        using var machine = server.CreateClient();
        machine.DefaultRequestHeaders.Add("X-API-Key", "test-static-key");
        using var list = await machine.GetAsync("/api/notifications", Cancel);
        using var ticket = await machine.PostAsJsonAsync("/auth/ws-ticket", new { path = "/ws/notifications" }, Cancel);
        await using var socket = await SocketClient.OpenAsync(
            server.SocketAddress("/ws/notifications?ticket=" + (await ticket.JsonAsync()).GetProperty("ticket").GetString()));

        Assert.Equal(HttpStatusCode.Forbidden, list.StatusCode);
        await socket.AssertClosedAsync(WebSocketCloseStatus.PolicyViolation, "Not allowed");
    }

    [Fact]
    public async Task Signing_out_ends_the_open_connections()
    {
        using var mason = await Worker.NewAsync(server);
        await using var socket = await SocketAsync(mason, "/ws/notifications");
        await using var events = await SseClient.OpenAsync(mason.Client, "/api/notifications/events");
        using var logout = await server.LogoutAsync(mason.Person.Tokens.Refresh);

        await socket.AssertClosedAsync(WebSocketCloseStatus.PolicyViolation, "Signed out");
        Assert.Null(await events.ReadAsync());
    }

    [Fact]
    public async Task What_is_read_is_counted_no_more()
    {
        using var mason = await Worker.NewAsync(server);
        Assert.Equal(0, await UnreadAsync(mason));
        for (var i = 0; i < 4; i++)
        {
            await mason.MakeAsync($"t{i}");
        }

        var list = (await mason.GetAsync("/api/notifications")).GetProperty("notifications").EnumerateArray().ToArray();
        Assert.Equal(["t3", "t2", "t1", "t0"], list.Select(static item => item.GetProperty("data").GetProperty("title").GetString()));
        Assert.Equal(4, await UnreadAsync(mason));
        Assert.Equal(2, await MarkReadAsync(mason, new { id = list[2].GetProperty("id").GetString() }));

        // Marking less does not take back what was read.
        Assert.Equal(2, await MarkReadAsync(mason, new { id = list[3].GetProperty("id").GetString() }));
        var after = await mason.GetAsync("/api/notifications");
        Assert.Equal([false, false, true, true], after.GetProperty("notifications").EnumerateArray().Select(static item => item.GetProperty("is_read").GetBoolean()));
        Assert.Equal(2, after.GetProperty("unread").GetInt64());
        Assert.Equal(0, await MarkReadAsync(mason, new { }));
        await mason.MakeAsync("new");
        Assert.Equal(1, await UnreadAsync(mason));
    }

    [Fact]
    public async Task Only_an_id_of_ones_own_inbox_can_be_marked()
    {
        using var mason = await Worker.NewAsync(server);
        using var other = await Worker.NewAsync(server);
        await mason.MakeAsync("a");
        await other.MakeAsync("b");
        var mine = (await mason.GetAsync("/api/notifications")).GetProperty("notifications")[0].GetProperty("id").GetString()!;
        foreach (var id in new[] { "x", "", mine[..^1] + "9", (await other.GetAsync("/api/notifications")).GetProperty("notifications")[0].GetProperty("id").GetString() })
        {
            using var response = await mason.SendAsync(HttpMethod.Post, "/api/notifications/read", new { id });
            Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        }

        Assert.Equal((1, 1), (await UnreadAsync(mason), await UnreadAsync(other)));
    }

    [Fact]
    public async Task The_list_comes_in_pages()
    {
        using var mason = await Worker.NewAsync(server);
        for (var i = 0; i < 5; i++)
        {
            await mason.MakeAsync($"t{i}");
        }

        List<string> titles = [];
        for (var query = "?limit=2"; ;)
        {
            var page = await mason.GetAsync("/api/notifications" + query);
            titles.AddRange(page.GetProperty("notifications").EnumerateArray().Select(static item => item.GetProperty("data").GetProperty("title").GetString()!));
            if (page.GetProperty("next").GetString() is not { } next)
            {
                break;
            }

            query = $"?limit=2&after={next}";
        }

        Assert.Equal(["t4", "t3", "t2", "t1", "t0"], titles);
        using var wrong = await mason.Client.GetAsync("/api/notifications?after=x", Cancel);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, wrong.StatusCode);
    }

    [Fact]
    public async Task The_oldest_are_forgotten_and_counted_no_more()
    {
        using var mason = await Worker.NewAsync(server);
        await mason.MakeAsync("first");
        var first = (await mason.GetAsync("/api/notifications")).GetProperty("notifications")[0].GetProperty("id").GetString();
        var stream = await server.CountAsync("SELECT stream_id FROM inbox WHERE user_id = $1", mason.Person.Id);
        StreamEvent[] many = [.. Enumerable.Range(0, 1100).Select(static _ => new StreamEvent("task_due", "{}"u8.ToArray()))];
        await server.Services.GetRequiredService<StreamLog>().AppendAsync(stream, many, cancellationToken: Cancel);
        await server.Services.GetServices<IHostedService>().OfType<NotificationRetentionWorker>().Single().ForgetAsync(Cancel);

        Assert.Equal(1000, await UnreadAsync(mason));
        Assert.Equal(1000, await server.CountAsync("SELECT count(*) FROM event WHERE stream_id = $1", stream));
        await using var events = await SseClient.OpenAsync(mason.Client, "/api/notifications/events", first);
        Assert.Equal("too_old", (await events.ReadAsync())!.Json.GetProperty("reason").GetString());
    }

    [Fact]
    public async Task An_account_that_is_deleted_leaves_no_notifications_behind()
    {
        using var mason = await Worker.NewAsync(server);
        await mason.MakeAsync("private");
        var stream = await server.CountAsync("SELECT stream_id FROM inbox WHERE user_id = $1", mason.Person.Id);
        await server.ExecuteAsync("DELETE FROM account WHERE id = $1", mason.Person.Id);
        await server.Services.GetServices<IHostedService>().OfType<NotificationRetentionWorker>().Single().ForgetAsync(Cancel);

        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM event WHERE stream_id = $1", stream));
        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM stream WHERE id = $1", stream));
    }

    private Task<SocketClient> SocketAsync(Worker worker, string path) =>
        SocketClient.OpenAsync(server.SocketAddress(path), "Authorization", "Bearer " + worker.Person.Tokens.Access);

    private static async Task<string> PositionAsync(Worker worker) => (await worker.GetAsync("/api/notifications")).GetProperty("position").GetString()!;

    private static async Task<long> UnreadAsync(Worker worker) => (await worker.GetAsync("/api/notifications/unread")).GetProperty("unread").GetInt64();

    private static async Task<long> MarkReadAsync(Worker worker, object body)
    {
        using var response = await worker.SendAsync(HttpMethod.Post, "/api/notifications/read", body);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return (await response.JsonAsync()).GetProperty("unread").GetInt64();
    }
}

public sealed class SqliteNotificationTests(SqliteAccountsServer server) : NotificationTests(server), IClassFixture<SqliteAccountsServer>;

public sealed class PostgresNotificationTests(PostgresAccountsServer server) : NotificationTests(server), IClassFixture<PostgresAccountsServer>;
