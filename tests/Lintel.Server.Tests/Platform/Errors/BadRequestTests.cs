using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Lintel.Infrastructure;

namespace Lintel.Platform.Errors;

public sealed class BadRequestTests(ErrorServer server) : IClassFixture<ErrorServer>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("", "body")]
    [InlineData("{", "body")]
    [InlineData("not json", "body")]
    [InlineData("{\"name\":\"a\",}", "body")]
    [InlineData("{\"name\":\"a\"} {}", "body")]
    [InlineData("{\"name\":NaN}", "name")]
    [InlineData("[]", "body")]
    [InlineData("null", "body")]
    [InlineData("\"text\"", "body")]
    [InlineData("{\"name\":1,\"count\":1}", "name")]
    [InlineData("{\"name\":\"a\",\"count\":\"1\"}", "count")]
    [InlineData("{\"name\":\"a\",\"count\":1.5}", "count")]
    [InlineData("{\"name\":\"a\",\"count\":99999999999}", "count")]
    [InlineData("{\"name\":\"a\",\"count\":1,\"order_lines\":{}}", "order_lines")]
    [InlineData("{\"name\":\"a\",\"count\":1,\"order_lines\":[{\"article\":\"x\",\"unit_price\":1},{\"article\":\"x\",\"unit_price\":\"y\"}]}", "order_lines[1].unit_price")]
    public async Task Json_that_cannot_be_read_is_a_422_that_names_the_field(string body, string field)
    {
        using var response = await PostAsync("/fail/order", body);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        var fields = await FieldsAsync(response);
        var bad = Assert.Single(fields.EnumerateObject());
        Assert.Equal(field, bad.Name);
        Assert.DoesNotContain("System.", bad.Value.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("Lintel", bad.Value.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("[{}]")]
    [InlineData("\"x\"")]
    [InlineData("7")]
    [InlineData("null")]
    public async Task A_body_that_is_no_object_is_told_that_one_was_expected(string body)
    {
        foreach (var path in new[] { "/fail/order", "/auth/login", "/auth/register", "/api/jobs" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
            request.Headers.Add("X-API-Key", "test-static-key");
            using var response = await server.Client.SendAsync(request, Cancel);

            Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
            var bad = Assert.Single((await FieldsAsync(response)).EnumerateObject());
            Assert.Equal(("body", "Must be a JSON object."), (bad.Name, Assert.Single(bad.Value.EnumerateArray()).GetString()));
        }
    }

    [Fact]
    public async Task A_body_nested_without_end_is_refused()
    {
        using var response = await PostAsync("/fail/order", new string('[', 200_000));

        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
    }

    [Fact]
    public async Task A_good_body_with_unknown_fields_passes()
    {
        using var response = await PostAsync("/fail/order", """{"name":"a","count":1,"email":"a@example.com","order_lines":[],"unknown":{"x":1}}""");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/xml")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("nonsense")]
    [InlineData(null)]
    public async Task Other_content_types_are_a_415(string? contentType)
    {
        using var content = new ByteArrayContent("{}"u8.ToArray());
        if (contentType is not null)
        {
            content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        }

        using var response = await server.Client.PostAsync("/fail/order", content, Cancel);

        Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
        Assert.Equal("UNSUPPORTED_MEDIA_TYPE", await response.ErrorCodeAsync());
    }

    [Theory]
    [InlineData("/fail/order", 1024 * 1024 + 1, false)]
    [InlineData("/fail/order", 1024 * 1024 + 1, true)]
    [InlineData("/fail/small", 101, false)]
    [InlineData("/fail/small", 101, true)]
    public async Task A_body_over_the_limit_is_a_413(string path, int size, bool isChunked)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new StringContent("\"" + new string('a', size - 2) + "\"", new MediaTypeHeaderValue("application/json")),
        };
        request.Headers.TransferEncodingChunked = isChunked;

        // The refusal of a known length comes before the body is read; a client that is still sending might see only the closed connection.
        request.Headers.ExpectContinue = !isChunked;
        using var response = await server.Client.SendAsync(request, Cancel);

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        Assert.Equal("PAYLOAD_TOO_LARGE", await response.ErrorCodeAsync());
    }

    [Fact]
    public async Task A_body_of_just_the_limit_passes()
    {
        var start = "{\"name\":\"a\",\"count\":1,\"filler\":\"";
        using var response = await PostAsync("/fail/order", start + new string('a', 1024 * 1024 - start.Length - 2) + "\"}");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Theory]
    [InlineData("/fail/query", "number")]
    [InlineData("/fail/query?number=x", "number")]
    [InlineData("/fail/query?number=99999999999", "number")]
    [InlineData("/fail/query?number=1&id=%22x%22", "id")]
    public async Task A_query_that_cannot_be_read_is_a_422_that_names_the_parameter(string path, string field)
    {
        using var response = await server.Client.GetAsync(path, Cancel);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        Assert.Equal(field, Assert.Single((await FieldsAsync(response)).EnumerateObject()).Name);
    }

    [Fact]
    public async Task Broken_chunks_are_refused_without_a_500()
    {
        var received = await RawHttp.SendAsync(
            server.BaseAddress,
            "POST /fail/order HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 400 ", received, StringComparison.Ordinal);
        Assert.Contains("\"code\":\"BAD_REQUEST\"", received, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/%2e%2e/%2e%2e/etc/passwd")]
    [InlineData("/..%2f..%2fetc%2fpasswd")]
    [InlineData("/health%2fready")]
    [InlineData("/health/%5c..%5c")]
    [InlineData("/%0d%0aX-Evil:%20yes")]
    [InlineData("/%e2%80%a8%1b%5b31m")]
    [InlineData("/docs/..%2f..%2fLintel.Server.dll")]
    [InlineData("/docs/page.html")]
    [InlineData("/%ff%fe")]
    [InlineData("//health")]
    public async Task Paths_full_of_tricks_are_plainly_not_found(string target)
    {
        var received = await RawHttp.SendAsync(server.BaseAddress, RawHttp.Get(target));

        Assert.StartsWith("HTTP/1.1 404 ", received, StringComparison.Ordinal);
        Assert.Contains("\"code\":\"NOT_FOUND\"", received, StringComparison.Ordinal);
        Assert.DoesNotContain("\nX-Evil", received, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("GET /%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "400")]
    [InlineData("GET /health HTTP/1.1\r\nHost: x\r\nX-Request-ID: a\rb\r\nConnection: close\r\n\r\n", "400")]
    [InlineData("GET /health HTTP/1.1\r\nHost: x\r\nX-Request-ID: a\u0000b\r\nConnection: close\r\n\r\n", "400")]
    [InlineData("GET /health HTTP/1.1\r\nConnection: close\r\n\r\n", "400")]
    [InlineData("nonsense\r\n\r\n", "400")]
    public async Task What_is_no_http_is_refused_before_there_is_a_request(string request, string status)
    {
        Assert.StartsWith($"HTTP/1.1 {status} ", await RawHttp.SendAsync(server.BaseAddress, request), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Oversized_headers_are_refused()
    {
        var many = string.Concat(Enumerable.Range(0, 101).Select(static i => $"X-Header-{i}: x\r\n"));
        var large = $"X-Large: {new string('x', 33 * 1024)}\r\n";
        var line = new string('x', 65 * 1024);

        Assert.StartsWith("HTTP/1.1 431 ", await RawHttp.SendAsync(server.BaseAddress, $"GET /health HTTP/1.1\r\nHost: x\r\n{many}\r\n"), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 431 ", await RawHttp.SendAsync(server.BaseAddress, $"GET /health HTTP/1.1\r\nHost: x\r\n{large}\r\n"), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 414 ", await RawHttp.SendAsync(server.BaseAddress, $"GET /{line} HTTP/1.1\r\nHost: x\r\n\r\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_header_split_by_a_line_feed_makes_no_header_of_ours()
    {
        var received = await RawHttp.SendAsync(server.BaseAddress, RawHttp.Get("/health", "X-Request-ID: a\nX-Evil: yes"));

        Assert.StartsWith("HTTP/1.1 ", received, StringComparison.Ordinal);
        Assert.DoesNotContain("X-Evil", received, StringComparison.OrdinalIgnoreCase);
    }

    private async Task<HttpResponseMessage> PostAsync(string path, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        return await server.Client.PostAsync(path, content, Cancel);
    }

    private static async Task<JsonElement> FieldsAsync(HttpResponseMessage response) =>
        (await response.JsonAsync()).GetProperty("error").GetProperty("details").GetProperty("fields");
}
