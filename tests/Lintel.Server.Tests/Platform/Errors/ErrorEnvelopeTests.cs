using System.Net;
using System.Text;
using Lintel.Infrastructure;
using Microsoft.AspNetCore.Builder;

namespace Lintel.Platform.Errors;

public sealed class ErrorEnvelopeTests(ErrorServer server) : IClassFixture<ErrorServer>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("GET", "/", 404, "NOT_FOUND")]
    [InlineData("GET", "/no/such/route", 404, "NOT_FOUND")]
    [InlineData("BREW", "/no/such/route", 404, "NOT_FOUND")]
    [InlineData("GET", "/HEALTH/nothing", 404, "NOT_FOUND")]
    [InlineData("POST", "/health", 405, "METHOD_NOT_ALLOWED")]
    [InlineData("DELETE", "/health", 405, "METHOD_NOT_ALLOWED")]
    [InlineData("BREW", "/health", 405, "METHOD_NOT_ALLOWED")]
    [InlineData("GET", "/fail/bug", 500, "INTERNAL_ERROR")]
    [InlineData("GET", "/fail/outage", 503, "SERVICE_UNAVAILABLE")]
    [InlineData("GET", "/fail/status/401", 401, "AUTH_ERROR")]
    [InlineData("GET", "/fail/status/403", 403, "FORBIDDEN")]
    [InlineData("GET", "/fail/status/406", 406, "NOT_ACCEPTABLE")]
    [InlineData("GET", "/fail/status/409", 409, "CONFLICT")]
    [InlineData("GET", "/fail/status/413", 413, "PAYLOAD_TOO_LARGE")]
    [InlineData("GET", "/fail/status/415", 415, "UNSUPPORTED_MEDIA_TYPE")]
    [InlineData("GET", "/fail/status/422", 422, "VALIDATION_ERROR")]
    [InlineData("GET", "/fail/status/429", 429, "RATE_LIMITED")]
    [InlineData("GET", "/fail/status/418", 418, "BAD_REQUEST")]
    [InlineData("GET", "/fail/status/502", 502, "INTERNAL_ERROR")]
    public async Task Every_failure_has_the_one_shape(string method, string path, int status, string code)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        using var response = await server.Client.SendAsync(request, Cancel);

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal("application/json", response.Content.Headers.ContentType?.ToString());
        Assert.Equal("no-store", response.Header("Cache-Control"));
        var body = await response.JsonAsync();
        Assert.Equal(["error", "request_id"], body.EnumerateObject().Select(static member => member.Name));
        Assert.Equal(["code", "message", "details"], body.GetProperty("error").EnumerateObject().Select(static member => member.Name));
        Assert.Equal(code, body.GetProperty("error").GetProperty("code").GetString());
        Assert.NotEqual("", body.GetProperty("error").GetProperty("message").GetString());
        Assert.Equal(response.Header("X-Request-ID"), body.GetProperty("request_id").GetString());
    }

    [Fact]
    public async Task A_refused_method_is_told_which_are_allowed()
    {
        using var response = await server.Client.PostAsync("/health", null, Cancel);

        Assert.Equal(["GET", "HEAD"], response.Content.Headers.Allow.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_missing_credential_is_asked_for_as_a_bearer_token()
    {
        using var response = await server.Client.GetAsync("/fail/status/401", Cancel);

        Assert.Equal("Bearer", response.Headers.WwwAuthenticate.ToString());
    }

    [Fact]
    public async Task An_outage_says_when_to_come_back()
    {
        using var response = await server.Client.GetAsync("/fail/outage", Cancel);

        Assert.Equal("7", response.Header("Retry-After"));
        Assert.Equal("The disk is full.", (await response.JsonAsync()).GetProperty("error").GetProperty("message").GetString());
    }

    [Fact]
    public async Task A_body_that_the_route_wrote_itself_is_left_alone()
    {
        Assert.Equal("mine", await (await server.Client.GetAsync("/fail/own-body", Cancel)).Content.ReadAsStringAsync(Cancel));
    }

    [Fact]
    public async Task A_bug_leaks_nothing_to_the_client_and_everything_to_the_log()
    {
        using var response = await server.Client.GetAsync("/fail/bug?token=abc", Cancel);
        var text = await response.Content.ReadAsStringAsync(Cancel);

        Assert.DoesNotContain(ErrorServer.Secret, text, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", text, StringComparison.Ordinal);
        Assert.DoesNotContain(" at ", text, StringComparison.Ordinal);

        var id = response.Header("X-Request-ID");
        var logged = await server.Log.WaitForAsync(line => line.GetProperty("name").GetString() == "app.errors" && line.GetProperty("request_id").GetString() == id, Cancel);
        Assert.Equal("ERROR", logged.GetProperty("level").GetString());
        Assert.Equal("System.InvalidOperationException", logged.GetProperty("exception").GetString());
        Assert.Contains(ErrorServer.Secret, logged.GetProperty("stack").GetString(), StringComparison.Ordinal);
        Assert.Contains("ErrorServer", logged.GetProperty("stack").GetString(), StringComparison.Ordinal);
        var finished = (await server.Log.OfRequestAsync(id, Cancel))[^1];
        Assert.Equal(("ERROR", 500), (finished.GetProperty("level").GetString(), finished.GetProperty("status_code").GetInt32()));
    }

    [Fact]
    public async Task Development_leaks_no_more_than_production()
    {
        await using var development = await ServerFixture.StartAsync(["--environment=Development", "--DEBUG=true"], map: static app =>
            app.MapGet("/bug", string () => throw new InvalidOperationException(ErrorServer.Secret)));

        using var response = await development.Client.GetAsync("/bug", Cancel);

        Assert.Equal("INTERNAL_ERROR", await response.ErrorCodeAsync());
        Assert.DoesNotContain(ErrorServer.Secret, await response.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_described_the_body_that_never_came_is_forgotten()
    {
        using var response = await server.Client.GetAsync("/fail/prepared", Cancel);

        Assert.Equal("INTERNAL_ERROR", await response.ErrorCodeAsync());
        Assert.Null(response.Headers.ETag);
        Assert.Null(response.Content.Headers.ContentDisposition);
        Assert.False(response.Headers.Contains("Set-Cookie"));
        Assert.True(response.Headers.Contains("X-Content-Type-Options"));
    }

    [Fact]
    public async Task A_response_that_fails_half_way_is_cut_off_and_not_completed_with_an_error()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/fail/half");
        request.Headers.Add("X-Request-ID", "half-way");
        using var response = await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancel);
        await using var body = await response.Content.ReadAsStreamAsync(Cancel);
        var first = new byte[5];
        await body.ReadExactlyAsync(first, Cancel);
        ErrorServer.HalfArrived.SetResult();

        // The last chunk, which would make it look whole, never comes.
        await Assert.ThrowsAnyAsync<IOException>(async () => Assert.NotEqual(0, await body.ReadAsync(new byte[1], Cancel)));
        Assert.Equal("[1,2,"u8, first);
        var finished = (await server.Log.OfRequestAsync("half-way", Cancel))[^1];
        Assert.Equal("ERROR", finished.GetProperty("level").GetString());
    }

    [Fact]
    public async Task A_client_that_leaves_is_no_error()
    {
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/fail/wait");
        request.Headers.Add("X-Request-ID", "leaver");
        var pending = server.Client.SendAsync(request, leaving.Token);
        await ErrorServer.Waiting.Task.WaitAsync(Cancel);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pending);

        var lines = await server.Log.OfRequestAsync("leaver", Cancel);

        Assert.Equal(499, lines[^1].GetProperty("status_code").GetInt32());
        Assert.All(lines, static line => Assert.Equal("INFO", line.GetProperty("level").GetString()));
    }

    [Theory]
    [InlineData("application/problem+json", true)]
    [InlineData("text/html, application/problem+json;q=0.5", true)]
    [InlineData("application/json, application/problem+json", true)]
    [InlineData("application/json;q=0.5, application/problem+json;q=0.4", false)]
    [InlineData("application/problem+json;q=0", false)]
    [InlineData("application/json", false)]
    [InlineData("*/*", false)]
    [InlineData("text/html", false)]
    [InlineData("problem+json", false)]
    [InlineData(";;;application/problem+json,,,q=\"", true)]
    [InlineData("", false)]
    public async Task Clients_that_ask_for_problem_details_get_them(string accept, bool isProblem)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/no/such/route");
        request.Headers.TryAddWithoutValidation("Accept", accept);
        using var response = await server.Client.SendAsync(request, Cancel);

        Assert.Equal(isProblem ? "application/problem+json" : "application/json", response.Content.Headers.ContentType?.ToString());
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Fact]
    public async Task Problem_details_hold_the_same_facts()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/auth/register") { Content = Json("""{"email":"nobody","password":"short"}""") };
        request.Headers.Add("Accept", "application/problem+json");
        using var response = await server.Client.SendAsync(request, Cancel);
        var problem = await response.JsonAsync();

        Assert.Equal("urn:lintel:error:VALIDATION_ERROR", problem.GetProperty("type").GetString());
        Assert.Equal("Unprocessable Entity", problem.GetProperty("title").GetString());
        Assert.Equal(422, problem.GetProperty("status").GetInt32());
        Assert.Equal("The request is not valid.", problem.GetProperty("detail").GetString());
        Assert.Equal("VALIDATION_ERROR", problem.GetProperty("code").GetString());
        Assert.Equal(response.Header("X-Request-ID"), problem.GetProperty("request_id").GetString());
        Assert.Equal(["email", "password"], problem.GetProperty("details").GetProperty("fields").EnumerateObject().Select(static field => field.Name));
    }

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");
}
