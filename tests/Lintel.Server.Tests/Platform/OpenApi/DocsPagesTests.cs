using System.IO.Compression;
using System.Net;
using System.Text.RegularExpressions;
using Lintel.Infrastructure;

namespace Lintel.Platform.OpenApi;

public sealed partial class DocsPagesTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/docs", "SwaggerUIBundle")]
    [InlineData("/redoc", "Redoc.init")]
    public async Task A_page_and_all_that_it_needs_come_from_this_server(string path, string viewer)
    {
        var page = await server.Client.GetStringAsync(path, Cancel);
        var files = Links().Matches(page).Select(static link => link.Groups["target"].Value).Where(static target => target != "data:,").ToArray();

        Assert.Contains($"{path}/page.js", files);
        foreach (var file in files)
        {
            Assert.StartsWith("/", file, StringComparison.Ordinal);
            Assert.False(file.StartsWith("//", StringComparison.Ordinal));
            using var response = await server.Client.GetAsync(file, Cancel);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.NotEmpty(await response.Content.ReadAsByteArrayAsync(Cancel));
        }

        var script = await server.Client.GetStringAsync($"{path}/page.js", Cancel);
        Assert.Contains(viewer, script, StringComparison.Ordinal);
        Assert.DoesNotContain("://", page + script, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/docs")]
    [InlineData("/redoc")]
    public async Task Its_policy_lets_it_reach_no_other_host(string path)
    {
        using var response = await server.Client.GetAsync(path, Cancel);
        var policy = response.Header("Content-Security-Policy");

        Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
        Assert.Contains("script-src 'self';", policy, StringComparison.Ordinal);
        Assert.Contains("connect-src 'self';", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("http", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("*", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe-eval", policy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/docs/swagger-ui-bundle.js", "text/javascript; charset=utf-8")]
    [InlineData("/docs/swagger-ui.css", "text/css; charset=utf-8")]
    [InlineData("/docs/favicon-32x32.png", "image/png")]
    [InlineData("/redoc/redoc.standalone.js", "text/javascript; charset=utf-8")]
    public async Task Files_come_compressed_to_those_who_want_it_and_plain_to_others(string path, string contentType)
    {
        using var plain = await server.Client.GetAsync(path, Cancel);
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("Accept-Encoding", "br, gzip");
        using var compressed = await server.Client.SendAsync(request, Cancel);
        await using var unzipped = new GZipStream(await compressed.Content.ReadAsStreamAsync(Cancel), CompressionMode.Decompress);
        var buffer = new MemoryStream();
        await unzipped.CopyToAsync(buffer, Cancel);

        Assert.Equal(contentType, plain.Content.Headers.ContentType?.ToString());
        Assert.Empty(plain.Content.Headers.ContentEncoding);
        Assert.Equal("gzip", Assert.Single(compressed.Content.Headers.ContentEncoding));
        Assert.Equal(buffer.ToArray(), await plain.Content.ReadAsByteArrayAsync(Cancel));
    }

    [Fact]
    public async Task A_file_that_the_browser_has_is_not_sent_again()
    {
        using var first = await server.Client.GetAsync("/docs/swagger-ui.css", Cancel);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/docs/swagger-ui.css");
        request.Headers.IfNoneMatch.Add(first.Headers.ETag!);
        using var second = await server.Client.SendAsync(request, Cancel);

        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
        Assert.Empty(await second.Content.ReadAsByteArrayAsync(Cancel));
    }

    [GeneratedRegex("(src|href)=\"(?<target>[^\"]*)\"", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex Links();
}
