using System.Diagnostics.Metrics;
using System.Net;
using System.Text.Json;
using Lintel.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Features.Webhooks;

/// <summary>What is sent to receivers that work: what, when, in which order, and how it is signed.</summary>
public abstract class DeliveryTests(WebhooksServer server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_task_is_told_of_by_a_signed_request()
    {
        await using var receiver = await Receiver.StartAsync();
        using var mason = await Owner.NewAsync(server);
        var (id, secret) = await mason.HookAsync(receiver.Url, "task.created");
        var task = await mason.TaskAsync("Check the <b>lintel</b> 🏗");
        var received = await receiver.ReceiveAsync();
        var delivery = await mason.WaitForStatusAsync(id, "delivered");

        Assert.Equal(("POST", "/hook?token=a-secret-of-the-receiver"), (received.Method, received.Target));
        Assert.Equal([received.Sign(secret)], received.Signatures);
        Assert.InRange(received.Seconds, server.Clock.GetUtcNow().ToUnixTimeSeconds() - 60, server.Clock.GetUtcNow().ToUnixTimeSeconds());
        Assert.Equal("application/json", received.Headers["Content-Type"]);
        Assert.StartsWith("Lintel", received.Headers["User-Agent"], StringComparison.Ordinal);
        Assert.Equal(
            ["Content-Length", "Content-Type", "Host", "User-Agent", "Webhook-Id", "Webhook-Signature", "Webhook-Timestamp"],
            received.Headers.Keys.Order(StringComparer.OrdinalIgnoreCase));
        Assert.Equal(["id", "type", "created_at", "data"], received.Json.EnumerateObject().Select(static property => property.Name));
        Assert.Equal((received.Id, "task.created"), (Text(received.Json, "id"), received.Type));
        Assert.EndsWith("Z", Text(received.Json, "created_at"), StringComparison.Ordinal);
        Assert.Equal((task, "Check the <b>lintel</b> 🏗"), (received.Data.GetProperty("task_id").GetGuid(), Text(received.Data, "title")));
        Assert.Equal((received.Id, 1, 204), (Text(delivery, "id"), delivery.GetProperty("attempts").GetInt32(), delivery.GetProperty("status_code").GetInt32()));
        Assert.DoesNotContain("a-secret-of-the-receiver", server.Log.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_change_of_a_task_is_told_in_order()
    {
        await using var receiver = await Receiver.StartAsync();
        using var mason = await Owner.NewAsync(server);
        await mason.HookAsync(receiver.Url);
        var first = await mason.TaskAsync("first");
        var second = await mason.TaskAsync("second");
        using var updated = await mason.SendAsync(HttpMethod.Patch, $"/api/tasks/{first}", new { title = "renamed" });
        using var same = await mason.SendAsync(HttpMethod.Patch, $"/api/tasks/{first}", new { title = "renamed" });
        using var done = await mason.SendAsync(HttpMethod.Patch, $"/api/tasks/{first}", new { status = "completed", title = "finished" });
        using var both = await mason.SendAsync(HttpMethod.Post, "/api/tasks/complete", new { ids = new[] { first, second } });
        using var deleted = await mason.SendAsync(HttpMethod.Delete, $"/api/tasks/{second}");
        List<(string, string?, long)> told = [];
        for (var i = 0; i < 6; i++)
        {
            var received = await receiver.ReceiveAsync();
            told.Add((received.Type, Text(received.Data, "title"), received.Data.GetProperty("version").GetInt64()));
        }

        Assert.Equal(
            [
                ("task.created", "first", 1), ("task.created", "second", 1), ("task.updated", "renamed", 2), ("task.completed", "finished", 3), ("task.completed", "second", 2),
                ("task.deleted", "second", 2),
            ],
            told);
        Assert.Equal(0, receiver.Unread);
    }

    [Fact]
    public async Task A_task_that_is_due_is_told_of()
    {
        await using var receiver = await Receiver.StartAsync();
        using var mason = await Owner.NewAsync(server);
        await mason.HookAsync(receiver.Url, "task.due");
        using var made = await mason.SendAsync(HttpMethod.Post, "/api/tasks", new { title = "soon", due_at = server.Clock.GetUtcNow().AddMinutes(61) });
        server.Clock.Advance(TimeSpan.FromMinutes(2));

        Assert.Equal(("task.due", "soon"), await receiver.ReceiveAsync() is var received ? (received.Type, Text(received.Data, "title")) : default);
    }

    [Fact]
    public async Task The_ends_of_jobs_are_told_of_and_those_of_the_servers_own_jobs_are_not()
    {
        await using var receiver = await Receiver.StartAsync();
        using var mason = await Owner.NewAsync(server);
        var (id, _) = await mason.HookAsync(receiver.Url);
        var beam = new { width = 300, depth = 500, moment = 120, shear = 80, fck = 25, fy = 500, cover = 40 };
        var complete = await mason.JobAsync("batch-design", new[] { beam, beam });
        var first = await receiver.ReceiveAsync();
        var failed = await mason.JobAsync("fail");
        var second = await receiver.ReceiveAsync();
        var cancelled = await mason.JobAsync("wait");
        using var cancel = await mason.SendAsync(HttpMethod.Delete, $"/api/jobs/{cancelled}");
        var third = await receiver.ReceiveAsync();
        await mason.WaitForStatusAsync(id, "delivered");

        Assert.Equal(["job.completed", "job.failed", "job.cancelled"], new[] { first.Type, second.Type, third.Type });
        Assert.Equal([complete, failed, cancelled], new[] { first, second, third }.Select(static received => received.Data.GetProperty("job_id").GetGuid()));
        Assert.Equal(("complete", 2), (Text(first.Data, "status"), first.Data.GetProperty("progress").GetProperty("completed").GetInt32()));
        Assert.Equal("It cannot be done.", Text(second.Data, "error"));
        Assert.Equal(3, (await mason.DeliveriesAsync(id)).Length);
    }

    [Fact]
    public async Task A_webhook_is_told_of_what_it_asked_for_alone_and_only_of_its_owners()
    {
        await using var receiver = await Receiver.StartAsync();
        using var mason = await Owner.NewAsync(server);
        using var other = await Owner.NewAsync(server);
        await mason.HookAsync(receiver.Url, "task.deleted", "job.failed");
        await other.TaskAsync("another's");
        await other.JobAsync("fail");
        var task = await mason.TaskAsync("mine");
        using var deleted = await mason.SendAsync(HttpMethod.Delete, $"/api/tasks/{task}");

        Assert.Equal("task.deleted", (await receiver.ReceiveAsync()).Type);
        Assert.Equal(0, receiver.Unread);
    }

    [Fact]
    public async Task Many_at_once_are_sent_one_after_the_other_in_the_order_they_were_written()
    {
        await using var receiver = await Receiver.StartAsync();
        using var mason = await Owner.NewAsync(server);
        var (id, _) = await mason.HookAsync(receiver.Url, "task.created");
        await Task.WhenAll(Enumerable.Range(0, 60).Select(i => mason.TaskAsync($"n{i}")));
        List<string> ids = [];
        while (ids.Count < 60)
        {
            ids.Add((await receiver.ReceiveAsync()).Id);
        }

        await mason.WaitForStatusAsync(id, "delivered");
        var deliveries = await mason.DeliveriesAsync(id);
        Assert.Equal(deliveries.Select(static delivery => Text(delivery, "id")).Reverse(), ids);
        Assert.All(deliveries, static delivery => Assert.Equal("delivered", Text(delivery, "status")));
        Assert.Equal((1, 0), (receiver.MostConcurrent, receiver.Unread));
    }

    [Fact]
    public async Task Attempts_are_counted_by_how_they_ended()
    {
        var counted = new System.Collections.Concurrent.ConcurrentBag<object?>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, listening) =>
        {
            // Of this server: tests of others run beside.
            if (instrument.Name == "lintel.webhook.attempts" && instrument.Meter.Scope == server.Services.GetRequiredService<IMeterFactory>())
            {
                listening.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((_, _, tags, _) => counted.Add(tags[0].Value));
        await using var receiver = await Receiver.StartAsync();
        receiver.Next(Receiver.Status(204), Receiver.Status(500), Receiver.Status(500));
        using var mason = await Owner.NewAsync(server);
        var (id, _) = await mason.HookAsync(receiver.Url);
        listener.Start();
        await mason.TaskAsync("first");
        await mason.WaitForStatusAsync(id, "delivered");
        await mason.TaskAsync("second");
        await mason.WaitForDeliveryAsync(id, static delivery => delivery.GetProperty("attempts").GetInt32() > 0);

        // Where the job that sent the first is still there, it hands the second over to one that tries it at once.
        Assert.Equal(["delivered", "failed"], counted.Distinct().Order());
        Assert.Single(counted, "delivered");
    }

    [Fact]
    public async Task Nothing_is_told_of_what_was_undone()
    {
        await using var receiver = await Receiver.StartAsync();
        using var mason = await Owner.NewAsync(server);
        var (id, _) = await mason.HookAsync(receiver.Url);
        var events = server.Services.GetRequiredService<WebhookEvents>();
        await Assert.ThrowsAsync<TimeoutException>(() => server.Database.WriteAsync(
            async session =>
            {
                await events.AddAsync(session, mason.Id, "task.created", new WebhookPing(id), WebhooksJson.Default.WebhookPing);
                throw new TimeoutException();
            },
            Cancel));
        await mason.TaskAsync("after");

        Assert.Equal("after", Text((await receiver.ReceiveAsync()).Data, "title"));
        Assert.Single(await mason.DeliveriesAsync(id));
    }

    [Fact]
    public async Task A_ping_is_sent_on_request_and_anything_is_sent_again_under_its_id()
    {
        await using var receiver = await Receiver.StartAsync();
        using var mason = await Owner.NewAsync(server);
        var (id, secret) = await mason.HookAsync(receiver.Url, "job.failed");
        using var pinged = await mason.SendAsync(HttpMethod.Post, $"/api/webhooks/{id}/test");
        var first = await receiver.ReceiveAsync();
        await mason.WaitForStatusAsync(id, "delivered");
        using var asked = await mason.SendAsync(HttpMethod.Post, $"/api/webhooks/{id}/deliveries/{first.Id}/redeliver");
        var second = await receiver.ReceiveAsync();
        var delivery = await mason.WaitForStatusAsync(id, "delivered");
        using var unknown = await mason.SendAsync(HttpMethod.Post, $"/api/webhooks/{id}/deliveries/{Guid.CreateVersion7()}/redeliver");

        Assert.Equal((HttpStatusCode.Accepted, HttpStatusCode.Accepted, HttpStatusCode.NotFound), (pinged.StatusCode, asked.StatusCode, unknown.StatusCode));
        Assert.Equal((first.Id, "ping", id), (Text(await pinged.JsonAsync(), "id"), first.Type, first.Data.GetProperty("webhook_id").GetGuid()));
        Assert.Equal((first.Id, Convert.ToHexString(first.Body)), (second.Id, Convert.ToHexString(second.Body)));
        Assert.Equal([second.Sign(secret)], second.Signatures);
        Assert.Equal((1, first.Id), (delivery.GetProperty("attempts").GetInt32(), Text(delivery, "id")));
        Assert.Single(await mason.DeliveriesAsync(id));
    }

    [Fact]
    public async Task A_new_secret_signs_beside_the_one_before_for_a_day()
    {
        await using var receiver = await Receiver.StartAsync();
        using var mason = await Owner.NewAsync(server);
        var (id, before) = await mason.HookAsync(receiver.Url);
        using var rotated = await mason.SendAsync(HttpMethod.Post, $"/api/webhooks/{id}/rotate-secret");
        var after = Text(await rotated.JsonAsync(), "secret")!;
        await mason.TaskAsync("first");
        var first = await receiver.ReceiveAsync();
        server.Clock.Advance(TimeSpan.FromHours(25));
        await mason.SignInAsync();
        await mason.TaskAsync("second");
        var second = await receiver.ReceiveAsync();

        Assert.NotEqual(before, after);
        Assert.True(rotated.Headers.CacheControl!.NoStore);
        Assert.Equal([first.Sign(after), first.Sign(before)], first.Signatures);
        Assert.Equal([second.Sign(after)], second.Signatures);
    }

    [Fact]
    public async Task A_disabled_webhook_is_told_nothing_and_a_locked_accounts_neither()
    {
        await using var receiver = await Receiver.StartAsync();
        using var mason = await Owner.NewAsync(server);
        var (id, _) = await mason.HookAsync(receiver.Url);
        using var disabled = await mason.SendAsync(HttpMethod.Patch, $"/api/webhooks/{id}", new { enabled = false });
        await mason.TaskAsync("unheard");
        using var ping = await mason.SendAsync(HttpMethod.Post, $"/api/webhooks/{id}/test");
        using var enabled = await mason.SendAsync(HttpMethod.Patch, $"/api/webhooks/{id}", new { enabled = true });
        await mason.TaskAsync("heard");
        Assert.Equal("heard", Text((await receiver.ReceiveAsync()).Data, "title"));
        await server.Database.WriteAsync(session => session.ExecuteAsync("UPDATE account SET is_active = FALSE WHERE id = $1", mason.Id), Cancel);
        await mason.TaskAsync("unheard too");

        Assert.Equal((HttpStatusCode.Conflict, "CONFLICT"), (ping.StatusCode, await ping.ErrorCodeAsync()));
        Assert.Equal(1, await server.CountAsync("SELECT count(*) FROM webhook_delivery WHERE webhook_id = $1", id));
    }

    [Fact]
    public async Task Deliveries_come_in_pages_and_the_last_hundred_are_kept()
    {
        await using var receiver = await Receiver.StartAsync();
        using var mason = await Owner.NewAsync(server);
        var (id, _) = await mason.HookAsync(receiver.Url);
        for (var i = 0; i < 120; i++)
        {
            await mason.TaskAsync($"n{i}");
        }

        await mason.WaitForStatusAsync(id, "delivered");
        await server.Services.GetRequiredService<WebhookRetentionWorker>().ForgetAsync(Cancel);
        List<string?> ids = [];
        var after = "";
        do
        {
            var page = await mason.GetAsync($"/api/webhooks/{id}/deliveries?limit=33{after}");
            ids.AddRange(page.GetProperty("deliveries").EnumerateArray().Select(static delivery => Text(delivery, "id")));
            after = Text(page, "next") is { } next ? "&after=" + next : null;
        }
        while (after is not null);

        Assert.Equal((100, 100), (ids.Count, ids.Distinct().Count()));
        Assert.Equal((await mason.DeliveriesAsync(id)).Select(static delivery => Text(delivery, "id")), ids);
        using var refused = await mason.SendAsync(HttpMethod.Get, $"/api/webhooks/{id}/deliveries?after=x");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
    }

    private static string? Text(JsonElement json, string name) => json.GetProperty(name).GetString();
}

public sealed class SqliteDeliveryTests(SqliteWebhooksServer server) : DeliveryTests(server), IClassFixture<SqliteWebhooksServer>;

public sealed class PostgresDeliveryTests(PostgresWebhooksServer server) : DeliveryTests(server), IClassFixture<PostgresWebhooksServer>;
