using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using Lintel.Infrastructure;
using Lintel.Platform.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Features.ApiKeys;

/// <summary>Guessing, and what nodes know of each other. Each test has a server of its own, since guesses count for the address.</summary>
public sealed class ApiKeyAttackTests
{
    private const int Guesses = 10_000;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory(Timeout = 120_000)]
    [InlineData(TestDatabaseKind.Sqlite)]
    [InlineData(TestDatabaseKind.Postgres)]
    public async Task Ten_thousand_guesses_cost_a_hundred_reads_and_keep_nobody_out(TestDatabaseKind kind)
    {
        var time = new ManualTime();
        await using var server = await StartAsync(kind, time);
        var token = await SignInAsync(server);
        var (known, fresh) = (await server.NewKeyAsync(token), await server.NewKeyAsync(token));
        Assert.Null(await server.TryKeyAsync(known.Text));
        var verifier = server.Services.GetRequiredService<StoredApiKeys>();
        var before = verifier.ReadCount;

        // Half of it garbage, half made by somebody who has read how a checksum is made.
        var answers = new ConcurrentDictionary<string, int>(StringComparer.Ordinal);
        await Parallel.ForEachAsync(Enumerable.Range(0, Guesses), new ParallelOptions { MaxDegreeOfParallelism = 32, CancellationToken = Cancel }, async (i, _) =>
        {
            var key = i % 2 == 0 ? $"ltl_{i:D42}" : ApiKeyText.Create();
            answers.AddOrUpdate(await server.TryKeyAsync(key) ?? "taken", 1, static (_, count) => count + 1);
        });

        Assert.Equal(StoredApiKeys.UnknownKeys.Requests, verifier.ReadCount - before);
        Assert.Equal(["AUTH_TOKEN_INVALID", "RATE_LIMITED"], answers.Keys.Order(StringComparer.Ordinal));
        Assert.Equal((Guesses / 2) + StoredApiKeys.UnknownKeys.Requests, answers["AUTH_TOKEN_INVALID"]);

        // Who was known from that address goes on, though read again; a newcomer waits for the window to end.
        Assert.Null(await server.TryKeyAsync(known.Text));
        time.Advance(StoredApiKeys.Freshness - TimeSpan.FromSeconds(1));
        using var refused = await server.SendAsync(HttpMethod.Get, "/auth/me", null, ("X-API-Key", fresh.Text));
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(1), refused.Headers.RetryAfter!.Delta);
        time.Advance(TimeSpan.FromSeconds(1));

        // Where nodes share windows, the database's clock ends them.
        await server.Services.GetRequiredService<Database>().WriteAsync(static async session => { await session.ExecuteAsync("UPDATE rate_limit SET ends_at = 0"); }, Cancel);
        Assert.Null(await server.TryKeyAsync(fresh.Text));
        Assert.Null(await server.TryKeyAsync(known.Text));
    }

    [Fact(Timeout = 60_000)]
    public async Task Guesses_on_sockets_count_like_others()
    {
        await using var server = await StartAsync(TestDatabaseKind.Sqlite, new ManualTime());
        var verifier = server.Services.GetRequiredService<StoredApiKeys>();
        var before = verifier.ReadCount;
        for (var i = 0; i < StoredApiKeys.UnknownKeys.Requests + 5; i++)
        {
            await using var socket = await SocketClient.OpenAsync(server.SocketAddress("/ws/design/x"));
            await socket.SendAsync(new { type = "auth", api_key = ApiKeyText.Create() });
            await socket.AssertClosedAsync(System.Net.WebSockets.WebSocketCloseStatus.PolicyViolation, "Invalid API key");
        }

        Assert.Equal(StoredApiKeys.UnknownKeys.Requests, verifier.ReadCount - before);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_key_is_good_on_every_node_and_its_revocation_too()
    {
        await using var database = await TestDatabase.CreateAsync(TestDatabaseKind.Postgres);
        string[] settings = ["--PASSWORD_HASH_ITERATIONS=10000", $"--DATABASE_URL={database.Url}"];
        await using var first = await ServerFixture.StartAsync(settings);
        await using var second = await ServerFixture.StartAsync(settings);
        var token = await SignInAsync(first);
        var key = await first.NewKeyAsync(token);
        Assert.Null(await second.TryKeyAsync(key.Text));
        await using var socket = await SocketClient.OpenAsync(second.SocketAddress("/ws/design/x"), "X-API-Key", key.Text);

        Assert.Equal(HttpStatusCode.NoContent, await first.RevokeKeyAsync(token, key.Id));

        await socket.AssertClosedAsync(System.Net.WebSockets.WebSocketCloseStatus.PolicyViolation, "Invalid API key");
        Assert.Equal("AUTH_TOKEN_REVOKED", await second.TryKeyAsync(key.Text));
    }

    [Fact(Timeout = 60_000)]
    public async Task The_bound_of_keys_holds_over_nodes()
    {
        await using var database = await TestDatabase.CreateAsync(TestDatabaseKind.Postgres);
        string[] settings = ["--PASSWORD_HASH_ITERATIONS=10000", "--API_KEYS_PER_ACCOUNT=5", $"--DATABASE_URL={database.Url}"];
        await using var first = await ServerFixture.StartAsync(settings);
        await using var second = await ServerFixture.StartAsync(settings);
        var token = await SignInAsync(first);

        var statuses = await Task.WhenAll(Enumerable.Range(0, 20).Select(async i =>
        {
            using var response = await (i % 2 == 0 ? first : second).CreateKeyAsync(token, new { name = "x", scopes = new[] { "design" } });
            return response.StatusCode;
        }));

        Assert.Equal(5, statuses.Count(static status => status == HttpStatusCode.Created));
        Assert.Equal(15, statuses.Count(static status => status == HttpStatusCode.Conflict));
    }

    [Fact(Timeout = 60_000)]
    public async Task The_servers_maximum_bounds_a_keys_own_limit()
    {
        await using var server = await ServerFixture.StartAsync(["--PASSWORD_HASH_ITERATIONS=10000", "--RATE_LIMIT_REQUESTS=40", "--API_KEY_RATE_LIMIT_MAX=60"]);
        var token = await SignInAsync(server);
        var key = await server.NewKeyAsync(token, rateLimit: 60);
        using var tooMuch = await server.CreateKeyAsync(token, new { name = "x", scopes = new[] { "design" }, rate_limit = 61 });
        using var response = await server.SendAsync(HttpMethod.Post, "/auth/ws-ticket", new { path = "/ws/design/x" }, ("X-API-Key", key.Text));

        Assert.Equal(HttpStatusCode.UnprocessableEntity, tooMuch.StatusCode);
        Assert.Equal("60", response.Header("X-RateLimit-Limit"));
        Assert.Equal("40", tooMuch.Header("X-RateLimit-Limit"));
    }

    private static Task<ServerFixture> StartAsync(TestDatabaseKind kind, ManualTime time) => ServerFixture.StartAsync(
        ["--PASSWORD_HASH_ITERATIONS=10000"], builder => builder.Services.AddSingleton<TimeProvider>(time), kind: kind);

    private static async Task<string> SignInAsync(ServerFixture server)
    {
        var person = new { email = $"mason-{Guid.CreateVersion7():N}@example.com", password = "correct horse battery" };
        using var registered = await server.Client.PostAsJsonAsync("/auth/register", person, Cancel);
        using var signedIn = await server.Client.PostAsJsonAsync("/auth/login", person, Cancel);
        return (await signedIn.JsonAsync()).GetProperty("access_token").GetString()!;
    }
}
