using System.Net;
using System.Text.Json;
using Lintel.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Features.Webhooks;

/// <summary>What is sent to receivers that fail, hang or are gone.</summary>
public abstract class DeliveryFailureTests(TestDatabaseKind kind, WebhooksServer server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_refused_is_sent_again_under_its_id_and_what_comes_after_it_waits()
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.Next(Receiver.Status(500), Receiver.Status(503));
        using var mason = await Owner.NewAsync(server);
        var (id, secret) = await mason.HookAsync(receiver.Url);
        await mason.TaskAsync("first");
        var waiting = await mason.WaitForRetryAsync(id, 1);
        var first = await receiver.ReceiveAsync();
        await mason.TaskAsync("second");
        var behind = (await mason.DeliveriesAsync(id))[0];
        server.Clock.Advance(TimeSpan.FromSeconds(11));
        var again = await receiver.ReceiveAsync();
        await Eventually.HoldsAsync(async () => (await mason.DeliveriesAsync(id))[1].GetProperty("attempts").GetInt32() == 2);
        server.Clock.Advance(TimeSpan.FromSeconds(21));
        var last = await receiver.ReceiveAsync();
        var second = await receiver.ReceiveAsync();
        await mason.WaitForStatusAsync(id, "delivered");

        Assert.Equal(("pending", 500, "It answered 500."), (Text(waiting, "status"), waiting.GetProperty("status_code").GetInt32(), Text(waiting, "error")));
        Assert.InRange(waiting.GetProperty("next_attempt_at").GetDateTimeOffset() - waiting.GetProperty("attempted_at").GetDateTimeOffset(), TimeSpan.FromSeconds(9), TimeSpan.FromSeconds(15));
        Assert.Equal((0, JsonValueKind.Null), (behind.GetProperty("attempts").GetInt32(), behind.GetProperty("next_attempt_at").ValueKind));
        Assert.Equal((first.Id, Convert.ToHexString(first.Body)), (again.Id, Convert.ToHexString(again.Body)));
        Assert.Equal(first.Id, last.Id);
        Assert.True(again.Seconds > first.Seconds);
        Assert.Equal([again.Sign(secret)], again.Signatures);
        Assert.Equal("second", Text(second.Data, "title"));
        Assert.Equal(JsonValueKind.Null, (await mason.GetAsync($"/api/webhooks/{id}")).GetProperty("failing_since").ValueKind);
    }

    [Fact]
    public async Task What_could_not_be_delivered_waits_for_a_receiver_that_is_away_and_comes_in_order()
    {
        var gone = await Receiver.StartAsync();
        await gone.DisposeAsync();
        using var mason = await Owner.NewAsync(server);
        var (id, _) = await mason.HookAsync(gone.Url);
        await mason.TaskAsync("first");
        var waiting = await mason.WaitForRetryAsync(id, 1);
        await mason.TaskAsync("second");
        await mason.TaskAsync("third");
        var failing = await mason.GetAsync($"/api/webhooks/{id}");
        await using var receiver = await Receiver.StartAsync(gone.Port);
        server.Clock.Advance(TimeSpan.FromSeconds(11));

        foreach (var title in new[] { "first", "second", "third" })
        {
            Assert.Equal(title, Text((await receiver.ReceiveAsync()).Data, "title"));
        }

        Assert.Equal(("It could not be connected to.", JsonValueKind.Null), (Text(waiting, "error"), waiting.GetProperty("status_code").ValueKind));
        Assert.Equal(JsonValueKind.String, failing.GetProperty("failing_since").ValueKind);
    }

    [Fact]
    public async Task A_receiver_that_says_nothing_costs_its_owner_alone()
    {
        await using var silent = await Receiver.StartAsync();
        silent.Answer = context => Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted);
        await using var receiver = await Receiver.StartAsync();
        using var mason = await Owner.NewAsync(server);
        using var other = await Owner.NewAsync(server);
        List<Guid> hooks = [];
        for (var i = 0; i < 8; i++)
        {
            hooks.Add((await mason.HookAsync(silent.Url)).Id);
        }

        await other.HookAsync(receiver.Url);
        await mason.TaskAsync("slow");
        await silent.ReceiveAsync();
        await other.TaskAsync("quick");

        Assert.Equal("quick", Text((await receiver.ReceiveAsync()).Data, "title"));
        var waiting = await mason.WaitForRetryAsync(hooks[0], 1);
        Assert.Equal("It did not answer within 2 seconds.", Text(waiting, "error"));
        Assert.InRange(waiting.GetProperty("duration_ms").GetInt64(), 1900, 10_000);
        Assert.InRange(silent.MostConcurrent, 1, 4);
    }

    [Fact]
    public async Task Waiting_for_receivers_takes_no_place_from_other_jobs()
    {
        await using var narrow = await WebhooksServer.StartAsync(kind, "--JOB_CONCURRENCY=1", "--JOB_CONCURRENCY_PER_OWNER=1", "--WEBHOOK_TIMEOUT_SECONDS=60");
        await using var silent = await Receiver.StartAsync();
        silent.Answer = context => Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted);
        await using var receiver = await Receiver.StartAsync();
        using var mason = await Owner.NewAsync(narrow);
        await mason.HookAsync(silent.Url, "task.created");
        await mason.HookAsync(receiver.Url, "job.failed", "task.deleted");
        var task = await mason.TaskAsync("slow");
        await silent.ReceiveAsync();
        await mason.JobAsync("fail");
        Assert.Equal("job.failed", (await receiver.ReceiveAsync()).Type);

        // And the other way round.
        var job = await mason.JobAsync("wait");
        await Eventually.HoldsAsync(async () => Text(await mason.GetAsync($"/api/jobs/{job}"), "status") == "running");
        using var deleted = await mason.SendAsync(HttpMethod.Delete, $"/api/tasks/{task}");
        Assert.Equal("task.deleted", (await receiver.ReceiveAsync()).Type);
    }

    [Fact]
    public async Task An_answer_without_end_is_not_waited_for()
    {
        var written = 0L;
        var ended = new TaskCompletionSource();
        using var endless = new RawServer(async (connection, stop) =>
        {
            var block = new byte[64 * 1024];
            try
            {
                await connection.WriteAsync("HTTP/1.1 200 OK\r\n\r\n"u8.ToArray(), stop);
                while (true)
                {
                    await connection.WriteAsync(block, stop);
                    written += block.Length;
                }
            }
            finally
            {
                ended.SetResult();
            }
        });
        using var dripping = new RawServer(static async (connection, stop) =>
        {
            await connection.WriteAsync("HTTP/1.1 200 OK\r\n\r\n"u8.ToArray(), stop);
            while (true)
            {
                await connection.WriteAsync("x"u8.ToArray(), stop);
                await Task.Delay(100, stop);
            }
        });
        using var mason = await Owner.NewAsync(server);
        var (first, _) = await mason.HookAsync($"http://127.0.0.1:{endless.Port}/");
        var (second, _) = await mason.HookAsync($"http://127.0.0.1:{dripping.Port}/");
        await mason.TaskAsync("x");
        await mason.WaitForStatusAsync(first, "delivered");
        await mason.WaitForStatusAsync(second, "delivered");
        await ended.Task.WaitAsync(Cancel);

        // What the sockets' buffers of both ends hold, and not more.
        Assert.InRange(written, 0, 32 * 1024 * 1024);
    }

    [Fact]
    public async Task Headers_that_drip_or_have_no_end_are_a_failure()
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.Next(static context =>
        {
            context.Response.Headers["X-Large"] = new string('a', 20_000);
            return Task.CompletedTask;
        });
        using var mason = await Owner.NewAsync(server);
        var (id, _) = await mason.HookAsync(receiver.Url);
        await mason.TaskAsync("large");
        Assert.Equal("It did not answer with HTTP that can be understood.", Text(await mason.WaitForRetryAsync(id, 1), "error"));

        using var dripping = new RawServer(static async (connection, stop) =>
        {
            await connection.WriteAsync("HTTP/1.1 200 OK\r\nX-Slow: "u8.ToArray(), stop);
            while (true)
            {
                await connection.WriteAsync("x"u8.ToArray(), stop);
                await Task.Delay(50, stop);
            }
        });
        var (slow, _) = await mason.HookAsync($"http://127.0.0.1:{dripping.Port}/");
        await mason.TaskAsync("dripping");
        Assert.Equal("It did not answer within 2 seconds.", Text(await mason.WaitForRetryAsync(slow, 1), "error"));
    }

    [Fact]
    public async Task A_receiver_that_is_gone_is_told_nothing_any_more_and_its_owner_hears_of_it()
    {
        await using var receiver = await Receiver.StartAsync();
        var go = new TaskCompletionSource();
        receiver.Next(async context =>
        {
            await go.Task.WaitAsync(context.RequestAborted);
            context.Response.StatusCode = 410;
        });
        using var mason = await Owner.NewAsync(server);
        var (id, _) = await mason.HookAsync(receiver.Url);
        await mason.TaskAsync("first");
        await receiver.ReceiveAsync();
        await mason.TaskAsync("second");
        go.SetResult();
        await Eventually.HoldsAsync(async () => !(await mason.GetAsync($"/api/webhooks/{id}")).GetProperty("enabled").GetBoolean());
        var webhook = await mason.GetAsync($"/api/webhooks/{id}");
        var deliveries = await mason.DeliveriesAsync(id);
        var notice = (await mason.GetAsync("/api/notifications")).GetProperty("notifications")[0];
        await mason.TaskAsync("third");

        Assert.Equal("It answered 410: it is gone.", Text(webhook, "disabled_reason"));
        Assert.Equal(["failed", "failed"], deliveries.Select(static delivery => Text(delivery, "status")));
        Assert.Equal(["The webhook was disabled before this was sent.", "It answered 410: it is gone."], deliveries.Select(static delivery => Text(delivery, "error")));
        Assert.Equal(("webhook_disabled", id), (Text(notice, "type"), notice.GetProperty("data").GetProperty("webhook_id").GetGuid()));
        Assert.DoesNotContain("a-secret-of-the-receiver", notice.GetRawText(), StringComparison.Ordinal);

        // Enabled again, what was missed can be sent.
        using var enabled = await mason.SendAsync(HttpMethod.Patch, $"/api/webhooks/{id}", new { enabled = true });
        using var again = await mason.SendAsync(HttpMethod.Post, $"/api/webhooks/{id}/deliveries/{Text(deliveries[0], "id")}/redeliver");
        Assert.Equal(HttpStatusCode.Accepted, again.StatusCode);
        Assert.Equal("second", Text((await receiver.ReceiveAsync()).Data, "title"));
        Assert.Equal(JsonValueKind.Null, (await enabled.JsonAsync()).GetProperty("disabled_reason").ValueKind);
    }

    [Fact]
    public async Task What_was_tried_for_a_day_has_failed_and_a_webhook_that_took_nothing_for_three_is_disabled()
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.Answer = Receiver.Status(500);
        using var mason = await Owner.NewAsync(server);
        var (id, _) = await mason.HookAsync(receiver.Url);
        await mason.TaskAsync("first");
        await mason.WaitForRetryAsync(id, 1);
        await mason.TaskAsync("second");
        for (var day = 1; day <= 4; day++)
        {
            server.Clock.Advance(TimeSpan.FromHours(25));
            await mason.SignInAsync();
            await Eventually.HoldsAsync(async () => (await mason.DeliveriesAsync(id)).All(static delivery => Text(delivery, "status") == "failed"));
            if (day == 1)
            {
                var deliveries = await mason.DeliveriesAsync(id);
                Assert.Equal(["It waited behind others that the target did not take, as long as it may.", "It answered 500."], deliveries.Select(static delivery => Text(delivery, "error")));
                Assert.Equal([0, 2], deliveries.Select(static delivery => delivery.GetProperty("attempts").GetInt32()));
            }

            if (day < 3)
            {
                Assert.True((await mason.GetAsync($"/api/webhooks/{id}")).GetProperty("enabled").GetBoolean());
                await mason.TaskAsync($"of day {day}");
            }
        }

        Assert.Equal("It took nothing for days.", Text(await mason.GetAsync($"/api/webhooks/{id}"), "disabled_reason"));
        Assert.Equal("webhook_disabled", Text((await mason.GetAsync("/api/notifications")).GetProperty("notifications")[0], "type"));
    }

    [Fact]
    public async Task A_webhook_may_be_deleted_while_it_is_sent_to()
    {
        await using var receiver = await Receiver.StartAsync();
        var go = new TaskCompletionSource();
        receiver.Answer = async context => await go.Task.WaitAsync(context.RequestAborted);
        using var mason = await Owner.NewAsync(server);
        var (id, _) = await mason.HookAsync(receiver.Url);
        await mason.TaskAsync("first");
        await receiver.ReceiveAsync();
        await mason.TaskAsync("second");
        using var deleted = await mason.SendAsync(HttpMethod.Delete, $"/api/webhooks/{id}");
        go.SetResult();
        await Eventually.HoldsAsync(async () => (await JobsAsync(mason)).All(static job => Text(job, "status") == "complete"));

        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        Assert.Equal(0, receiver.Unread);
        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM webhook_delivery WHERE webhook_id = $1", id));
    }

    [Fact]
    public async Task A_full_queue_takes_no_more_and_says_so()
    {
        await using var small = await WebhooksServer.StartAsync(kind, "--WEBHOOK_QUEUE=3");
        await using var receiver = await Receiver.StartAsync();

        // The ping ends the wait between two attempts although it is refused: nothing may leave the queue while it is looked at.
        var go = new TaskCompletionSource();
        receiver.Next(Receiver.Status(500));
        receiver.Answer = async context => await go.Task.WaitAsync(context.RequestAborted);
        using var mason = await Owner.NewAsync(small);
        var (id, _) = await mason.HookAsync(receiver.Url);
        await mason.TaskAsync("n0");
        await mason.WaitForRetryAsync(id, 1);
        await Task.WhenAll(Enumerable.Range(1, 5).Select(i => mason.TaskAsync($"n{i}")));
        using var ping = await mason.SendAsync(HttpMethod.Post, $"/api/webhooks/{id}/test");
        var deliveries = await mason.DeliveriesAsync(id);
        using var pending = await mason.SendAsync(HttpMethod.Post, $"/api/webhooks/{id}/deliveries/{Text(deliveries[0], "id")}/redeliver");
        var missed = (await mason.GetAsync($"/api/webhooks/{id}")).GetProperty("missed").GetInt64();
        go.SetResult();
        small.Clock.Advance(TimeSpan.FromSeconds(11));
        await mason.WaitForStatusAsync(id, "delivered");
        await mason.TaskAsync("later");

        Assert.Equal((3, 3 + 1), (deliveries.Length, missed));
        Assert.Equal((HttpStatusCode.ServiceUnavailable, HttpStatusCode.Conflict), (ping.StatusCode, pending.StatusCode));
        Assert.Equal(7, (await mason.GetAsync("/api/tasks")).GetProperty("tasks").GetArrayLength());
        await Eventually.HoldsAsync(async () => (await mason.DeliveriesAsync(id)) is { Length: 4 } all && all.All(static delivery => Text(delivery, "status") == "delivered"));
    }

    [Fact]
    public async Task A_job_that_somebody_cancels_is_replaced()
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.Next(Receiver.Status(500));
        using var mason = await Owner.NewAsync(server);
        var (id, _) = await mason.HookAsync(receiver.Url);
        await mason.TaskAsync("x");
        await mason.WaitForRetryAsync(id, 1);
        var job = (await JobsAsync(mason))[0].GetProperty("job_id").GetGuid();
        using var cancelled = await mason.SendAsync(HttpMethod.Delete, $"/api/jobs/{job}");
        await server.Services.GetRequiredService<WebhookRecoveryWorker>().ReviveAsync(Cancel);

        var delivered = await mason.WaitForStatusAsync(id, "delivered");
        Assert.Equal(2, delivered.GetProperty("attempts").GetInt32());
    }

    [Fact]
    public async Task A_host_that_cannot_be_reached_is_left_alone_for_a_while_and_others_are_not()
    {
        var gone = await Receiver.StartAsync();
        await gone.DisposeAsync();
        await using var receiver = await Receiver.StartAsync();
        using var mason = await Owner.NewAsync(server);
        List<Guid> hooks = [];
        for (var i = 0; i < 7; i++)
        {
            hooks.Add((await mason.HookAsync(gone.Url)).Id);
        }

        await mason.HookAsync(receiver.Url);
        await mason.TaskAsync("x");
        await Eventually.HoldsAsync(async () =>
        {
            var all = await Task.WhenAll(hooks.Select(mason.DeliveriesAsync));
            return all.All(static deliveries => deliveries[0].GetProperty("error").ValueKind == JsonValueKind.String);
        });
        var deliveries = (await Task.WhenAll(hooks.Select(mason.DeliveriesAsync))).Select(static all => all[0]).ToArray();
        using var ready = await server.Client.GetAsync("/health/ready", Cancel);

        // Four at a time: some may be under way when the fifth fails.
        Assert.InRange(deliveries.Sum(static delivery => delivery.GetProperty("attempts").GetInt32()), 5, 7);
        Assert.Equal("x", Text((await receiver.ReceiveAsync()).Data, "title"));
        Assert.DoesNotContain("127.0.0.1", await ready.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        await using var back = await Receiver.StartAsync(gone.Port);
        server.Clock.Advance(TimeSpan.FromSeconds(60));
        foreach (var hook in hooks)
        {
            await mason.WaitForStatusAsync(hook, "delivered");
        }
    }

    private static async Task<JsonElement[]> JobsAsync(Owner owner) => [.. (await owner.GetAsync("/api/jobs?kind=webhook")).GetProperty("jobs").EnumerateArray()];

    private static string? Text(JsonElement json, string name) => json.GetProperty(name).GetString();
}

public sealed class SqliteDeliveryFailureTests(SqliteWebhooksServer server) : DeliveryFailureTests(TestDatabaseKind.Sqlite, server), IClassFixture<SqliteWebhooksServer>;

public sealed class PostgresDeliveryFailureTests(PostgresWebhooksServer server) : DeliveryFailureTests(TestDatabaseKind.Postgres, server), IClassFixture<PostgresWebhooksServer>;
