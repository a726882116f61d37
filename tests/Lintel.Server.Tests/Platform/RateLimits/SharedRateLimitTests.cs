using System.Net;
using Lintel.Infrastructure;
using Lintel.Platform.Security;
using Lintel.Platform.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Lintel.Platform.RateLimits;

/// <summary>The nodes of one PostgreSQL count together.</summary>
public sealed class SharedRateLimitTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task All_nodes_together_allow_a_limit_exactly_and_no_more_however_many_ask_at_once()
    {
        await using var database = await TestDatabase.CreateAsync(TestDatabaseKind.Postgres);
        await using var one = await StartAsync(database, 100);
        await using var two = await StartAsync(database, 100);

        // One after the other, on either node in turn.
        var allowed = 0;
        for (var i = 0; i < 140; i++)
        {
            allowed += await IsAllowedAsync(i % 2 == 0 ? one : two, "in-turn") ? 1 : 0;
        }

        Assert.InRange(allowed, 95, 100);

        var answers = await Task.WhenAll(Enumerable.Range(0, 300).Select(i => IsAllowedAsync(i % 2 == 0 ? one : two, "at-once")));
        Assert.InRange(answers.Count(static isAllowed => isAllowed), 90, 100);

        // Of one node nothing is lost to another.
        allowed = 0;
        for (var i = 0; i < 140; i++)
        {
            allowed += await IsAllowedAsync(two, "alone") ? 1 : 0;
        }

        Assert.Equal(100, allowed);
    }

    [Fact]
    public async Task What_is_used_up_on_one_node_is_so_on_the_other_and_both_tell_the_same_end()
    {
        await using var database = await TestDatabase.CreateAsync(TestDatabaseKind.Postgres);
        await using var one = await StartAsync(database, 3);
        await using var two = await StartAsync(database, 3);
        List<(int, string)> answers = [];
        string? reset = null;
        foreach (var node in new[] { one, two, one, two, one })
        {
            using var response = await AskAsync(node, "mason");
            answers.Add(((int)response.StatusCode, response.Header("X-RateLimit-Remaining")));
            reset ??= response.Header("X-RateLimit-Reset");
            Assert.InRange(long.Parse(response.Header("X-RateLimit-Reset")) - long.Parse(reset), -1, 1);
        }

        Assert.Equal([(200, "2"), (200, "1"), (200, "0"), (429, "0"), (429, "0")], answers);
    }

    [Fact]
    public async Task An_ended_window_begins_anew_for_all()
    {
        await using var database = await TestDatabase.CreateAsync(TestDatabaseKind.Postgres);
        await using var one = await StartAsync(database, 2, windowSeconds: 1);
        await using var two = await StartAsync(database, 2, windowSeconds: 1);
        Assert.True(await IsAllowedAsync(one, "mason"));
        Assert.True(await IsAllowedAsync(two, "mason"));
        TimeSpan wait;
        using (var refused = await AskAsync(one, "mason"))
        {
            Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
            wait = refused.Headers.RetryAfter!.Delta!.Value;
        }

        await Task.Delay(wait, Cancel);
        Assert.True(await IsAllowedAsync(two, "mason"));
        Assert.True(await IsAllowedAsync(one, "mason"));
        Assert.False(await IsAllowedAsync(two, "mason"));
    }

    [Fact]
    public async Task Refused_requests_ask_the_database_no_more()
    {
        await using var database = await TestDatabase.CreateAsync(TestDatabaseKind.Postgres);
        await using var node = await StartAsync(database, 2);
        for (var i = 0; i < 3; i++)
        {
            await IsAllowedAsync(node, "mason");
        }

        var rows = node.Services.GetRequiredService<Database>();
        var before = await VersionAsync(rows);
        for (var i = 0; i < 50; i++)
        {
            Assert.False(await IsAllowedAsync(node, "mason"));
        }

        Assert.Equal(before, await VersionAsync(rows));
    }

    [Fact]
    public async Task While_the_database_is_away_each_node_counts_for_itself()
    {
        await using var database = await TestDatabase.CreateAsync(TestDatabaseKind.Postgres);
        await using var node = await StartAsync(database, 3);
        Assert.True(await IsAllowedAsync(node, "before"));
        await database.DisposeAsync();

        List<bool> answers = [];
        for (var i = 0; i < 5; i++)
        {
            answers.Add(await IsAllowedAsync(node, "x"));
        }

        Assert.Equal([true, true, true, false, false], answers);
    }

    [Fact]
    public async Task Ended_windows_are_forgotten()
    {
        await using var database = await TestDatabase.CreateAsync(TestDatabaseKind.Postgres);
        await using var node = await StartAsync(database, 3);
        await IsAllowedAsync(node, "old");
        await IsAllowedAsync(node, "young");
        var rows = node.Services.GetRequiredService<Database>();
        await rows.WriteAsync(static async session => { await session.ExecuteAsync("UPDATE rate_limit SET ends_at = 0 WHERE partition LIKE '%old'"); }, Cancel);

        await node.Services.GetServices<IHostedService>().OfType<RateLimitRetentionWorker>().Single().ForgetAsync(Cancel);

        Assert.Equal(["default 3 60 key-young"], await rows.ReadAsync(static session => session.QueryAsync("SELECT partition FROM rate_limit", static row => row.GetString(0)), Cancel));
    }

    private static Task<string?> VersionAsync(Database database) =>
        database.ReadAsync(static session => session.QueryFirstAsync("SELECT string_agg(xmin::text, ',') FROM rate_limit", static row => row.GetString(0)), Cancel);

    private static Task<ServerFixture> StartAsync(TestDatabase database, int limit, int windowSeconds = 60) => ServerFixture.StartAsync(
        [$"--DATABASE_URL={database.Url}", $"--RATE_LIMIT_REQUESTS={limit}", $"--RATE_LIMIT_WINDOW={windowSeconds}"],
        static builder => builder.Services.AddSingleton<IApiKeyVerifier, RateLimitTests.AnyKey>(),
        static app => app.MapGet("/counted", static () => "ok").RateLimited());

    private static async Task<HttpResponseMessage> AskAsync(ServerFixture node, string whose)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/counted");
        request.Headers.Add("X-API-Key", "key-" + whose);
        return await node.Client.SendAsync(request, Cancel);
    }

    private static async Task<bool> IsAllowedAsync(ServerFixture node, string whose)
    {
        using var response = await AskAsync(node, whose);
        return response.IsSuccessStatusCode;
    }
}
