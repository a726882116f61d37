using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Lintel.Features.Accounts;
using Lintel.Features.Jobs;
using Lintel.Infrastructure;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Features.Beams;

/// <summary>
/// A server on which a batch can be held: one whose first beam says <c>"gate":"…"</c> waits there before it begins, and one whose first beam says <c>"broken":true</c> meets a
/// bug. Two jobs of an owner run at once.
/// </summary>
public abstract class BeamsServer : JobsServer
{
    private protected BeamsServer(TestDatabaseKind kind)
        : base(kind, Configure)
    {
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>An access token of someone new that has these scopes only.</summary>
    public async Task<string> ScopedTokenAsync(params string[] scopes) =>
        TestJwt.Change(await NewTokenAsync(), claims => claims["scopes"] = JsonSerializer.SerializeToNode(scopes));

    public HttpClient CreateClient(string accessToken)
    {
        var client = CreateClient();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", accessToken);
        return client;
    }

    /// <summary>A ticket for that path of whoever the client is.</summary>
    public static async Task<string> TicketAsync(HttpClient client, string path)
    {
        using var issued = await client.PostAsJsonAsync("/auth/ws-ticket", new { path }, Cancel);
        Assert.Equal(HttpStatusCode.OK, issued.StatusCode);
        return (await issued.JsonAsync()).GetProperty("ticket").GetString()!;
    }

    private static void Configure(WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(Options with { ConcurrencyPerOwner = 2 });
        var batch = builder.Services.Single(static service => service.ImplementationInstance is JobKind { Name: "batch-design" });
        var kind = (JobKind)batch.ImplementationInstance!;
        builder.Services.Remove(batch);
        builder.Services.AddSingleton(kind with
        {
            RetryDelay = TimeSpan.Zero,
            CreateHandler = services => new HeldBatch(
            kind.CreateHandler(services), services.GetRequiredService<ConcurrentDictionary<string, Gate>>())
        });
    }

    /// <summary>The real handler behind a gate.</summary>
    private sealed class HeldBatch(IJobHandler batch, ConcurrentDictionary<string, Gate> gates) : IJobHandler
    {
        public JobInputCheck Check(ReadOnlySpan<byte> input) => batch.Check(input);

        public async Task<JobOutcome> RunAsync(JobContext job, CancellationToken cancellationToken)
        {
            var (gate, isBroken) = Look(job.Input);
            if (gate is not null)
            {
                await gates.GetOrAdd(gate, static _ => new Gate()).PassAsync(cancellationToken);
            }

            return isBroken ? throw new InvalidOperationException("A bug.") : await batch.RunAsync(job, cancellationToken);
        }

        private static (string? Gate, bool IsBroken) Look(ReadOnlyMemory<byte> input)
        {
            // Not the whole text: some batches are of 100,000 beams.
            var reader = new Utf8JsonReader(input.Span[..Math.Min(input.Length, 64 * 1024)], isFinalBlock: false, default);
            string? gate = null;
            var isBroken = false;
            while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
            {
                if (reader.TokenType == JsonTokenType.PropertyName && reader.ValueTextEquals("gate"u8))
                {
                    reader.Read();
                    gate = reader.GetString();
                }
                else if (reader.TokenType == JsonTokenType.PropertyName && reader.ValueTextEquals("broken"u8))
                {
                    isBroken = true;
                }
            }

            return (gate, isBroken);
        }
    }
}

public sealed class SqliteBeamsServer() : BeamsServer(TestDatabaseKind.Sqlite);

public sealed class PostgresBeamsServer() : BeamsServer(TestDatabaseKind.Postgres);

/// <summary>Requests about batches.</summary>
internal static class BatchRequests
{
    public const string Path = "/stream/batch-design";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>A beam that is safe, one that is not, one that is refused, and so on.</summary>
    public static string Beams(int count, string? first = null) => "[" + string.Join(',', Enumerable.Range(0, count).Select(index =>
        "{" + (index == 0 && first is not null ? first + "," : "") + (index % 3) switch
        {
            0 => $"\"id\":\"B{index}\",\"width\":300,\"depth\":500,\"moment\":150,\"shear\":75,\"fck\":25,\"fy\":500,\"cover\":40}}",
            1 => $"\"id\":\"B{index}\",\"width\":300,\"depth\":500,\"moment\":9000,\"shear\":5000}}",
            _ => "\"width\":10}",
        })) + "]";

    public static HttpRequestMessage Post(string body, string? lastEventId = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, Path) { Content = new StringContent(body, new MediaTypeHeaderValue("application/json")) };
        return WithCursor(request, lastEventId);
    }

    /// <summary>The older form, with the beams in the URL.</summary>
    public static HttpRequestMessage Get(string? beams, string? lastEventId = null) =>
        WithCursor(new HttpRequestMessage(HttpMethod.Get, beams is null ? Path : $"{Path}?beams={Uri.EscapeDataString(beams)}"), lastEventId);

    public static HttpRequestMessage Watch(Guid id, string? lastEventId = null) => WithCursor(new HttpRequestMessage(HttpMethod.Get, $"/stream/progress/{id}"), lastEventId);

    public static Guid JobId(this SseEvent item) => Guid.Parse(item.Id![..36]);

    extension(HttpClient client)
    {
        public async Task<List<SseEvent>> ReadBatchAsync(HttpRequestMessage request)
        {
            await using var events = await SseClient.OpenAsync(client, request);
            return await events.ReadToEndAsync();
        }

        public async Task<JsonElement> BatchAsync(Guid id)
        {
            using var response = await client.GetAsync($"/stream/job/{id}", Cancel);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            return await response.JsonAsync();
        }

        public async Task<Guid[]> JobIdsAsync()
        {
            using var response = await client.GetAsync("/api/jobs", Cancel);
            return [.. (await response.JsonAsync()).GetProperty("jobs").EnumerateArray().Select(static job => job.GetProperty("job_id").GetGuid())];
        }
    }

    private static HttpRequestMessage WithCursor(HttpRequestMessage request, string? lastEventId)
    {
        if (lastEventId is not null)
        {
            request.Headers.TryAddWithoutValidation("Last-Event-ID", lastEventId);
        }

        return request;
    }
}
