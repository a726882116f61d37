using System.Net;
using System.Text.Json;
using Lintel.Features.ApiKeys;
using Lintel.Infrastructure;

namespace Lintel.Features.Webhooks;

/// <summary>Webhooks as their owners make and change them.</summary>
public abstract class WebhookTests(WebhooksServer server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_webhook_is_made_and_got_and_its_secret_is_shown_once()
    {
        using var mason = await Owner.NewAsync(server);
        using var response = await mason.SendAsync(
            HttpMethod.Post, "/api/webhooks", new { url = "https://example.com/hook", events = new[] { "task.due", "job.failed", "task.due" }, description = " it " });
        var made = await response.JsonAsync();
        var id = made.GetProperty("id").GetGuid();
        var got = await mason.GetAsync($"/api/webhooks/{id}");

        Assert.Equal((HttpStatusCode.Created, $"/api/webhooks/{id}"), (response.StatusCode, response.Headers.Location!.ToString()));
        Assert.True(response.Headers.CacheControl!.NoStore);
        Assert.Equal(32, Convert.FromBase64String(made.GetProperty("secret").GetString()!["whsec_".Length..]).Length);
        Assert.Equal(
            ["created_at", "description", "disabled_reason", "enabled", "events", "failing_since", "id", "missed", "updated_at", "url"],
            got.EnumerateObject().Select(static property => property.Name).Order(StringComparer.Ordinal));
        Assert.Equal(["task.due", "job.failed"], got.GetProperty("events").EnumerateArray().Select(static type => type.GetString()));
        Assert.Equal("it", got.GetProperty("description").GetString());
        Assert.DoesNotContain("whsec_", (await mason.GetAsync("/api/webhooks")).GetRawText(), StringComparison.Ordinal);
        Assert.DoesNotContain("whsec_", server.Log.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{}""", "events", "url")]
    [InlineData("""{"url":null,"events":["*"]}""", "url")]
    [InlineData("""{"url":7,"events":["*"]}""", "url")]
    [InlineData("""{"url":"/hook","events":["*"]}""", "url")]
    [InlineData("""{"url":"ftp://example.com/","events":["*"]}""", "url")]
    [InlineData("""{"url":"https://xn--١/","events":["*"]}""", "url")]
    [InlineData("""{"url":"https://example.com/","events":[]}""", "events")]
    [InlineData("""{"url":"https://example.com/","events":"*"}""", "events")]
    [InlineData("""{"url":"https://example.com/","events":["task.*"]}""", "events")]
    [InlineData("""{"url":"https://example.com/","events":["*",7]}""", "events")]
    [InlineData("""{"url":"https://example.com/","events":["job.failed,*"]}""", "events")]
    [InlineData("""{"url":"https://example.com/","events":["ping"]}""", "events")]
    [InlineData("""{"url":"https://example.com/","events":["*"],"description":"a\nb"}""", "description")]
    [InlineData("""{"url":"https://example.com/","events":["*"],"description":7}""", "description")]
    [InlineData("""{"url":"https://example.com/","events":["*"],"enabled":"yes"}""", "enabled")]
    [InlineData("""{"url":"","events":[""],"description":[],"enabled":0}""", "description", "enabled", "events", "url")]
    [InlineData("""[]""", "body")]
    [InlineData("""{"url":""", "body")]
    public async Task Every_bad_field_is_named(string body, params string[] fields)
    {
        using var mason = await Owner.NewAsync(server);
        using var response = await mason.Client.PostAsync("/api/webhooks", new StringContent(body, null, "application/json"), Cancel);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        var named = (await response.JsonAsync()).GetProperty("error").GetProperty("details").GetProperty("fields").EnumerateObject().Select(static field => field.Name);
        Assert.Equal(fields, named.Order(StringComparer.Ordinal));
        Assert.Equal(0, (await mason.GetAsync("/api/webhooks")).GetProperty("webhooks").GetArrayLength());
    }

    [Fact]
    public async Task A_webhook_of_another_looks_as_if_it_were_not_there()
    {
        await using var receiver = await Receiver.StartAsync();
        using var mason = await Owner.NewAsync(server);
        using var other = await Owner.NewAsync(server);
        var (id, _) = await mason.HookAsync(receiver.Url);
        await mason.TaskAsync("mine");
        var delivery = (await mason.WaitForStatusAsync(id, "delivered")).GetProperty("id").GetGuid();
        var (others, _) = await other.HookAsync("https://example.com/");
        var requests = new (HttpMethod Method, string Path, object? Body)[]
        {
            (HttpMethod.Get, $"/api/webhooks/{id}", null),
            (HttpMethod.Patch, $"/api/webhooks/{id}", new { url = "https://example.com/" }),
            (HttpMethod.Delete, $"/api/webhooks/{id}", null),
            (HttpMethod.Post, $"/api/webhooks/{id}/test", null),
            (HttpMethod.Post, $"/api/webhooks/{id}/rotate-secret", null),
            (HttpMethod.Get, $"/api/webhooks/{id}/deliveries", null),
            (HttpMethod.Post, $"/api/webhooks/{id}/deliveries/{delivery}/redeliver", null),

            // One's own webhook with another's delivery.
            (HttpMethod.Post, $"/api/webhooks/{others}/deliveries/{delivery}/redeliver", null),
        };
        foreach (var (method, path, body) in requests)
        {
            using var theirs = await other.SendAsync(method, path, body);
            Assert.Equal((HttpStatusCode.NotFound, "NOT_FOUND"), (theirs.StatusCode, await theirs.ErrorCodeAsync()));
        }

        Assert.Equal(receiver.Url, (await mason.GetAsync($"/api/webhooks/{id}")).GetProperty("url").GetString());
        Assert.Single(await mason.DeliveriesAsync(id));
        Assert.Equal(others, (await other.GetAsync("/api/webhooks")).GetProperty("webhooks").EnumerateArray().Single().GetProperty("id").GetGuid());
    }

    [Fact]
    public async Task Keys_cannot_have_what_is_told_sent_elsewhere()
    {
        using var mason = await Owner.NewAsync(server);
        var key = await server.NewKeyAsync(mason.Client.DefaultRequestHeaders.Authorization!.Parameter!, ["tasks", "design"]);
        using var byKey = await server.SendAsync(HttpMethod.Post, "/api/webhooks", new { url = "https://example.com/", events = new[] { "*" } }, ("X-API-Key", key.Text));
        using var byNobody = await server.SendAsync(HttpMethod.Get, "/api/webhooks", null);

        Assert.Equal((HttpStatusCode.Forbidden, HttpStatusCode.Unauthorized), (byKey.StatusCode, byNobody.StatusCode));
    }

    [Fact]
    public async Task An_account_has_ten_of_them_however_many_are_made_at_once()
    {
        using var mason = await Owner.NewAsync(server);
        var statuses = await Task.WhenAll(Enumerable.Range(0, 25).Select(async _ =>
        {
            using var response = await mason.SendAsync(HttpMethod.Post, "/api/webhooks", new { url = "https://example.com/", events = new[] { "*" } });
            return response.StatusCode;
        }));

        Assert.Equal((10, 15), (statuses.Count(static status => status == HttpStatusCode.Created), statuses.Count(static status => status == HttpStatusCode.Conflict)));
        Assert.Equal(10, (await mason.GetAsync("/api/webhooks")).GetProperty("webhooks").GetArrayLength());
    }

    [Fact]
    public async Task Text_is_text_whatever_is_written_in_it()
    {
        const string description = "'); DROP TABLE webhook; -- $1 <script>alert(1)</script> \" \\ %";
        using var mason = await Owner.NewAsync(server);
        using var response = await mason.SendAsync(
            HttpMethod.Post, "/api/webhooks", new { url = "https://example.com/<script>alert('1')</script>?a=\"b\"", events = new[] { "*" }, description });
        var made = await response.JsonAsync();

        Assert.Equal((HttpStatusCode.Created, "application/json"), (response.StatusCode, response.Content.Headers.ContentType!.MediaType));
        Assert.Equal(description, made.GetProperty("description").GetString());
        Assert.StartsWith("https://example.com/%3Cscript%3E", made.GetProperty("url").GetString(), StringComparison.Ordinal);
        Assert.Equal("nosniff", response.Header("X-Content-Type-Options"));
    }

    [Fact]
    public async Task A_change_touches_what_it_names_and_a_deleted_one_is_gone()
    {
        using var mason = await Owner.NewAsync(server);
        var (id, _) = await mason.HookAsync("https://example.com/a", "task.due");
        using var changed = await mason.SendAsync(HttpMethod.Patch, $"/api/webhooks/{id}", new { events = new[] { "*" }, enabled = false });
        using var cleared = await mason.SendAsync(HttpMethod.Patch, $"/api/webhooks/{id}", new { description = (string?)null });
        using var refused = await mason.SendAsync(HttpMethod.Patch, $"/api/webhooks/{id}", new { url = "https://10.0.0.1/", enabled = true });
        var got = await mason.GetAsync($"/api/webhooks/{id}");
        using var deleted = await mason.SendAsync(HttpMethod.Delete, $"/api/webhooks/{id}");
        using var again = await mason.SendAsync(HttpMethod.Delete, $"/api/webhooks/{id}");

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.UnprocessableEntity), (changed.StatusCode, cleared.StatusCode, refused.StatusCode));
        Assert.Equal("a test", (await changed.JsonAsync()).GetProperty("description").GetString());
        Assert.Equal(("https://example.com/a", JsonValueKind.Null, false), (Text(got, "url"), got.GetProperty("description").ValueKind, got.GetProperty("enabled").GetBoolean()));
        Assert.Equal((HttpStatusCode.NoContent, HttpStatusCode.NotFound), (deleted.StatusCode, again.StatusCode));
    }

    [Fact]
    public async Task What_is_in_the_database_does_not_sign()
    {
        using var mason = await Owner.NewAsync(server);
        var (id, secret) = await mason.HookAsync("https://example.com/");
        var salt = await server.Database.ReadAsync(session => session.QueryFirstAsync("SELECT salt FROM webhook WHERE id = $1", static row => row.GetFieldValue<byte[]>(0), id), Cancel);

        Assert.NotEqual(secret, "whsec_" + Convert.ToBase64String(salt!));
        var columns = await server.Database.ReadAsync(
            session => session.QueryFirstAsync(
                "SELECT * FROM webhook WHERE id = $1",
                static row => Enumerable.Range(0, row.FieldCount).Select(i => row.GetValue(i) is byte[] bytes ? Convert.ToBase64String(bytes) : row.GetValue(i).ToString()!).ToArray(),
                id),
            Cancel);
        Assert.DoesNotContain(columns!, column => column.Contains(secret["whsec_".Length..], StringComparison.Ordinal));
    }

    private static string? Text(JsonElement json, string name) => json.GetProperty(name).GetString();
}

public sealed class SqliteWebhookTests(SqliteWebhooksServer server) : WebhookTests(server), IClassFixture<SqliteWebhooksServer>;

public sealed class PostgresWebhookTests(PostgresWebhooksServer server) : WebhookTests(server), IClassFixture<PostgresWebhooksServer>;
