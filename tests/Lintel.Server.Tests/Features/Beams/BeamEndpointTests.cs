using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Lintel.Features.Jobs;
using Lintel.Infrastructure;

namespace Lintel.Features.Beams;

/// <summary>One beam at a time: <c>/api/beams/design</c> and <c>/api/beams/check</c>.</summary>
public sealed class BeamEndpointTests(SqliteBeamsServer server) : IClassFixture<SqliteBeamsServer>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("design", """{"width":300,"depth":500,"moment":150,"shear":75,"fck":25,"fy":500}""")]
    [InlineData("design", """{"width":250,"depth":900,"moment":9000,"shear":5000,"stirrup_dia_mm":10}""")]
    [InlineData("design", "{}")]
    [InlineData("check", """{"effective_depth":440,"cases":[{"mu_knm":10,"vu_kn":10},{"case_id":"wind","mu_knm":100,"vu_kn":5}]}""")]
    public async Task The_answer_is_the_result_object_of_the_live_socket(string operation, string parameters)
    {
        using var client = server.CreateMachine();
        using var response = await PostAsync(client, operation, parameters);
        await using var socket = await SocketClient.OpenAsync(server.SocketAddress("/ws/design/rest"), "X-API-Key", JobsServer.ApiKey);
        await socket.SendAsync($$"""{"type":"{{operation}}_beam","params":{{parameters}}}""");
        var live = (await socket.ReceiveAsync())!.Value;

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("application/json; charset=utf-8", response.Content.Headers.ContentType!.ToString());
        Assert.Equal($"{operation}_result", live.GetProperty("type").GetString());
        Assert.Equal(live.GetProperty("data").GetRawText(), await response.Content.ReadAsStringAsync(Cancel));
    }

    [Fact]
    public async Task A_design_refuses_a_negative_action_and_a_check_takes_its_magnitude()
    {
        using var client = server.CreateMachine();
        using var refused = await PostAsync(client, "design", """{"moment":-100,"shear":-1}""");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
        var fields = (await refused.JsonAsync()).GetProperty("error").GetProperty("details").GetProperty("fields");
        Assert.Equal(["moment", "shear"], fields.EnumerateObject().Select(static field => field.Name));

        using var hogging = await PostAsync(client, "check", """{"cases":[{"mu_knm":-100,"vu_kn":-50}]}""");
        using var sagging = await PostAsync(client, "check", """{"cases":[{"mu_knm":100,"vu_kn":50}]}""");
        Assert.Equal(Utilization(await sagging.JsonAsync()), Utilization(await hogging.JsonAsync()));
    }

    [Theory]
    [InlineData("check", "{}", "cases")]
    [InlineData("check", """{"cases":[{"mu_knm":1}]}""", "cases[0].vu_kn")]
    [InlineData("design", """{"width":1,"depth":500}""", "width")]
    public async Task What_is_wrong_is_told_by_field(string operation, string parameters, string field)
    {
        using var client = server.CreateMachine();
        using var response = await PostAsync(client, operation, parameters);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        var error = (await response.JsonAsync()).GetProperty("error");
        Assert.Equal("VALIDATION_ERROR", error.GetProperty("code").GetString());
        Assert.NotEmpty(error.GetProperty("details").GetProperty("fields").GetProperty(field).EnumerateArray());
    }

    [Theory]
    [InlineData("application/json", "{", HttpStatusCode.UnprocessableEntity, "VALIDATION_ERROR")]
    [InlineData("application/json", "", HttpStatusCode.UnprocessableEntity, "VALIDATION_ERROR")]
    [InlineData("text/plain", "{}", HttpStatusCode.UnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE")]
    public async Task What_is_not_JSON_is_refused(string type, string body, HttpStatusCode status, string code)
    {
        using var client = server.CreateMachine();
        foreach (var operation in new[] { "design", "check" })
        {
            using var response = await PostAsync(client, operation, body, type);

            Assert.Equal((status, code), (response.StatusCode, await response.ErrorCodeAsync()));
            Assert.NotEmpty(response.Header("X-RateLimit-Remaining"));
        }
    }

    private static Task<HttpResponseMessage> PostAsync(HttpClient client, string operation, string body, string type = "application/json") =>
        client.PostAsync(new Uri($"/api/beams/{operation}", UriKind.Relative), new StringContent(body, new MediaTypeHeaderValue(type)), Cancel);

    private static double Utilization(JsonElement check) => check.GetProperty("governing_utilization").GetDouble();
}
