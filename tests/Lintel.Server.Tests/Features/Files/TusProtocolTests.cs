using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Lintel.Features.ApiKeys;
using Lintel.Infrastructure;

namespace Lintel.Features.Files;

/// <summary>The words of the protocol tus 1.0: fields, statuses and extensions.</summary>
public abstract class TusProtocolTests(FilesServer server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Anybody_is_told_what_the_protocol_can_do()
    {
        using var response = await server.SendAsync(HttpMethod.Options, TusRequests.Path, null);

        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        Assert.Equal(("1.0.0", "creation,creation-with-upload,termination,expiration,checksum"), (response.Header("Tus-Version"), response.Header("Tus-Extension")));
        Assert.Equal((24 * FilesServer.Megabyte).ToString(System.Globalization.CultureInfo.InvariantCulture), response.Header("Tus-Max-Size"));
        Assert.Equal("sha1,sha256", response.Header("Tus-Checksum-Algorithm"));
    }

    [Theory]
    [InlineData("Tus-Resumable", null, HttpStatusCode.PreconditionFailed)]
    [InlineData("Tus-Resumable", "0.2.2", HttpStatusCode.PreconditionFailed)]
    [InlineData("Upload-Length", null, HttpStatusCode.UnprocessableEntity)]
    [InlineData("Upload-Length", "-1", HttpStatusCode.UnprocessableEntity)]
    [InlineData("Upload-Length", "99999999999999999999", HttpStatusCode.UnprocessableEntity)]
    [InlineData("Upload-Length", "9223372036854775807", HttpStatusCode.RequestEntityTooLarge)]
    [InlineData("Upload-Metadata", "filename ?", HttpStatusCode.UnprocessableEntity)]
    [InlineData("Upload-Metadata", "filename /w==", HttpStatusCode.UnprocessableEntity)]
    [InlineData("Upload-Metadata", "a YQ==,a YQ==", HttpStatusCode.UnprocessableEntity)]
    [InlineData("Upload-Metadata", "a\tb YQ==", HttpStatusCode.UnprocessableEntity)]
    public async Task A_beginning_that_is_not_as_the_protocol_has_it_is_refused(string field, string? value, HttpStatusCode status)
    {
        using var mason = await Uploader.NewAsync(server);
        Dictionary<string, string> fields = new(StringComparer.Ordinal) { ["Tus-Resumable"] = "1.0.0", ["Upload-Length"] = "10" };
        fields.Remove(field);
        if (value is not null)
        {
            fields[field] = value;
        }

        using var response = await mason.SendAsync(HttpMethod.Post, TusRequests.Path, null, [.. fields.Select(static entry => (entry.Key, entry.Value))]);

        Assert.Equal(status, response.StatusCode);
        Assert.Equal("1.0.0", response.Header("Tus-Resumable"));
        Assert.Equal(0, await mason.UsedAsync());
    }

    [Theory]
    [InlineData("naïve YQ==")]
    [InlineData("梁 YQ==")]
    public async Task Metadata_that_no_answer_could_tell_again_is_422(string metadata)
    {
        using var mason = await Uploader.NewAsync(server);
        using var client = new TcpClient();
        await client.ConnectAsync(server.BaseAddress.Host, server.BaseAddress.Port, Cancel);
        await client.GetStream().WriteAsync(
            Encoding.UTF8.GetBytes(
                $"POST {TusRequests.Path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {mason.Person.Tokens.Access}\r\nTus-Resumable: 1.0.0\r\nUpload-Length: 10\r\n"
                + $"Upload-Metadata: {metadata}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
            Cancel);

        Assert.StartsWith("HTTP/1.1 422 ", await RawHttp.ReadToEndAsync(client.GetStream()), StringComparison.Ordinal);
        Assert.Equal(0, await mason.UsedAsync());
    }

    [Fact]
    public async Task Bytes_of_another_type_are_415()
    {
        using var mason = await Uploader.NewAsync(server);
        var upload = await mason.BeginAsync(10);
        using var body = new StringContent("0123456789");
        using var response = await mason.SendAsync(HttpMethod.Patch, upload, body, ("Tus-Resumable", "1.0.0"), ("Upload-Offset", "0"));

        Assert.Equal((HttpStatusCode.UnsupportedMediaType, 0L), (response.StatusCode, await mason.OffsetAsync(upload)));
    }

    [Fact]
    public async Task Clients_that_cannot_patch_or_delete_say_so_in_a_header()
    {
        using var mason = await Uploader.NewAsync(server);
        var upload = await mason.BeginAsync(10);
        using var patched = await mason.SendTusAsync(HttpMethod.Post, upload, new byte[5], ("X-HTTP-Method-Override", "PATCH"), ("Upload-Offset", "0"));
        using var neither = await mason.SendTusAsync(HttpMethod.Post, upload, new byte[5], ("Upload-Offset", "0"));
        using var ended = await mason.SendTusAsync(HttpMethod.Post, upload, null, ("X-HTTP-Method-Override", "DELETE"));

        Assert.Equal(
            [HttpStatusCode.NoContent, HttpStatusCode.MethodNotAllowed, HttpStatusCode.NoContent],
            new[] { patched, neither, ended }.Select(static response => response.StatusCode));
    }

    [Fact]
    public async Task An_upload_may_bring_its_first_bytes_when_it_begins()
    {
        using var mason = await Uploader.NewAsync(server);
        using var begun = await mason.CreateUploadAsync(10, content: new byte[4]);
        using var whole = await mason.CreateUploadAsync(4, content: new byte[4]);
        using var empty = await mason.CreateUploadAsync(0);

        Assert.Equal(["4", "4", "0"], new[] { begun, whole, empty }.Select(static response => response.Header("Upload-Offset")));
        Assert.All([begun, whole, empty], static response => Assert.Equal(HttpStatusCode.Created, response.StatusCode));
        Assert.Equal(2, (await mason.NamesAsync()).Length);
        Assert.Empty(await mason.ContentAsync(TusRequests.IdOf(empty.Headers.Location!.ToString())));
    }

    [Fact]
    public async Task An_upload_tells_what_it_was_begun_with()
    {
        using var mason = await Uploader.NewAsync(server);
        using var created = await mason.CreateUploadAsync(10, "a b.txt", "text/plain");
        using var response = await mason.SendTusAsync(HttpMethod.Head, created.Headers.Location!.ToString(), null);

        Assert.Equal(("10", "0"), (response.Header("Upload-Length"), response.Header("Upload-Offset")));
        Assert.Equal($"filename {TusRequests.Base64("a b.txt")},filetype {TusRequests.Base64("text/plain")}", response.Header("Upload-Metadata"));
        Assert.Equal(created.Header("Upload-Expires"), response.Header("Upload-Expires"));
        Assert.Equal("no-store", response.Header("Cache-Control"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    [InlineData(6)]
    [InlineData(10)]
    [InlineData(long.MaxValue)]
    public async Task Another_offset_than_the_uploads_is_409_and_says_which_it_is(long offset)
    {
        using var mason = await Uploader.NewAsync(server);
        var upload = await mason.BeginAsync(10);
        using var first = await mason.AppendAsync(upload, 0, new byte[5]);
        using var wrong = await mason.AppendAsync(upload, offset, new byte[5]);

        Assert.Equal(HttpStatusCode.Conflict, wrong.StatusCode);
        Assert.Equal(5, (await wrong.JsonAsync()).GetProperty("error").GetProperty("details").GetProperty("offset").GetInt64());
        Assert.Equal(5, await mason.OffsetAsync(upload));
    }

    [Fact]
    public async Task More_than_was_said_is_413_and_not_kept()
    {
        using var mason = await Uploader.NewAsync(server);
        var upload = await mason.BeginAsync(10);
        using var response = await mason.AppendAsync(upload, 0, new byte[11]);

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        Assert.Equal(0, await mason.OffsetAsync(upload));
        using var right = await mason.AppendAsync(upload, 0, new byte[10]);
        Assert.Equal(HttpStatusCode.NoContent, right.StatusCode);
    }

    [Fact]
    public async Task Bytes_that_are_not_what_their_checksum_says_are_460_and_not_kept()
    {
        using var mason = await Uploader.NewAsync(server);
        var content = Uploader.Bytes(6_000_000);
        var upload = await mason.BeginAsync(content.Length);
        using var start = await mason.AppendAsync(upload, 0, content[..1000], ("Upload-Checksum", "sha256 " + Convert.ToBase64String(SHA256.HashData(content[..1000]))));
        using var wrong = await mason.AppendAsync(upload, 1000, content[1001..], ("Upload-Checksum", "sha1 " + Sha1(content[1000..])));
        Assert.Equal((HttpStatusCode.NoContent, 460), (start.StatusCode, (int)wrong.StatusCode));
        Assert.Equal(1000, await mason.OffsetAsync(upload));

        using var unknown = await mason.AppendAsync(upload, 1000, content[1000..], ("Upload-Checksum", "md5 " + Sha1(content)));
        using var right = await mason.AppendAsync(upload, 1000, content[1000..], ("Upload-Checksum", "sha1 " + Sha1(content[1000..])));
        Assert.Equal((HttpStatusCode.BadRequest, HttpStatusCode.NoContent), (unknown.StatusCode, right.StatusCode));
        Assert.Equal(content, await mason.ContentAsync(TusRequests.IdOf(upload)));
    }

    private static string Sha1(byte[] bytes)
    {
#pragma warning disable CA5350 // The protocol's own algorithm, against accidents.
        return Convert.ToBase64String(SHA1.HashData(bytes));
#pragma warning restore CA5350
    }
}

public sealed class SqliteDiskTusProtocolTests(SqliteDiskFilesServer server) : TusProtocolTests(server), IClassFixture<SqliteDiskFilesServer>;

public sealed class PostgresDiskTusProtocolTests(PostgresDiskFilesServer server) : TusProtocolTests(server), IClassFixture<PostgresDiskFilesServer>;

public sealed class SqliteS3TusProtocolTests(SqliteS3FilesServer server) : TusProtocolTests(server), IClassFixture<SqliteS3FilesServer>;

public sealed class PostgresS3TusProtocolTests(PostgresS3FilesServer server) : TusProtocolTests(server), IClassFixture<PostgresS3FilesServer>;
