using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Lintel.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Features.Jobs;

public abstract class JobEndpointTests(JobsServer server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_submitted_job_is_accepted_with_its_address_and_can_be_read_there()
    {
        using var client = await server.SignInAsync();
        using var response = await client.SubmitAsync(new { kind = "count", input = new { n = 3 }, colour = "blue" });

        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        var accepted = await response.JsonAsync();
        var id = accepted.GetProperty("job_id").GetGuid();
        Assert.Equal($"/api/jobs/{id}", response.Header("Location"));
        Assert.Equal("queued", accepted.GetProperty("status").GetString());
        Assert.Equal("count", accepted.GetProperty("kind").GetString());
        Assert.EndsWith("Z", accepted.GetProperty("created_at").GetString(), StringComparison.Ordinal);

        await client.WatchAsync(id);
        var done = await client.JobAsync(id);
        Assert.Equal("complete", done.GetProperty("status").GetString());
        Assert.Equal("""{"completed":3,"total":3,"failed":0,"percent":100}""", done.GetProperty("progress").GetRawText());
        Assert.Equal(JsonValueKind.Null, done.GetProperty("error").ValueKind);
        Assert.True(done.GetProperty("completed_at").GetDateTimeOffset() >= done.GetProperty("started_at").GetDateTimeOffset());
    }

    [Theory]
    [InlineData("""{"input":{}}""", "kind")]
    [InlineData("""{"kind":7,"input":{}}""", "kind")]
    [InlineData("""{"kind":"nonsense","input":{}}""", "kind")]
    [InlineData("""{"kind":"count"}""", "input")]
    [InlineData("""{"kind":"\ud800","input":{}}""", null)]
    [InlineData("""["count"]""", null)]
    [InlineData("""{"kind":"count","input":{}} x""", null)]
    [InlineData("""{"kind":"count","input":{""", null)]
    [InlineData("", null)]
    public async Task What_is_no_submission_is_refused_and_the_fault_named(string body, string? field)
    {
        using var client = server.CreateMachine();
        using var response = await client.PostAsync("/api/jobs", new StringContent(body, Encoding.UTF8, "application/json"), Cancel);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        Assert.Equal("VALIDATION_ERROR", await response.ErrorCodeAsync());
        if (field is not null)
        {
            Assert.True((await response.JsonAsync()).GetProperty("error").GetProperty("details").GetProperty("fields").TryGetProperty(field, out _));
        }
    }

    [Fact]
    public async Task Text_that_is_not_UTF_8_and_other_content_types_are_refused()
    {
        using var client = server.CreateMachine();
        var bytes = new ByteArrayContent([.. "{\"kind\":\"count\",\"input\":{\"n\":\""u8, 0xff, .. "\"}}"u8]);
        bytes.Headers.ContentType = new("application/json");
        using var garbled = await client.PostAsync("/api/jobs", bytes, Cancel);
        using var form = await client.PostAsync("/api/jobs", new FormUrlEncodedContent([new("kind", "count")]), Cancel);

        Assert.Equal("VALIDATION_ERROR", await garbled.ErrorCodeAsync());
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, form.StatusCode);
        Assert.Equal("UNSUPPORTED_MEDIA_TYPE", await form.ErrorCodeAsync());
    }

    [Fact]
    public async Task A_kind_whose_scope_the_caller_lacks_is_forbidden()
    {
        using var client = await server.SignInAsync();
        using var response = await client.SubmitAsync(new { kind = "operate", input = new { n = 1 } });

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.Equal("FORBIDDEN", await response.ErrorCodeAsync());
    }

    [Fact]
    public async Task Without_credentials_there_is_nothing()
    {
        foreach (var path in new[] { "/api/jobs", $"/api/jobs/{Guid.CreateVersion7()}", $"/api/jobs/{Guid.CreateVersion7()}/events" })
        {
            using var response = await server.Client.GetAsync(path, Cancel);
            Assert.Equal("AUTH_ERROR", await response.ErrorCodeAsync());
            Assert.Equal("Bearer", response.Header("WWW-Authenticate"));
        }
    }

    [Fact]
    public async Task Another_one_s_job_is_no_job()
    {
        using var owner = await server.SignInAsync();
        using var other = await server.SignInAsync();
        var (name, gate) = server.NewGate();
        var id = await owner.SubmitAcceptedAsync("gate", new { gate = name });

        foreach (var request in new[]
        {
            new HttpRequestMessage(HttpMethod.Get, $"/api/jobs/{id}"),
            new HttpRequestMessage(HttpMethod.Get, $"/api/jobs/{id}/events"),
            new HttpRequestMessage(HttpMethod.Delete, $"/api/jobs/{id}"),
        })
        {
            using var response = await other.SendAsync(request, Cancel);
            Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
            Assert.Equal("NOT_FOUND", await response.ErrorCodeAsync());
        }

        using var list = await other.GetAsync("/api/jobs", Cancel);
        Assert.Empty((await list.JsonAsync()).GetProperty("jobs").EnumerateArray());
        gate.Open();
        Assert.Equal("complete", (await owner.WatchAsync(id))[^1].Kind);
    }

    [Fact]
    public async Task A_list_is_read_page_by_page_newest_first_and_nothing_comes_twice()
    {
        using var client = await server.SignInAsync();
        var ids = new List<Guid>();
        for (var i = 0; i < 7; i++)
        {
            ids.Add(await client.CountAsync(1));

            // Ids of one millisecond have no order among them.
            server.Clock.Advance(TimeSpan.FromMilliseconds(2));
        }

        var pages = await ReadPagesAsync(client, "/api/jobs?limit=3");

        Assert.Equal([3, 3, 1], pages.Select(static page => page.Count));
        Assert.Equal(Enumerable.Reverse(ids), pages.SelectMany(static page => page));
        using var exact = await client.GetAsync("/api/jobs?limit=7", Cancel);
        Assert.Equal(JsonValueKind.Null, (await exact.JsonAsync()).GetProperty("next").ValueKind);
    }

    [Fact]
    public async Task A_list_is_narrowed_by_status_and_kind()
    {
        using var client = await server.SignInAsync();
        var (name, gate) = server.NewGate();
        var waiting = await client.SubmitAcceptedAsync("gate", new { gate = name });
        var counted = await client.CountAsync(1);
        await client.WatchAsync(counted);
        await gate.WaitForArrivalAsync();

        Assert.Equal([counted], (await ReadPagesAsync(client, "/api/jobs?status=complete"))[0]);
        Assert.Equal([waiting], (await ReadPagesAsync(client, "/api/jobs?kind=gate"))[0]);
        Assert.Empty((await ReadPagesAsync(client, "/api/jobs?kind=gate&status=complete"))[0]);
        gate.Open();
    }

    [Theory]
    [InlineData("limit=0", "limit")]
    [InlineData("limit=201", "limit")]
    [InlineData("limit=many", null)]
    [InlineData("after=nonsense", "after")]
    public async Task A_page_that_cannot_be_is_refused(string query, string? field)
    {
        using var client = server.CreateMachine();
        using var response = await client.GetAsync("/api/jobs?" + query, Cancel);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        if (field is not null)
        {
            Assert.True((await response.JsonAsync()).GetProperty("error").GetProperty("details").GetProperty("fields").TryGetProperty(field, out _));
        }
    }

    [Fact]
    public async Task Cancelling_tells_whether_it_is_done_and_can_be_repeated()
    {
        using var client = await server.SignInAsync();
        var (name, gate) = server.NewGate();
        var id = await client.SubmitAcceptedAsync("gate", new { gate = name });
        await gate.WaitForArrivalAsync();

        using var asked = await client.DeleteAsync($"/api/jobs/{id}", Cancel);
        Assert.Equal(HttpStatusCode.Accepted, asked.StatusCode);
        Assert.True((await asked.JsonAsync()).GetProperty("cancel_requested").GetBoolean());

        var events = await client.WatchAsync(id);
        Assert.Equal(["here", "cancelled"], events.Select(static item => item.Kind));
        Assert.Equal(id, events[^1].Json.GetProperty("job_id").GetGuid());

        using var again = await client.DeleteAsync($"/api/jobs/{id}", Cancel);
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
        Assert.Equal("cancelled", (await again.JsonAsync()).GetProperty("status").GetString());
    }

    [Fact]
    public async Task A_key_makes_a_submission_safe_to_repeat()
    {
        using var client = await server.SignInAsync();
        var body = new { kind = "count", input = new { n = 2 } };
        using var first = await client.SubmitAsync(body, "order-7");
        using var again = await client.SubmitAsync(body, "order-7");
        using var other = await client.SubmitAsync(new { kind = "count", input = new { n = 3 } }, "order-7");
        using var longKey = await client.SubmitAsync(body, new string('k', 256));

        Assert.False(first.Headers.Contains("Idempotency-Replayed"));
        Assert.Equal(HttpStatusCode.Accepted, again.StatusCode);
        Assert.Equal("true", again.Header("Idempotency-Replayed"));
        Assert.Equal((await first.JsonAsync()).GetProperty("job_id").GetGuid(), (await again.JsonAsync()).GetProperty("job_id").GetGuid());
        Assert.Equal(HttpStatusCode.Conflict, other.StatusCode);
        Assert.Equal("CONFLICT", await other.ErrorCodeAsync());
        Assert.Equal(HttpStatusCode.UnprocessableEntity, longKey.StatusCode);
    }

    [Fact]
    public async Task Fifty_at_once_with_one_key_are_one_job()
    {
        using var client = await server.SignInAsync();
        var responses = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => client.SubmitAsync(new { kind = "count", input = new { n = 2 } }, "fifty")));

        Assert.All(responses, static response => Assert.Equal(HttpStatusCode.Accepted, response.StatusCode));
        Assert.Single(responses, static response => !response.Headers.Contains("Idempotency-Replayed"));
        var ids = await Task.WhenAll(responses.Select(static async response => (await response.JsonAsync()).GetProperty("job_id").GetGuid()));
        Assert.Single(ids.Distinct());
    }

    [Fact]
    public async Task Sixteen_megabytes_are_taken_and_one_byte_more_is_not()
    {
        const int most = 16 * 1024 * 1024;
        using var client = await server.SignInAsync();
        using var largest = await PostAsync(client, most, chunked: false);
        using var larger = await PostAsync(client, most + 1, chunked: false);
        try
        {
            // Its size shows only while it comes, so the refusal may find the client still sending.
            using var unannounced = await PostAsync(client, most + 1, chunked: true);
            Assert.Equal(HttpStatusCode.RequestEntityTooLarge, unannounced.StatusCode);
        }
        catch (HttpRequestException)
        {
        }

        Assert.Equal(HttpStatusCode.Accepted, largest.StatusCode);
        Assert.Equal("PAYLOAD_TOO_LARGE", await larger.ErrorCodeAsync());
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, larger.StatusCode);
        Assert.Single((await ReadPagesAsync(client, "/api/jobs"))[0]);
        Assert.Equal("complete", (await client.WatchAsync((await largest.JsonAsync()).GetProperty("job_id").GetGuid()))[^1].Kind);
    }

    private static Task<HttpResponseMessage> PostAsync(HttpClient client, int length, bool chunked)
    {
        var bytes = new byte[length];
        bytes.AsSpan().Fill((byte)' ');
        "{\"kind\":\"count\",\"input\":{\"n\":1,\"s\":\""u8.CopyTo(bytes);
        "\"}}"u8.CopyTo(bytes.AsSpan(length - 3));
        var request = new HttpRequestMessage(HttpMethod.Post, "/api/jobs") { Content = new ByteArrayContent(bytes) };
        request.Content.Headers.ContentType = new("application/json");
        request.Headers.TransferEncodingChunked = chunked;
        request.Headers.ExpectContinue = true;
        return client.SendAsync(request, Cancel);
    }

    private static async Task<List<List<Guid>>> ReadPagesAsync(HttpClient client, string path)
    {
        List<List<Guid>> pages = [];
        string? next = null;
        do
        {
            var page = await client.GetFromJsonAsync<JsonElement>(next is null ? path : $"{path}&after={next}", Cancel);
            pages.Add([.. page.GetProperty("jobs").EnumerateArray().Select(static job => job.GetProperty("job_id").GetGuid())]);
            next = page.GetProperty("next").GetString();
        }
        while (next is not null);
        return pages;
    }
}

public sealed class SqliteJobEndpointTests(SqliteJobsServer server) : JobEndpointTests(server), IClassFixture<SqliteJobsServer>;

public sealed class PostgresJobEndpointTests(PostgresJobsServer server) : JobEndpointTests(server), IClassFixture<PostgresJobsServer>;

public sealed class FullQueueTests
{
    [Fact]
    public async Task A_full_queue_answers_503_and_says_when_to_try_again()
    {
        await using var server = await ServerFixture.StartAsync(
            ["--JOB_QUEUE_PER_OWNER=2", "--JOB_CONCURRENCY=1"],
            builder => builder.Services.AddSingleton(TestKind.Of(
                static async (_, cancel) =>
                {
                    await Task.Delay(Timeout.Infinite, cancel);
                    return JobOutcome.Complete();
                },
                "endless")));
        server.Client.DefaultRequestHeaders.Add("X-API-Key", JobsServer.ApiKey);
        for (var i = 0; i < 2; i++)
        {
            await server.Client.SubmitAcceptedAsync("endless", new { });
        }

        // One runs or is about to: then there is room for one more.
        HttpResponseMessage response;
        while ((response = await server.Client.SubmitAsync(new { kind = "endless", input = new { } })).StatusCode == HttpStatusCode.Accepted)
        {
            response.Dispose();
        }

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Equal("SERVICE_UNAVAILABLE", await response.ErrorCodeAsync());
        Assert.Equal("10", response.Header("Retry-After"));
        response.Dispose();
    }
}
