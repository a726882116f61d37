using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Lintel.Features.Accounts;
using Lintel.Features.Jobs.Watching;
using Lintel.Features.Streams;
using Lintel.Infrastructure;
using Lintel.Platform.Security;
using Lintel.Platform.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Features.Jobs;

/// <summary>
/// A server as a host would build it, with kinds of its own: <c>count</c> emits the numbers to <c>n</c>, <c>gate</c> says <c>here</c> and waits to be let through,
/// <c>operate</c> is for administrators. Its clock can be moved.
/// </summary>
public abstract class JobsServer : ServerFixture
{
    public const string ApiKey = "test-static-key";

    private protected static readonly JobOptions Options = new() { ShutdownGrace = TimeSpan.FromMilliseconds(50), ConcurrencyPerOwner = 50, Concurrency = 100 };

    private readonly ConcurrentDictionary<string, Gate> _gates;

    private protected JobsServer(TestDatabaseKind kind, Action<WebApplicationBuilder>? configure = null)
        : this(kind, new MovableClock(), new(StringComparer.Ordinal), configure)
    {
    }

    private JobsServer(TestDatabaseKind kind, MovableClock clock, ConcurrentDictionary<string, Gate> gates, Action<WebApplicationBuilder>? configure)
        : base(kind, ["--PASSWORD_HASH_ITERATIONS=10000"], builder => Configure(builder, clock, gates, configure), Map)
    {
        Clock = clock;
        _gates = gates;
    }

    public MovableClock Clock { get; }

    internal Database Database => Services.GetRequiredService<Database>();

    internal StreamLog Streams => Services.GetRequiredService<StreamLog>();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>A gate that no other test uses.</summary>
    internal (string Name, Gate Gate) NewGate()
    {
        var name = Guid.CreateVersion7().ToString();
        return (name, _gates.GetOrAdd(name, static _ => new Gate()));
    }

    /// <summary>A client of the machine that holds the static key.</summary>
    public HttpClient CreateMachine()
    {
        var client = CreateClient();
        client.DefaultRequestHeaders.Add("X-API-Key", ApiKey);
        return client;
    }

    /// <summary>A client of someone new, signed in.</summary>
    public async Task<HttpClient> SignInAsync()
    {
        var client = CreateClient();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", await NewTokenAsync());
        return client;
    }

    /// <summary>An access token of someone new.</summary>
    public async Task<string> NewTokenAsync() => (await NewSessionAsync()).Token;

    /// <summary>An access token of someone new, and the way to the next one.</summary>
    public async Task<(string Token, Func<Task<string>> Refresh)> NewSessionAsync()
    {
        var tokens = await SignInPersonAsync();
        return (tokens.Access, async () =>
        {
            using var refreshed = await Client.PostAsJsonAsync("/auth/refresh", new { refresh_token = tokens.Refresh }, Cancel);
            return (await Tokens.OfAsync(refreshed)).Access;
        }
        );
    }

    /// <summary>Someone new, signed in.</summary>
    public async Task<Tokens> SignInPersonAsync()
    {
        var person = new { email = $"mason-{Guid.CreateVersion7():N}@example.com", password = "correct horse battery" };
        using var registered = await Client.PostAsJsonAsync("/auth/register", person, Cancel);
        Assert.Equal(HttpStatusCode.Created, registered.StatusCode);
        using var signedIn = await Client.PostAsJsonAsync("/auth/login", person, Cancel);
        return await Tokens.OfAsync(signedIn);
    }

    private static void Configure(
        WebApplicationBuilder builder, MovableClock clock, ConcurrentDictionary<string, Gate> gates, Action<WebApplicationBuilder>? configure)
    {
        builder.Services.AddSingleton<TimeProvider>(clock);
        builder.Services.AddSingleton(gates);
        builder.Services.AddSingleton(Options);
        builder.Services.AddSingleton(TestKind.Of(CountAsync, "count"));
        builder.Services.AddSingleton(TestKind.Of((job, cancel) => PassAsync(job, gates, cancel), "gate"));
        builder.Services.AddSingleton(TestKind.Of(CountAsync, "operate") with { Scope = Scopes.Admin });
        configure?.Invoke(builder);
    }

    /// <summary>A route as a feature would have it that submits work only to be watched.</summary>
    private static void Map(WebApplication app) =>
        app.MapPost("/test/stream", StreamAsync).RequireEventStreamCaller();

    private static async Task StreamAsync(HttpContext context, Caller caller, JobQueue queue, JobKinds kinds, JobViewers viewers, JobWatch watch)
    {
        var viewer = viewers.NewViewer();
        var input = JsonSerializer.SerializeToUtf8Bytes(new { gate = context.Request.Query["gate"].ToString() });
        var request = new JobRequest(kinds.Find("gate")!, caller.OwnerId, input, 0, CancelOnDisconnect: true);
        var submitted = await queue.SubmitAsync(request, context.RequestAborted, (session, id) => viewers.EnterAsync(session, id, viewer));
        await watch.ServeEventsAsync(context, caller, submitted.Job!, viewer);
    }

    private static Task<JobOutcome> CountAsync(JobContext job, CancellationToken cancellationToken)
    {
        var input = JsonDocument.Parse(job.Input).RootElement;
        var size = input.TryGetProperty("size", out var asked) ? asked.GetInt32() : 0;
        return size == 0 ? TestKind.CountAsync(job, input.GetProperty("n").GetInt32(), cancellationToken) : EmitLargeAsync(job, input.GetProperty("n").GetInt32(), size);
    }

    private static async Task<JobOutcome> EmitLargeAsync(JobContext job, int count, int size)
    {
        for (var i = 1; i <= count; i++)
        {
            await job.EmitAsync("number", TestEvent.OfSize(i, size).Data.Span);
        }

        return JobOutcome.Complete();
    }

    private static async Task<JobOutcome> PassAsync(JobContext job, ConcurrentDictionary<string, Gate> gates, CancellationToken cancellationToken)
    {
        var name = JsonDocument.Parse(job.Input).RootElement.GetProperty("gate").GetString()!;
        if (job.EventsSoFar == 0)
        {
            await job.EmitAsync("here", "{}"u8);
        }

        await gates.GetOrAdd(name, static _ => new Gate()).PassAsync(cancellationToken);
        return JobOutcome.Complete();
    }
}

public sealed class SqliteJobsServer() : JobsServer(TestDatabaseKind.Sqlite);

public sealed class PostgresJobsServer() : JobsServer(TestDatabaseKind.Postgres);

/// <summary>Requests about jobs.</summary>
internal static class JobRequests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    extension(HttpClient client)
    {
        public Task<HttpResponseMessage> SubmitAsync(object body, string? key = null)
        {
            var request = new HttpRequestMessage(HttpMethod.Post, "/api/jobs") { Content = JsonContent.Create(body) };
            if (key is not null)
            {
                request.Headers.Add("Idempotency-Key", key);
            }

            return client.SendAsync(request, Cancel);
        }

        /// <summary>Submits a job that must be accepted, and returns its id.</summary>
        public async Task<Guid> SubmitAcceptedAsync(string kind, object input)
        {
            using var response = await client.SubmitAsync(new { kind, input });
            Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
            return (await response.JsonAsync()).GetProperty("job_id").GetGuid();
        }

        public Task<Guid> CountAsync(int n) => client.SubmitAcceptedAsync("count", new { n });

        public async Task<JsonElement> JobAsync(Guid id)
        {
            using var response = await client.GetAsync($"/api/jobs/{id}", Cancel);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            return await response.JsonAsync();
        }

        /// <summary>Watches a job to its end.</summary>
        public async Task<List<SseEvent>> WatchAsync(Guid id, string? lastEventId = null)
        {
            await using var events = await SseClient.OpenAsync(client, $"/api/jobs/{id}/events", lastEventId);
            return await events.ReadToEndAsync();
        }
    }

    public static string[] Texts(this IEnumerable<SseEvent> events) =>
        [.. events.Where(static item => item.Kind == "number").Select(static item => item.Json.GetProperty("text").GetString()!)];

    public static string At(this string eventId, long seq) => eventId[..(eventId.LastIndexOf('.') + 1)] + seq.ToString(CultureInfo.InvariantCulture);
}
