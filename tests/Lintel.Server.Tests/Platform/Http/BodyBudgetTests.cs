using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using Lintel.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Platform.Http;

/// <summary>What large request bodies may take together.</summary>
public sealed class BodyBudgetTests
{
    private const int Megabyte = 1024 * 1024;
    private const int Room = 64 * Megabyte;
    private const string Kind = "{\"kind\":\"batch-design\",\"input\":";
    private const string Beams = "[{\"width\":300,\"depth\":500,\"moment\":120,\"shear\":80,\"fck\":25,\"fy\":500,\"cover\":40}]";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task When_a_caller_s_large_bodies_have_taken_its_half_another_waits_and_is_then_refused_and_small_ones_pass()
    {
        await using var server = await StartAsync();
        using var first = await BeginAsync(server, 15 * Megabyte);
        using var second = await BeginAsync(server, 15 * Megabyte);
        Assert.Equal(Room - (30 * Megabyte), Available(server));

        using var refused = await PostAsync(server, "/api/jobs", Kind + Beams + new string(' ', 3 * Megabyte) + "}");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.Equal("SERVICE_UNAVAILABLE", await refused.ErrorCodeAsync());
        Assert.NotNull(refused.Headers.RetryAfter);
        using var chunked = await PostAsync(server, "/stream/batch-design", Beams + new string(' ', 3 * Megabyte), isChunked: true);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, chunked.StatusCode);
        using var small = await PostAsync(server, "/api/jobs", Kind + Beams + "}");
        Assert.Equal(HttpStatusCode.Accepted, small.StatusCode);

        // Room that becomes free goes to who waits for it.
        var waiting = PostAsync(server, "/api/jobs", Kind + Beams + new string(' ', 3 * Megabyte) + "}");
        second.Dispose();
        using var accepted = await waiting;
        Assert.Equal(HttpStatusCode.Accepted, accepted.StatusCode);
    }

    [Theory]
    [InlineData("/api/jobs", Kind + Beams, "}", HttpStatusCode.Accepted)]
    [InlineData("/api/jobs", "[", "", HttpStatusCode.UnprocessableEntity)]
    [InlineData("/stream/batch-design", "[]", "", HttpStatusCode.OK)]
    public async Task The_room_is_free_again_after_each_answer(string path, string start, string end, HttpStatusCode status)
    {
        await using var server = await StartAsync();
        foreach (var isChunked in new[] { false, true })
        {
            using var response = await PostAsync(server, path, start + new string(' ', 12 * Megabyte) + end, isChunked);

            Assert.Equal(status, response.StatusCode);
            Assert.Equal(Room, Available(server));
        }
    }

    [Fact]
    public async Task Whoever_watches_a_batch_no_longer_holds_its_body()
    {
        await using var server = await StartAsync();
        var beams = "[" + string.Join(',', Enumerable.Repeat(Beams[1..^1], 20_000)) + "]";
        using var request = Request("/stream/batch-design", beams, isChunked: false);
        using var response = await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancel);

        // The stream is not read, so it cannot have ended.
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(Room, Available(server));
    }

    [Fact]
    public async Task A_large_body_that_does_not_come_gives_its_room_back_after_two_minutes()
    {
        var clock = new HandWoundClock(TimeSpan.FromMinutes(2));
        await using var server = await ServerFixture.StartAsync(["--REQUEST_BODY_MEMORY_MB=64"], builder => builder.Services.AddSingleton<TimeProvider>(clock));
        using var slow = await BeginAsync(server, 15 * Megabyte);
        Assert.Equal(Room - (15 * Megabyte), Available(server));

        clock.Fire();
        var received = await RawHttp.ReadToEndAsync(slow.GetStream());

        Assert.StartsWith("HTTP/1.1 408 ", received, StringComparison.Ordinal);
        Assert.Equal(Room, Available(server));
    }

    [Fact]
    public async Task One_caller_s_large_bodies_leave_room_for_another_s()
    {
        await using var server = await ServerFixture.StartAsync(["--REQUEST_BODY_MEMORY_MB=64", "--PASSWORD_HASH_ITERATIONS=10000"]);
        using var first = await BeginAsync(server, 16 * Megabyte);
        using var second = await BeginAsync(server, 16 * Megabyte);
        var account = new { email = "other@example.com", password = "correct horse battery" };
        using var registered = await server.Client.PostAsJsonAsync("/auth/register", account, Cancel);
        using var signedIn = await server.Client.PostAsJsonAsync("/auth/login", account, Cancel);
        var token = (await signedIn.Content.ReadFromJsonAsync<System.Text.Json.JsonElement>(Cancel)).GetProperty("access_token").GetString();

        using var request = Request("/api/jobs", Kind + Beams + new string(' ', 15 * Megabyte) + "}", isChunked: false);
        request.Headers.Remove("X-API-Key");
        request.Headers.Authorization = new("Bearer", token);
        using var response = await server.Client.SendAsync(request, Cancel);

        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
    }

    private static Task<ServerFixture> StartAsync() => ServerFixture.StartAsync(["--REQUEST_BODY_MEMORY_MB=64"]);

    private static long Available(ServerFixture server) => server.Services.GetRequiredService<BodyBudget>().Available;

    /// <summary>Begins a request whose body does not come. The server asks for it when it has made room.</summary>
    private static async Task<TcpClient> BeginAsync(ServerFixture server, int length)
    {
        var client = new TcpClient();
        await client.ConnectAsync(server.BaseAddress.Host, server.BaseAddress.Port, Cancel);
        var request = string.Create(
            CultureInfo.InvariantCulture,
            $"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nX-API-Key: test-static-key\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n\r\n");
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request), Cancel);
        var answer = new byte[25];
        await client.GetStream().ReadExactlyAsync(answer, Cancel);
        Assert.Equal("HTTP/1.1 100 Continue\r\n\r\n", Encoding.ASCII.GetString(answer));
        return client;
    }

    private static async Task<HttpResponseMessage> PostAsync(ServerFixture server, string path, string body, bool isChunked = false)
    {
        using var request = Request(path, body, isChunked);
        return await server.Client.SendAsync(request, Cancel);
    }

    private static HttpRequestMessage Request(string path, string body, bool isChunked)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Add("X-API-Key", "test-static-key");
        request.Headers.TransferEncodingChunked = isChunked;

        // A refusal comes before the body is read; a client that is still sending might see only the closed connection.
        request.Headers.ExpectContinue = !isChunked;
        return request;
    }

    /// <summary>The system's clock, but for timers of one length, which the test sets off.</summary>
    private sealed class HandWoundClock(TimeSpan length) : TimeProvider
    {
        private readonly ConcurrentQueue<Action> _waiting = new();

        public void Fire()
        {
            while (_waiting.TryDequeue(out var callback))
            {
                callback();
            }
        }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime != length)
            {
                return base.CreateTimer(callback, state, dueTime, period);
            }

            _waiting.Enqueue(() => callback(state));
            return base.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }
}
