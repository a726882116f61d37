using System.Net;
using Lintel.Infrastructure;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Lintel.Platform.Health;

public sealed class HealthTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Health_says_ok_and_nothing_more_to_anybody()
    {
        await using var server = await ServerFixture.StartAsync();

        Assert.Equal("{\"status\":\"ok\"}", await server.Client.GetStringAsync("/health", Cancel));
    }

    [Fact]
    public async Task A_ready_node_lists_its_dependencies()
    {
        await using var server = await StartAsync(new Check("mail", static _ => new(Readiness.Ready)));
        using var response = await server.Client.GetAsync("/health/ready", Cancel);
        var report = await response.JsonAsync();

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("ready", report.GetProperty("status").GetString());
        var names = report.GetProperty("dependencies").EnumerateArray().Select(static entry => entry.GetProperty("name").GetString()).ToArray();
        Assert.Contains("mail", names);
        Assert.Contains("database", names);
        Assert.Contains("migrations", names);
    }

    [Fact]
    public async Task One_failed_dependency_makes_the_node_unavailable_and_leaks_nothing()
    {
        await using var server = await StartAsync(
            new Check("good", static _ => new(Readiness.Ready)),
            new Check("told", static _ => new(Readiness.Failed("Out of paper."))),
            new Check("thrown", static _ => throw new InvalidOperationException("password=hunter2")));
        using var response = await server.Client.GetAsync("/health/ready", Cancel);
        var text = await response.Content.ReadAsStringAsync(Cancel);
        var entries = (await response.JsonAsync()).GetProperty("dependencies").EnumerateArray()
            .ToDictionary(static entry => entry.GetProperty("name").GetString()!, static entry => (entry.GetProperty("status").GetString(), entry.GetProperty("detail").GetString()), StringComparer.Ordinal);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Equal("unavailable", (await response.JsonAsync()).GetProperty("status").GetString());
        Assert.Equal(("ok", null), entries["good"]);
        Assert.Equal(("failed", "Out of paper."), entries["told"]);
        Assert.Equal("failed", entries["thrown"].Item1);
        Assert.DoesNotContain("hunter2", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_dependency_that_does_not_answer_is_given_up()
    {
        using var release = new ManualResetEventSlim();
        await using var server = await StartAsync(
            new Check("slow", static async cancel =>
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, CancellationToken.None);
                return Readiness.Ready;
            }),
            new Check("blocking", _ =>
            {
                release.Wait(CancellationToken.None);
                return new(Readiness.Ready);
            }));
        using var response = await server.Client.GetAsync("/health/ready", Cancel);
        release.Set();

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        var failed = (await response.JsonAsync()).GetProperty("dependencies").EnumerateArray()
            .Where(static entry => entry.GetProperty("status").GetString() == "failed")
            .Select(static entry => entry.GetProperty("name").GetString());
        Assert.Equal(["blocking", "slow"], failed.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_draining_node_says_so_while_it_still_serves()
    {
        var held = new TaskCompletionSource();
        var begun = new TaskCompletionSource();
        await using var server = await ServerFixture.StartAsync(map: app => app.MapGet("/held", async () =>
        {
            begun.SetResult();
            await held.Task;
            return "done";
        }));

        // Two connections that are open before the server stops accepting.
        using var client = server.CreateClient();
        await client.GetStringAsync("/health", Cancel);
        var holding = server.Client.GetStringAsync("/held", Cancel);
        await begun.Task.WaitAsync(Cancel);
        server.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        using var response = await client.GetAsync("/health/ready", Cancel);
        held.SetResult();

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Equal("draining", (await response.JsonAsync()).GetProperty("status").GetString());
        Assert.Equal("done", await holding);
    }

    private static Task<ServerFixture> StartAsync(params Check[] checks) => ServerFixture.StartAsync(configure: builder =>
    {
        foreach (var check in checks)
        {
            builder.Services.AddSingleton<IReadinessCheck>(check);
        }
    });

    private sealed class Check(string name, Func<CancellationToken, ValueTask<Readiness>> check) : IReadinessCheck
    {
        public string Name => name;

        public ValueTask<Readiness> CheckAsync(CancellationToken cancellationToken) => check(cancellationToken);
    }
}
