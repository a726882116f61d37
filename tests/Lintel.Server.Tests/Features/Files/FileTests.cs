using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Lintel.Features.ApiKeys;
using Lintel.Infrastructure;

namespace Lintel.Features.Files;

/// <summary>Section 8 of the contract, as far as it is about files.</summary>
public abstract class FileTests(FilesServer server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_file_is_uploaded_and_got_back_as_it_was()
    {
        using var mason = await Uploader.NewAsync(server);
        var content = Uploader.Bytes(300_000);
        using var response = await mason.PostAsync(content, "plan of the hall.bin", "application/octet-stream");
        var file = await response.JsonAsync();

        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        Assert.Equal($"/api/files/{Uploader.Id(file)}", response.Headers.Location!.ToString());
        Assert.Equal(
            ["content_type", "created_at", "filename", "id", "sha256", "size"],
            file.EnumerateObject().Select(static property => property.Name).Order(StringComparer.Ordinal));
        Assert.Equal(("plan of the hall.bin", 300_000, Uploader.Sha256(content)), (Text(file, "filename"), file.GetProperty("size").GetInt32(), Text(file, "sha256")));
        Assert.Equal(content, await mason.ContentAsync(Uploader.Id(file)));
        Assert.Equal(file.GetRawText(), (await mason.ListAsync()).GetProperty("files")[0].GetRawText());
        Assert.Equal(300_000, await mason.UsedAsync());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(64 * 1024)]
    [InlineData((64 * 1024) + 1)]
    [InlineData(FilesServer.MaxFormFile)]
    public async Task A_file_of_any_length_up_to_the_limit_is_taken(int length)
    {
        using var mason = await Uploader.NewAsync(server);
        var content = Uploader.Bytes(length, seed: length);
        var file = await mason.UploadAsync(content);

        Assert.Equal(content, await mason.ContentAsync(Uploader.Id(file)));
        Assert.Equal(length, await mason.UsedAsync());
    }

    [Fact]
    public async Task A_file_over_the_limit_is_413_and_leaves_nothing()
    {
        using var mason = await Uploader.NewAsync(server);
        var before = await server.CountStoredAsync();
        using var response = await mason.PostAsync(Uploader.Bytes(FilesServer.MaxFormFile + 1));

        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "PAYLOAD_TOO_LARGE"), (response.StatusCode, await response.ErrorCodeAsync()));
        Assert.Equal((0, 0L, before), ((await mason.NamesAsync()).Length, await mason.UsedAsync(), await server.CountStoredAsync()));
    }

    [Fact]
    public async Task An_endless_upload_ends_at_the_limit()
    {
        using var mason = await Uploader.NewAsync(server);
        using var client = new TcpClient();
        await client.ConnectAsync(server.BaseAddress.Host, server.BaseAddress.Port, Cancel);
        var stream = client.GetStream();
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes(
                $"POST /api/files/upload HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {mason.Person.Tokens.Access}\r\nConnection: close\r\n"
                + "Content-Type: multipart/form-data; boundary=b\r\nTransfer-Encoding: chunked\r\n\r\n"
                + Chunk("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\n")),
            Cancel);
        var endless = WriteForeverAsync(stream);
        var answer = await RawHttp.ReadToEndAsync(stream);

        // The server closes on the one who does not stop; what it said may be lost with that, but it does not go on for ever.
        Assert.True(answer.Length == 0 || answer.StartsWith("HTTP/1.1 413 ", StringComparison.Ordinal), answer);
        Assert.InRange(await endless, FilesServer.MaxFormFile / 2, 64 * FilesServer.Megabyte);
        await Eventually.HoldsAsync(async () => await mason.UsedAsync() == 0);
        Assert.Empty(await mason.NamesAsync());
    }

    [Fact]
    public async Task An_upload_that_breaks_off_leaves_nothing()
    {
        using var mason = await Uploader.NewAsync(server);
        var before = await server.CountStoredAsync();
        using (var client = new TcpClient())
        {
            await client.ConnectAsync(server.BaseAddress.Host, server.BaseAddress.Port, Cancel);
            var stream = client.GetStream();
            await stream.WriteAsync(
                Encoding.ASCII.GetBytes(
                    $"POST /api/files/upload HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {mason.Person.Tokens.Access}\r\n"
                    + "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000000\r\n\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\n"),
                Cancel);
            await stream.WriteAsync(new byte[500_000], Cancel);
            await Eventually.HoldsAsync(async () => await mason.UsedAsync() > 0);
        }

        await Eventually.HoldsAsync(async () => await server.CountAsync("SELECT count(*) FROM file WHERE user_id = $1", mason.Person.Id) == 0);
        Assert.Equal((0L, before), (await mason.UsedAsync(), await server.CountStoredAsync()));
    }

    [Fact]
    public async Task A_form_that_ends_too_early_is_422()
    {
        using var mason = await Uploader.NewAsync(server);
        using var body = new StringContent("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\nhalf of it");
        body.Headers.ContentType = new("multipart/form-data") { Parameters = { new("boundary", "b") } };
        using var response = await mason.Client.PostAsync("/api/files/upload", body, Cancel);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        Assert.Equal((0, 0L), ((await mason.NamesAsync()).Length, await mason.UsedAsync()));
    }

    [Theory]
    [InlineData("picture", "x.bin")]
    [InlineData("file", null)]
    public async Task A_form_without_a_file_is_422(string field, string? filename)
    {
        using var mason = await Uploader.NewAsync(server);
        using var response = await mason.PostAsync([1], filename, field: field);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        Assert.Contains("\"file\"", await response.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("application/json", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("multipart/form-data", HttpStatusCode.UnprocessableEntity)]
    [InlineData("multipart/mixed; boundary=b", HttpStatusCode.UnsupportedMediaType)]
    public async Task What_is_no_form_is_refused(string type, HttpStatusCode status)
    {
        using var mason = await Uploader.NewAsync(server);
        using var body = new ByteArrayContent("{}"u8.ToArray());
        body.Headers.TryAddWithoutValidation("Content-Type", type);
        using var response = await mason.Client.PostAsync("/api/files/upload", body, Cancel);

        Assert.Equal(status, response.StatusCode);
    }

    [Theory]
    [InlineData("picture.png", "image/png")]
    [InlineData("picture.png", null)]
    [InlineData("picture.png", "application/zip")]
    [InlineData("archive.zip", "image/jpeg")]
    [InlineData("notes.txt", "text/plain")]
    public async Task A_zip_that_says_it_is_something_else_is_415(string filename, string? type)
    {
        using var mason = await Uploader.NewAsync(server);
        using var response = await mason.PostAsync([.. "PK\x03\x04"u8, .. new byte[100]], filename, type);

        Assert.Equal((HttpStatusCode.UnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE"), (response.StatusCode, await response.ErrorCodeAsync()));
        Assert.Equal((0, 0L), ((await mason.NamesAsync()).Length, await mason.UsedAsync()));
    }

    [Theory]
    [InlineData("../../etc/passwd", "passwd")]
    [InlineData("..\\..\\windows\\system.ini", "system.ini")]
    [InlineData("/", "file")]
    [InlineData("..", "file")]
    [InlineData(".htaccess", "htaccess")]
    [InlineData(". .bashrc", "bashrc")]
    [InlineData("plan.bin . .", "plan.bin")]
    [InlineData("a\u0001b\u202Egpj.bin", "abgpj.bin")]
    [InlineData("Träger Ω 梁.bin", "Träger Ω 梁.bin")]
    [InlineData("con<>:|?*.bin ...", "con.bin")]
    public async Task Names_lose_what_could_mislead(string sent, string kept)
    {
        using var mason = await Uploader.NewAsync(server);

        // As browsers send it: the bytes of the name as they are.
        using var body = new ByteArrayContent(Encoding.UTF8.GetBytes($"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{sent}\"\r\n\r\nx\r\n--b--\r\n"));
        body.Headers.TryAddWithoutValidation("Content-Type", "multipart/form-data; boundary=b");
        using var response = await mason.Client.PostAsync("/api/files/upload", body, Cancel);
        var file = await response.JsonAsync();

        Assert.Equal(kept, Text(file, "filename"));
        using var got = await mason.GetAsync(Uploader.Id(file));
        Assert.Equal(kept, got.Content.Headers.ContentDisposition!.FileNameStar);
    }

    [Fact]
    public async Task A_name_as_long_as_nobody_takes_is_shortened_and_keeps_its_ending()
    {
        using var mason = await Uploader.NewAsync(server);
        var file = await mason.UploadAsync([1], new string('x', 3000) + ".bin");

        Assert.Equal(new string('x', 251) + ".bin", Text(file, "filename"));
    }

    [Fact]
    public async Task A_deleted_file_is_gone_with_its_bytes_and_gives_back_its_room()
    {
        using var mason = await Uploader.NewAsync(server);
        var before = await server.CountStoredAsync();
        var id = Uploader.Id(await mason.UploadAsync(Uploader.Bytes(1000)));
        Assert.Equal(before + 1, await server.CountStoredAsync());

        using var deleted = await mason.SendAsync(HttpMethod.Delete, $"/api/files/{id}", null);
        using var again = await mason.SendAsync(HttpMethod.Delete, $"/api/files/{id}", null);
        using var got = await mason.GetAsync(id);

        Assert.Equal([HttpStatusCode.NoContent, HttpStatusCode.NotFound, HttpStatusCode.NotFound], new[] { deleted, again, got }.Select(static response => response.StatusCode));
        Assert.Equal((0L, before), (await mason.UsedAsync(), await server.CountStoredAsync()));
        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM file WHERE user_id = $1", mason.Person.Id));
        Assert.Equal(0, await server.CountAsync("SELECT files FROM file_usage WHERE user_id = $1", mason.Person.Id));
    }

    [Fact]
    public async Task Files_of_another_are_not_there()
    {
        using var mason = await Uploader.NewAsync(server);
        using var other = await Uploader.NewAsync(server);
        var id = Uploader.Id(await mason.UploadAsync(Uploader.Bytes(10)));

        using var got = await other.GetAsync(id);
        using var nothing = await other.GetAsync(Guid.CreateVersion7());
        using var deleted = await other.SendAsync(HttpMethod.Delete, $"/api/files/{id}", null);
        Assert.Equal(await ErrorOf(nothing), await ErrorOf(got));
        Assert.Equal([HttpStatusCode.NotFound, HttpStatusCode.NotFound], new[] { got, deleted }.Select(static response => response.StatusCode));
        Assert.Empty(await other.NamesAsync());
        Assert.Single(await mason.NamesAsync());
    }

    [Fact]
    public async Task A_key_needs_the_scope()
    {
        var mason = await server.SignInAsync();
        var with = await server.NewKeyAsync(mason.Tokens.Access, ["files"]);
        var without = await server.NewKeyAsync(mason.Tokens.Access, ["tasks", "design"]);

        using var allowed = await server.SendAsync(HttpMethod.Get, "/api/files/list", null, ("X-API-Key", with.Text));
        using var refused = await server.SendAsync(HttpMethod.Get, "/api/files/list", null, ("X-API-Key", without.Text));
        using var nobody = await server.SendAsync(HttpMethod.Get, "/api/files/list", null);
        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.Forbidden, HttpStatusCode.Unauthorized], new[] { allowed, refused, nobody }.Select(static response => response.StatusCode));
    }

    [Fact]
    public async Task The_list_comes_in_pages_newest_first()
    {
        using var mason = await Uploader.NewAsync(server);
        for (var i = 1; i <= 5; i++)
        {
            await mason.UploadAsync([0], $"f{i}");
        }

        var first = await mason.ListAsync("?limit=3");
        var next = Text(first, "next");
        var last = await mason.ListAsync($"?limit=3&after={next}");

        Assert.Equal(["f5", "f4", "f3"], first.GetProperty("files").EnumerateArray().Select(static file => Text(file, "filename")));
        Assert.Equal(["f2", "f1"], last.GetProperty("files").EnumerateArray().Select(static file => Text(file, "filename")));
        Assert.Equal(JsonValueKind.Null, last.GetProperty("next").ValueKind);
        using var refused = await mason.Client.GetAsync("/api/files/list?after=x", Cancel);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
    }

    private static string Chunk(string text) => $"{text.Length:x}\r\n{text}\r\n";

    /// <summary>Sends chunks until nobody takes them.</summary>
    private static async Task<long> WriteForeverAsync(NetworkStream stream)
    {
        var chunk = Encoding.ASCII.GetBytes(Chunk(new string('x', 32_768)));
        var sent = 0L;
        try
        {
            while (true)
            {
                await stream.WriteAsync(chunk, Cancel);
                sent += 32_768;
            }
        }
        catch (IOException)
        {
            return sent;
        }
    }

    private static string? Text(JsonElement json, string name) => json.GetProperty(name).GetString();

    private static async Task<string> ErrorOf(HttpResponseMessage response) => (await response.JsonAsync()).GetProperty("error").GetRawText();
}

public sealed class SqliteDiskFileTests(SqliteDiskFilesServer server) : FileTests(server), IClassFixture<SqliteDiskFilesServer>;

public sealed class PostgresDiskFileTests(PostgresDiskFilesServer server) : FileTests(server), IClassFixture<PostgresDiskFilesServer>;

public sealed class SqliteS3FileTests(SqliteS3FilesServer server) : FileTests(server), IClassFixture<SqliteS3FilesServer>;

public sealed class PostgresS3FileTests(PostgresS3FilesServer server) : FileTests(server), IClassFixture<PostgresS3FilesServer>;
