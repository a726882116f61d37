using System.Net;
using Lintel.Infrastructure;

namespace Lintel.Features.Files;

/// <summary>How files are got: in parts, not again, and never as a page that runs anything.</summary>
public abstract class FileDownloadTests(FilesServer server)
{
    private static readonly byte[] Png = [0x89, .. "PNG\r\n\x1A\n"u8, .. Uploader.Bytes(600)];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("a.png", "image/png", "inline")]
    [InlineData("a.html", "text/html", "attachment")]
    [InlineData("a.svg", "image/svg+xml", "attachment")]
    [InlineData("a.txt", "text/plain", "inline")]
    public async Task Only_what_runs_nothing_is_shown_and_nothing_may_run(string filename, string type, string disposition)
    {
        using var mason = await Uploader.NewAsync(server);
        var content = type == "image/png" ? Png : "<svg onload='alert(1)' xmlns='http://www.w3.org/2000/svg'/>"u8.ToArray();
        var file = await mason.UploadAsync(content, filename, type);
        using var response = await mason.GetAsync(Uploader.Id(file));

        Assert.Equal((disposition, type), (response.Content.Headers.ContentDisposition!.DispositionType, response.Content.Headers.ContentType!.MediaType));
        Assert.Equal("nosniff", response.Header("X-Content-Type-Options"));
        Assert.Contains("default-src 'none'", response.Header("Content-Security-Policy"), StringComparison.Ordinal);
        Assert.Contains("sandbox", response.Header("Content-Security-Policy"), StringComparison.Ordinal);
        Assert.Equal("DENY", response.Header("X-Frame-Options"));
    }

    [Theory]
    [InlineData("bytes=0-0", 0, 1)]
    [InlineData("bytes=10-19", 10, 10)]
    [InlineData("bytes=999-", 999, 1)]
    [InlineData("bytes=-5", 995, 5)]
    [InlineData("bytes=-5000", 0, 1000)]
    [InlineData("bytes=990-2000", 990, 10)]
    public async Task A_part_of_a_file_is_206(string range, int from, int length)
    {
        using var mason = await Uploader.NewAsync(server);
        var content = Uploader.Bytes(1000);
        var id = Uploader.Id(await mason.UploadAsync(content));
        using var response = await mason.GetAsync(id, ("Range", range));

        Assert.Equal(HttpStatusCode.PartialContent, response.StatusCode);
        Assert.Equal($"bytes {from}-{from + length - 1}/1000", response.Content.Headers.ContentRange!.ToString());
        Assert.Equal(content[from..(from + length)], await response.Content.ReadAsByteArrayAsync(Cancel));
    }

    [Theory]
    [InlineData("bytes=1000-")]
    [InlineData("bytes=5000-6000")]
    [InlineData("bytes=-0")]
    public async Task A_part_that_is_not_there_is_416(string range)
    {
        using var mason = await Uploader.NewAsync(server);
        var id = Uploader.Id(await mason.UploadAsync(Uploader.Bytes(1000)));
        using var response = await mason.GetAsync(id, ("Range", range));

        Assert.Equal(HttpStatusCode.RequestedRangeNotSatisfiable, response.StatusCode);
        Assert.Equal("bytes */1000", response.Content.Headers.ContentRange!.ToString());
        Assert.NotNull(await response.ErrorCodeAsync());
    }

    [Theory]
    [InlineData("bytes=0-1,5-6")]
    [InlineData("bytes=5-1")]
    [InlineData("lines=1-2")]
    [InlineData("bytes=99999999999999999999-")]
    public async Task A_range_that_is_not_understood_gets_all_of_it(string range)
    {
        using var mason = await Uploader.NewAsync(server);
        var id = Uploader.Id(await mason.UploadAsync(Uploader.Bytes(1000)));
        using var response = await mason.GetAsync(id, ("Range", range));

        Assert.Equal((HttpStatusCode.OK, 1000L), (response.StatusCode, response.Content.Headers.ContentLength));
    }

    [Fact]
    public async Task Who_has_a_file_gets_304_and_who_has_a_part_of_another_gets_all()
    {
        using var mason = await Uploader.NewAsync(server);
        var id = Uploader.Id(await mason.UploadAsync(Uploader.Bytes(1000)));
        using var first = await mason.GetAsync(id);
        var tag = first.Headers.ETag!.ToString();

        Assert.Equal($"\"{Uploader.Sha256(Uploader.Bytes(1000))}\"", tag);
        using var known = await mason.GetAsync(id, ("If-None-Match", $"\"x\", W/{tag}"));
        using var any = await mason.GetAsync(id, ("If-None-Match", "*"));
        using var other = await mason.GetAsync(id, ("If-None-Match", "\"x\""));
        using var continued = await mason.GetAsync(id, ("Range", "bytes=500-"), ("If-Range", tag));
        using var changed = await mason.GetAsync(id, ("Range", "bytes=500-"), ("If-Range", "\"x\""));
        using var mismatched = await mason.GetAsync(id, ("If-Match", "\"x\""));
        Assert.Equal(
            [HttpStatusCode.NotModified, HttpStatusCode.NotModified, HttpStatusCode.OK, HttpStatusCode.PartialContent, HttpStatusCode.OK, HttpStatusCode.PreconditionFailed],
            new[] { known, any, other, continued, changed, mismatched }.Select(static response => response.StatusCode));
        Assert.Equal(tag, known.Headers.ETag!.ToString());
        Assert.Empty(await known.Content.ReadAsByteArrayAsync(Cancel));
        using var head = await mason.SendAsync(HttpMethod.Head, $"/api/files/{id}", null);
        Assert.Equal((HttpStatusCode.OK, 1000L), (head.StatusCode, head.Content.Headers.ContentLength));
    }
}

public sealed class SqliteDiskFileDownloadTests(SqliteDiskFilesServer server) : FileDownloadTests(server), IClassFixture<SqliteDiskFilesServer>;

public sealed class PostgresDiskFileDownloadTests(PostgresDiskFilesServer server) : FileDownloadTests(server), IClassFixture<PostgresDiskFilesServer>;

public sealed class SqliteS3FileDownloadTests(SqliteS3FilesServer server) : FileDownloadTests(server), IClassFixture<SqliteS3FilesServer>;

public sealed class PostgresS3FileDownloadTests(PostgresS3FilesServer server) : FileDownloadTests(server), IClassFixture<PostgresS3FilesServer>;
