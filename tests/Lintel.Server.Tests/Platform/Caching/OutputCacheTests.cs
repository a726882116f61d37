using Lintel.Infrastructure;
using Lintel.Platform.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Platform.Caching;

public sealed class OutputCacheTests(ServerFixture server) : IClassFixture<ServerFixture>, IDisposable
{
    private static readonly CacheTag Tag = new("things", 1);

    private readonly OutputCache _cache = new(server.Services.GetRequiredService<Database>());
    private int _reads;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _cache.Dispose();

    [Fact]
    public async Task What_is_kept_is_not_read_again_until_something_changes()
    {
        Assert.Equal(("1", "1"), (await GetAsync("a"), await GetAsync("a")));
        Assert.Equal("2", await GetAsync("b"));

        _cache.Invalidate(Tag);
        Assert.Equal(("3", "3"), (await GetAsync("a"), await GetAsync("a")));
    }

    [Fact]
    public async Task Owners_and_topics_have_their_own()
    {
        await GetAsync("a");
        Assert.Equal("2", await GetAsync("a", new CacheTag("things", 2)));
        Assert.Equal("3", await GetAsync("a", new CacheTag("others", 1)));
    }

    [Fact]
    public async Task What_was_read_before_a_change_and_comes_after_it_is_found_by_nobody()
    {
        var late = new TaskCompletionSource<CachedBody?>();
        var reading = _cache.GetAsync(Tag, "a", _ => late.Task).AsTask();
        _cache.Invalidate(Tag);
        late.SetResult(BodyOf("old"));

        Assert.Equal("old", Text(await reading));
        Assert.Equal("1", await GetAsync("a"));
    }

    [Fact]
    public async Task A_change_counts_when_it_is_committed_and_not_when_it_is_rolled_back()
    {
        var database = server.Services.GetRequiredService<Database>();
        await GetAsync("a");
        await Assert.ThrowsAsync<InvalidOperationException>(() => database.WriteAsync(
            session =>
            {
                _cache.Invalidate(session, Tag);
                throw new InvalidOperationException();
            },
            Cancel));
        Assert.Equal("1", await GetAsync("a"));

        await database.WriteAsync(
            async session =>
            {
                _cache.Invalidate(session, Tag);
                Assert.Equal("1", await GetAsync("a"));
            },
            Cancel);
        Assert.Equal("2", await GetAsync("a"));
    }

    [Fact]
    public async Task Nothing_is_not_kept_and_neither_is_too_much()
    {
        Assert.Null(await _cache.GetAsync(Tag, "none", static _ => Task.FromResult<CachedBody?>(null)));
        Assert.Equal("1", await GetAsync("none"));

        for (var i = 0; i < 2; i++)
        {
            await _cache.GetAsync(Tag, "large", _ =>
            {
                _reads++;
                return Task.FromResult<CachedBody?>(new(new byte[300_000], "\"x\""));
            });
        }

        Assert.Equal(3, _reads);
    }

    [Fact]
    public async Task Where_other_nodes_may_change_it_nothing_is_kept()
    {
        await using var postgres = await ServerFixture.StartAsync(kind: TestDatabaseKind.Postgres);
        var cache = postgres.Services.GetRequiredService<OutputCache>();
        await cache.GetAsync(Tag, "a", ReadAsync);
        await cache.GetAsync(Tag, "a", ReadAsync);

        Assert.Equal(2, _reads);
    }

    private async Task<string?> GetAsync(string detail, CacheTag? tag = null) => Text(await _cache.GetAsync(tag ?? Tag, detail, ReadAsync));

    private Task<CachedBody?> ReadAsync(string detail) => Task.FromResult<CachedBody?>(BodyOf((++_reads).ToString()));

    private static CachedBody BodyOf(string text) => new(System.Text.Encoding.UTF8.GetBytes(text), "\"x\"");

    private static string? Text(CachedBody? body) => body is null ? null : System.Text.Encoding.UTF8.GetString(body.Json);
}
