using Lintel.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Platform.Breakers;

/// <summary>Nodes of one PostgreSQL protect each other.</summary>
public sealed class BreakerSharingTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_one_node_finds_out_the_others_know()
    {
        await using var database = await TestDatabase.CreateAsync(TestDatabaseKind.Postgres);
        await using var one = await StartAsync(database);
        await using var two = await StartAsync(database);
        var (here, there) = (Add(one), Add(two));

        await OpenAsync(here);
        await Eventually.HoldsAsync(() => there.State == "open");
        Assert.Equal("Away.", there.Status.Reason);
        Assert.InRange(there.Status.RetryAt!.Value - there.Status.Since!.Value, TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(30));
        await Assert.ThrowsAsync<BreakerOpenException>(async () => await there.RunAsync(static _ => throw new InvalidOperationException("It was tried."), Cancel));

        // Neither is it told back.
        await there.ResetAsync();
        await Eventually.HoldsAsync(() => here.State == "closed");
        await here.RunAsync(static _ => default, Cancel);

        await OpenAsync(there);
        await Eventually.HoldsAsync(() => here.State == "open");
    }

    [Fact]
    public async Task What_somebody_far_away_says_is_kept_as_plain_text_and_stops_nobody()
    {
        await using var database = await TestDatabase.CreateAsync(TestDatabaseKind.Postgres);
        await using var one = await StartAsync(database);
        await using var two = await StartAsync(database);
        var (here, there) = (Add(one), Add(two));
        for (var i = 0; i < 5; i++)
        {
            await Assert.ThrowsAsync<IOException>(async () => await here.RunAsync(static _ => throw new IOException("421 busy\0 \ud800" + new string('x', 499) + "🏗🏗"), Cancel));
        }

        await Eventually.HoldsAsync(() => there.State == "open");
        Assert.StartsWith("421 busy ", there.Status.Reason, StringComparison.Ordinal);
        using var response = await one.Client.GetAsync("/health", Cancel);
        Assert.True(response.IsSuccessStatusCode);
    }

    [Fact]
    public async Task A_node_that_starts_later_knows_too()
    {
        await using var database = await TestDatabase.CreateAsync(TestDatabaseKind.Postgres);
        await using var one = await StartAsync(database);
        await using var two = await StartAsync(database);
        var there = Add(two);
        await OpenAsync(Add(one));
        await Eventually.HoldsAsync(() => there.State == "open");

        await using var three = await StartAsync(database, static services => services.AddSingleton<AddedAtStart>(), static services => services.GetRequiredService<AddedAtStart>());
        var late = three.Services.GetRequiredService<Breakers>().Find("test")!;
        await Eventually.HoldsAsync(() => late.State == "open");
    }

    private static Breaker Add(ServerFixture node) => node.Services.GetRequiredService<Breakers>().Add("test", new());

    private static Task<ServerFixture> StartAsync(TestDatabase database, Action<IServiceCollection>? add = null, Action<IServiceProvider>? start = null) =>
        ServerFixture.StartAsync([$"--DATABASE_URL={database.Url}"], builder => add?.Invoke(builder.Services), app => start?.Invoke(app.Services));

    private static async Task OpenAsync(Breaker breaker)
    {
        for (var i = 0; i < 5; i++)
        {
            await Assert.ThrowsAsync<IOException>(async () => await breaker.RunAsync(static _ => throw new IOException("Away."), Cancel));
        }

        Assert.Equal("open", breaker.State);
    }

    private sealed class AddedAtStart
    {
        public AddedAtStart(Breakers breakers) => breakers.Add("test", new());
    }
}
