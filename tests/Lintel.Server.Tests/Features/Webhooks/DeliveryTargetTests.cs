using System.Net;
using System.Text.Json;
using Lintel.Infrastructure;

namespace Lintel.Features.Webhooks;

/// <summary>Targets that lead where nothing is to be sent.</summary>
public abstract class DeliveryTargetTests(TestDatabaseKind kind, WebhooksServer server)
{
    [Fact]
    public async Task A_redirect_is_not_followed()
    {
        await using var inside = await Receiver.StartAsync();
        await using var receiver = await Receiver.StartAsync();
        receiver.Next(Receiver.Status(307, inside.Url), Receiver.Status(302, "http://127.0.0.1/"));
        using var mason = await Owner.NewAsync(server);
        var (id, _) = await mason.HookAsync(receiver.Url);
        await mason.TaskAsync("x");
        var waiting = await mason.WaitForRetryAsync(id, 1);

        Assert.Equal(307, waiting.GetProperty("status_code").GetInt32());
        Assert.Contains("redirect (307), which is not followed", Text(waiting, "error"), StringComparison.Ordinal);
        Assert.Equal((1, 0), (receiver.Unread, inside.Unread));
    }

    [Fact]
    public async Task A_name_that_leads_inside_is_not_sent_to()
    {
        await using var elsewhere = await Receiver.StartAsync(address: "127.0.0.2");
        using var mason = await Owner.NewAsync(server);

        // A name of the test, which the server asks for; and an address of the machine that the setting does not name.
        server.Resolve("inside.example", static () => [IPAddress.Parse("127.0.0.2"), IPAddress.Parse("::1"), IPAddress.Parse("169.254.169.254")]);
        var (id, _) = await mason.HookAsync($"http://inside.example:{elsewhere.Port}/");
        await mason.TaskAsync("x");
        var waiting = await mason.WaitForRetryAsync(id, 1);
        using var literal = await mason.SendAsync(HttpMethod.Post, "/api/webhooks", new { url = $"http://127.0.0.2:{elsewhere.Port}/", events = new[] { "*" } });

        Assert.Equal("Its address is not a public one, and this server does not send to others.", Text(waiting, "error"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, literal.StatusCode);
        Assert.Equal(0, elsewhere.Unread);
    }

    [Fact]
    public async Task Localhost_is_not_sent_to_without_the_setting()
    {
        await using var closed = await WebhooksServer.StartAsync(kind, "--WEBHOOK_ALLOW=192.0.2.0/24");
        await using var receiver = await Receiver.StartAsync();
        using var mason = await Owner.NewAsync(closed);
        var (id, _) = await mason.HookAsync($"http://localhost:{receiver.Port}/");
        var (dotted, _) = await mason.HookAsync($"http://localhost.:{receiver.Port}/");
        await mason.TaskAsync("x");

        Assert.Contains("not a public one", Text(await mason.WaitForRetryAsync(id, 1), "error"), StringComparison.Ordinal);
        await mason.WaitForRetryAsync(dotted, 1);
        Assert.Equal(0, receiver.Unread);
    }

    [Fact]
    public async Task A_name_that_leads_elsewhere_a_moment_later_leads_nobody_there()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var elsewhere = await Receiver.StartAsync(receiver.Port, "127.0.0.2");
        var asked = 0;
        server.Resolve("rebinding.example", () => [IPAddress.Parse(Interlocked.Increment(ref asked) == 1 ? "127.0.0.1" : "127.0.0.2")]);
        using var mason = await Owner.NewAsync(server);
        var (id, _) = await mason.HookAsync($"http://rebinding.example:{receiver.Port}/");
        await mason.TaskAsync("x");
        var received = await receiver.ReceiveAsync();
        await mason.WaitForStatusAsync(id, "delivered");

        Assert.Equal($"rebinding.example:{receiver.Port}", received.Headers["Host"]);
        Assert.Equal((1, 0), (asked, elsewhere.Unread));
    }

    [Fact]
    public async Task Without_tls_nothing_is_sent_to_an_https_address()
    {
        await using var receiver = await Receiver.StartAsync();
        using var mason = await Owner.NewAsync(server);
        var (id, _) = await mason.HookAsync($"https://127.0.0.1:{receiver.Port}/");
        await mason.TaskAsync("x");

        Assert.Equal("It does not speak TLS, or its certificate is not valid.", Text(await mason.WaitForRetryAsync(id, 1), "error"));
        Assert.Equal(0, receiver.Unread);
    }

    private static string? Text(JsonElement json, string name) => json.GetProperty(name).GetString();
}

public sealed class SqliteDeliveryTargetTests(SqliteWebhooksServer server) : DeliveryTargetTests(TestDatabaseKind.Sqlite, server), IClassFixture<SqliteWebhooksServer>;

public sealed class PostgresDeliveryTargetTests(PostgresWebhooksServer server) : DeliveryTargetTests(TestDatabaseKind.Postgres, server), IClassFixture<PostgresWebhooksServer>;
