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
