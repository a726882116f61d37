using System.Net;
using System.Net.Http.Headers;
using Lintel.Features.Jobs;
using Lintel.Infrastructure;

namespace Lintel.Features.Beams;

/// <summary>Batches that are not begun: what is wrong with the beams is an event, all else the envelope.</summary>
public abstract class BatchRefusalTests(BeamsServer server)
{
    private const int MaxBody = 16 * 1024 * 1024;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("", "Invalid JSON at line 1, byte 1")]
    [InlineData("nonsense", "Invalid JSON at line 1, byte 2")]
    [InlineData("[{\"width\":300}", "Invalid JSON at line 1, byte 15")]
    [InlineData("[]", "No beams provided: beams must be a non-empty array")]
    [InlineData("{\"beams\":[]}", "No beams provided: beams must be a non-empty array")]
    [InlineData("{}", "beams must be a JSON array")]
    [InlineData("7", "beams must be a JSON array")]
    public async Task What_is_no_array_of_beams_is_answered_with_one_error_event(string beams, string message)
    {
        using var client = await server.SignInAsync();
        foreach (var request in new[] { BatchRequests.Post(beams), BatchRequests.Get(beams) })
        {
            var events = await client.ReadBatchAsync(request);

            Assert.Equal(new SseEvent(null, "error", $$"""{"message":"{{message}}"}"""), Assert.Single(events));
        }

        Assert.Empty(await client.JobIdsAsync());
    }

    [Fact]
    public async Task The_older_form_without_any_beams_is_answered_so_too()
    {
        using var client = await server.SignInAsync();

        Assert.Equal("error", Assert.Single(await client.ReadBatchAsync(BatchRequests.Get(null))).Kind);
    }

    [Fact]
    public async Task A_batch_may_have_100_000_beams_and_not_one_more()
    {
        using var client = await server.SignInAsync();
        static string Beams(int count) => "[{\"gate\":\"never\"}" + string.Concat(Enumerable.Repeat(",{}", count - 1)) + "]";
        await using (var accepted = await SseClient.OpenAsync(client, BatchRequests.Post(Beams(100_000))))
        {
            var id = Assert.Single(await client.JobIdsAsync());
            Assert.Equal(100_000, (await client.BatchAsync(id)).GetProperty("progress").GetProperty("total").GetInt32());
            using var cancelled = await client.DeleteAsync(new Uri($"/api/jobs/{id}", UriKind.Relative), Cancel);
        }

        var refused = Assert.Single(await client.ReadBatchAsync(BatchRequests.Post(Beams(100_001))));

        Assert.Equal(new SseEvent(null, "error", """{"message":"Too many beams: at most 100000 are designed in one batch"}"""), refused);
    }

    [Theory]
    [InlineData("POST", BatchRequests.Path)]
    [InlineData("GET", BatchRequests.Path)]
    [InlineData("GET", "/stream/job/0197a1b2-0000-7000-8000-000000000000")]
    [InlineData("GET", "/stream/progress/0197a1b2-0000-7000-8000-000000000000")]
    [InlineData("POST", "/api/beams/design")]
    [InlineData("POST", "/api/beams/check")]
    public async Task Every_route_needs_a_caller_with_the_scope_design(string method, string path)
    {
        using var nobody = await SendAsync(server.Client, method, path);
        Assert.Equal((HttpStatusCode.Unauthorized, "AUTH_ERROR"), (nobody.StatusCode, await nobody.ErrorCodeAsync()));
        Assert.Equal("Bearer", nobody.Headers.WwwAuthenticate.ToString());

        using var stranger = server.CreateClient("nonsense");
        using var unknown = await SendAsync(stranger, method, path);
        Assert.Equal((HttpStatusCode.Unauthorized, "AUTH_TOKEN_INVALID"), (unknown.StatusCode, await unknown.ErrorCodeAsync()));

        using var chatter = server.CreateClient(await server.ScopedTokenAsync("chat", "tasks", "files", "execute"));
        using var forbidden = await SendAsync(chatter, method, path);
        Assert.Equal((HttpStatusCode.Forbidden, "FORBIDDEN"), (forbidden.StatusCode, await forbidden.ErrorCodeAsync()));

        using var designer = server.CreateClient(await server.ScopedTokenAsync("design"));
        using var allowed = await SendAsync(designer, method, path);
        Assert.Contains(allowed.StatusCode, new[] { HttpStatusCode.OK, HttpStatusCode.NotFound });

        using var machine = server.CreateMachine();
        using var key = await SendAsync(machine, method, path);
        Assert.Equal(allowed.StatusCode, key.StatusCode);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_body_of_16_MB_is_read_and_a_larger_one_refused(bool isChunked)
    {
        using var client = await server.SignInAsync();

        // What chunks have about them counts too.
        using var largest = Padded(isChunked ? MaxBody - (64 * 1024) : MaxBody, isChunked);
        Assert.Equal("error", Assert.Single(await client.ReadBatchAsync(largest)).Kind);

        using var larger = Padded(MaxBody + 1, isChunked);
        larger.Headers.ExpectContinue = true;
        using var refused = await client.SendAsync(larger, Cancel);

        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "PAYLOAD_TOO_LARGE"), (refused.StatusCode, await refused.ErrorCodeAsync()));
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData(null)]
    public async Task A_body_that_does_not_claim_to_be_JSON_is_refused(string? type)
    {
        using var client = await server.SignInAsync();
        using var request = BatchRequests.Post(BatchRequests.Beams(1));
        request.Content!.Headers.ContentType = type is null ? null : new MediaTypeHeaderValue(type);
        using var refused = await client.SendAsync(request, Cancel);

        Assert.Equal((HttpStatusCode.UnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE"), (refused.StatusCode, await refused.ErrorCodeAsync()));
        Assert.NotEmpty(refused.Header("X-RateLimit-Remaining"));
    }

    private static HttpRequestMessage Padded(int length, bool isChunked)
    {
        var request = BatchRequests.Post("[]" + new string(' ', length - 2));
        request.Headers.TransferEncodingChunked = isChunked;
        return request;
    }

    private static Task<HttpResponseMessage> SendAsync(HttpClient client, string method, string path)
    {
        var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (method == "POST")
        {
            var body = path == BatchRequests.Path ? "[]" : """{"cases":[{"mu_knm":10,"vu_kn":10}]}""";
            request.Content = new StringContent(body, new MediaTypeHeaderValue("application/json"));
        }

        return client.SendAsync(request, Cancel);
    }
}

public sealed class SqliteBatchRefusalTests(SqliteBeamsServer server) : BatchRefusalTests(server), IClassFixture<SqliteBeamsServer>
{
    [Theory]
    [InlineData("POST")]
    [InlineData("GET")]
    public async Task Beyond_its_rate_a_caller_is_refused_and_every_answer_tells_the_limits(string form)
    {
        await using var limited = await ServerFixture.StartAsync(["--RATE_LIMIT_REQUESTS=2"]);
        limited.Client.DefaultRequestHeaders.Add("X-API-Key", JobsServer.ApiKey);
        HttpRequestMessage Request() => form == "POST" ? BatchRequests.Post(BatchRequests.Beams(1)) : BatchRequests.Get(BatchRequests.Beams(1));

        foreach (var remaining in new[] { "1", "0" })
        {
            await using var stream = await SseClient.OpenAsync(limited.Client, Request());
            Assert.Equal(("2", remaining, "60"), Limits(stream.Response));
            Assert.Equal("complete", (await stream.ReadToEndAsync())[^1].Kind);
        }

        using var refused = await limited.Client.SendAsync(Request(), TestContext.Current.CancellationToken);
        Assert.Equal((HttpStatusCode.TooManyRequests, "RATE_LIMITED"), (refused.StatusCode, await refused.ErrorCodeAsync()));
        Assert.Equal(("2", "0", "60"), Limits(refused));
        Assert.InRange(int.Parse(refused.Header("Retry-After")), 1, 60);
    }

    private static (string Limit, string Remaining, string Window) Limits(HttpResponseMessage response) =>
        (response.Header("X-RateLimit-Limit"), response.Header("X-RateLimit-Remaining"), response.Header("X-RateLimit-Window"));
}

public sealed class PostgresBatchRefusalTests(PostgresBeamsServer server) : BatchRefusalTests(server), IClassFixture<PostgresBeamsServer>;
