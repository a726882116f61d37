using System.Net;
using System.Text.RegularExpressions;
using Lintel.Infrastructure;

namespace Lintel.Platform.Telemetry;

public sealed partial class RequestIdTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("a")]
    [InlineData("My-Trace_1.2")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public async Task A_proper_id_is_echoed(string id)
    {
        using var response = await SendAsync("/health", id);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(id, Assert.Single(response.Headers.GetValues("X-Request-ID")));
    }

    [Theory]
    [InlineData("has space")]
    [InlineData("semi;colon")]
    [InlineData("quote\"")]
    [InlineData("<script>")]
    [InlineData("")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public async Task A_hostile_id_is_replaced_by_our_own(string id)
    {
        using var response = await SendAsync("/health", id);

        Assert.Matches(OwnId(), Assert.Single(response.Headers.GetValues("X-Request-ID")));
    }

    [Theory]
    [InlineData("X-Request-ID: caf\u00e9")]
    [InlineData("X-Request-ID: caf\u00c3\u00a9")]
    [InlineData("X-Request-ID: one\r\nX-Request-ID: two")]
    [InlineData("X-Request-ID: a\tb")]
    [InlineData("X-Request-ID: ../../etc/passwd")]
    [InlineData("X-Request-ID: ${jndi:ldap://x}")]
    public async Task Bytes_that_no_client_library_sends_never_come_back(string headers)
    {
        var received = await RawHttp.SendAsync(server.BaseAddress, RawHttp.Get("/health", headers));

        // Kestrel may refuse the bytes itself; else the id is our own.
        if (!received.StartsWith("HTTP/1.1 400 ", StringComparison.Ordinal))
        {
            var sent = received.Split("\r\n").Single(static line => line.StartsWith("X-Request-ID: ", StringComparison.Ordinal));
            Assert.Matches(OwnId(), sent["X-Request-ID: ".Length..]);
        }
    }

    [Fact]
    public async Task Every_response_and_every_log_line_of_the_request_has_it()
    {
        var id = "trace-" + Guid.CreateVersion7().ToString("N");
        using var response = await SendAsync("/no/such/route", id);

        Assert.Equal(id, Assert.Single(response.Headers.GetValues("X-Request-ID")));
        Assert.Equal(id, (await response.JsonAsync()).GetProperty("request_id").GetString());
        Assert.Equal(
            ["Request started", "Request finished"],
            (await server.Log.OfRequestAsync(id, Cancel)).Select(static line => line.GetProperty("message").GetString()));
    }

    private async Task<HttpResponseMessage> SendAsync(string path, string id)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation("X-Request-ID", id);
        return await server.Client.SendAsync(request, Cancel);
    }

    [GeneratedRegex("^[0-9a-f]{32}$", RegexOptions.NonBacktracking)]
    private static partial Regex OwnId();
}
