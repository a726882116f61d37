using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Lintel.Features.Accounts;
using Lintel.Features.Jobs;
using Lintel.Features.Webhooks.Sending;
using Lintel.Infrastructure;
using Lintel.Platform.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Features.Webhooks;

/// <summary>
/// A server that sends to 127.0.0.1, by http too, waits two seconds for an answer, and asks the test for the addresses of names that end in <c>.example</c>. Its clock can be
/// moved. It has kinds of jobs that fail, and that wait to be cancelled.
/// </summary>
public abstract class WebhooksServer : ServerFixture
{
    private readonly ConcurrentDictionary<string, Func<IPAddress[]>> _names;

    private protected WebhooksServer(TestDatabaseKind kind, params string[] settings)
        : this(kind, new MovableClock(), new(StringComparer.Ordinal), settings)
    {
    }

    private WebhooksServer(TestDatabaseKind kind, MovableClock clock, ConcurrentDictionary<string, Func<IPAddress[]>> names, string[] settings)
        : base(
            kind,
            ["--PASSWORD_HASH_ITERATIONS=10000", "--PASSWORD_HASH_QUEUE=1000", "--MAIL=off", "--WEBHOOK_ALLOW=127.0.0.1", "--WEBHOOK_ALLOW_HTTP=true", "--WEBHOOK_TIMEOUT_SECONDS=2", .. settings],
            builder => Configure(builder, clock, names))
    {
        Clock = clock;
        _names = names;
    }

    public MovableClock Clock { get; }

    internal Database Database => Services.GetRequiredService<Database>();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    internal static async Task<WebhooksServer> StartAsync(TestDatabaseKind kind, params string[] settings)
    {
        var server = new OwnWebhooksServer(kind, settings);
        await server.InitializeAsync();
        return server;
    }

    /// <summary>Gives a name addresses, which it is asked for each time.</summary>
    public void Resolve(string name, Func<IPAddress[]> addresses) => _names[name] = addresses;

    public Task<long> CountAsync(string sql, params object?[] values) =>
        Database.ReadAsync(session => session.QueryFirstAsync(sql, static row => row.GetInt64(0), values), Cancel);

    private static void Configure(WebApplicationBuilder builder, MovableClock clock, ConcurrentDictionary<string, Func<IPAddress[]>> names)
    {
        builder.Services.AddSingleton<TimeProvider>(clock);
        builder.Services.AddSingleton(TestKind.Of(static (_, _) => Task.FromResult(JobOutcome.Fail("It cannot be done.")), "fail"));
        builder.Services.AddSingleton(TestKind.Of(
            static async (_, cancel) =>
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, cancel);
                return JobOutcome.Complete();
            },
            "wait"));
        builder.Services.AddSingleton<ResolveHost>((host, cancel) => names.TryGetValue(host, out var addresses) ? Task.FromResult(addresses()) : Dns.GetHostAddressesAsync(host, cancel));
    }

    private sealed class OwnWebhooksServer(TestDatabaseKind kind, string[] settings) : WebhooksServer(kind, settings);
}

public sealed class SqliteWebhooksServer() : WebhooksServer(TestDatabaseKind.Sqlite);

public sealed class PostgresWebhooksServer() : WebhooksServer(TestDatabaseKind.Postgres);

/// <summary>Someone with webhooks, signed in.</summary>
internal sealed class Owner : IDisposable
{
    private readonly ServerFixture _server;
    private readonly object _person;

    private Owner(ServerFixture server, object person, long id) => (_server, _person, Id, Client) = (server, person, id, server.CreateClient());

    public long Id { get; }

    public HttpClient Client { get; }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<Owner> NewAsync(ServerFixture server)
    {
        var person = new { email = $"mason-{Guid.CreateVersion7():N}@example.com", password = "correct horse battery" };
        using var registered = await server.Client.PostAsJsonAsync("/auth/register", person, Cancel);
        Assert.Equal(HttpStatusCode.Created, registered.StatusCode);
        var owner = new Owner(server, person, (await registered.JsonAsync()).GetProperty("id").GetInt64());
        await owner.SignInAsync();
        return owner;
    }

    /// <summary>A new session, such as after the clock was moved past the old one's token.</summary>
    public async Task SignInAsync()
    {
        using var signedIn = await _server.Client.PostAsJsonAsync("/auth/login", _person, Cancel);
        Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (await Tokens.OfAsync(signedIn)).Access);
    }

    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, object? body = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        return await Client.SendAsync(request, Cancel);
    }

    /// <summary>Makes a webhook, which must be accepted.</summary>
    public async Task<(Guid Id, string Secret)> HookAsync(string url, params string[] events)
    {
        using var response = await SendAsync(HttpMethod.Post, "/api/webhooks", new { url, events = events.Length > 0 ? events : ["*"], description = "a test" });
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        var made = await response.JsonAsync();
        return (made.GetProperty("id").GetGuid(), made.GetProperty("secret").GetString()!);
    }

    public async Task<Guid> TaskAsync(string title)
    {
        using var response = await SendAsync(HttpMethod.Post, "/api/tasks", new { title });
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        return (await response.JsonAsync()).GetProperty("id").GetGuid();
    }

    public async Task<Guid> JobAsync(string kind, object? input = null)
    {
        using var response = await SendAsync(HttpMethod.Post, "/api/jobs", new { kind, input = input ?? new { } });
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        return (await response.JsonAsync()).GetProperty("job_id").GetGuid();
    }

    public async Task<JsonElement> GetAsync(string path)
    {
        using var response = await Client.GetAsync(path, Cancel);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.JsonAsync();
    }

    public async Task<JsonElement[]> DeliveriesAsync(Guid id) => [.. (await GetAsync($"/api/webhooks/{id}/deliveries?limit=200")).GetProperty("deliveries").EnumerateArray()];

    /// <summary>Waits until the newest delivery is as it should be.</summary>
    public async Task<JsonElement> WaitForDeliveryAsync(Guid id, Func<JsonElement, bool> holds)
    {
        var delivery = default(JsonElement);
        await Eventually.HoldsAsync(async () => await DeliveriesAsync(id) is [var newest, ..] && holds(delivery = newest));
        return delivery;
    }

    public Task<JsonElement> WaitForStatusAsync(Guid id, string status) => WaitForDeliveryAsync(id, delivery => delivery.GetProperty("status").GetString() == status);

    /// <summary>Waits until an attempt has failed and the next one is awaited.</summary>
    public Task<JsonElement> WaitForRetryAsync(Guid id, int attempts) => WaitForDeliveryAsync(
        id, delivery => delivery.GetProperty("attempts").GetInt32() == attempts && delivery.GetProperty("next_attempt_at").ValueKind == JsonValueKind.String);

    public void Dispose() => Client.Dispose();
}
