using System.Net;
using System.Net.Sockets;
using System.Text;
using Lintel.Infrastructure;

namespace Lintel.Features.Files;

/// <summary>Resumable uploads, as the protocol tus 1.0 has them.</summary>
public abstract class TusTests(FilesServer server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1000, 333)]
    [InlineData(3_000_000, 1_000_000)]
    [InlineData(12_000_000, 5_000_000)]
    [InlineData(12_000_000, 12_000_000)]
    public async Task An_upload_in_pieces_becomes_a_file(int length, int piece)
    {
        using var mason = await Uploader.NewAsync(server);
        var before = await server.CountStoredAsync();
        var content = Uploader.Bytes(length);
        var upload = await mason.BeginAsync(length, "Träger.bin");
        for (var offset = 0; offset < length; offset += piece)
        {
            Assert.Equal(offset, await mason.OffsetAsync(upload));
            Assert.Empty(await mason.NamesAsync());
            using var response = await mason.AppendAsync(upload, offset, content[offset..Math.Min(length, offset + piece)]);
            Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
            Assert.Equal(Math.Min(length, offset + piece).ToString(System.Globalization.CultureInfo.InvariantCulture), response.Header("Upload-Offset"));
            Assert.Equal("1.0.0", response.Header("Tus-Resumable"));
        }

        Assert.Equal(content, await mason.ContentAsync(TusRequests.IdOf(upload)));
        var file = (await mason.ListAsync()).GetProperty("files")[0];
        Assert.Equal(("Träger.bin", Uploader.Sha256(content)), (file.GetProperty("filename").GetString(), file.GetProperty("sha256").GetString()));
        Assert.Equal(length, await mason.OffsetAsync(upload));
        Assert.Equal((length, before + 1), (await mason.UsedAsync(), await server.CountStoredAsync()));
    }

    [Fact]
    public async Task What_arrived_before_the_connection_broke_is_kept()
    {
        using var mason = await Uploader.NewAsync(server);
        var content = Uploader.Bytes(8_000_000);
        var upload = await mason.BeginAsync(content.Length);
        await BreakOffAsync(mason, upload, 0, content, 6_000_000);
        await Eventually.HoldsAsync(async () => await mason.OffsetAsync(upload) > 0);
        var offset = (int)(await mason.OffsetAsync(upload))!.Value;

        Assert.InRange(offset, 1, 6_000_000);
        using var response = await mason.AppendAsync(upload, offset, content[offset..]);
        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        Assert.Equal(content, await mason.ContentAsync(TusRequests.IdOf(upload)));
        Assert.Equal(Uploader.Sha256(content), (await mason.ListAsync()).GetProperty("files")[0].GetProperty("sha256").GetString());
    }

    [Fact]
    public async Task Of_many_that_write_at_one_offset_one_does()
    {
        using var mason = await Uploader.NewAsync(server);
        var content = Uploader.Bytes(1_000_000);
        var upload = await mason.BeginAsync(2_000_000);
        var responses = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => mason.AppendAsync(upload, 0, content)));

        Assert.Single(responses, static response => response.StatusCode == HttpStatusCode.NoContent);
        Assert.Equal(7, responses.Count(static response => response.StatusCode is HttpStatusCode.Conflict or HttpStatusCode.Locked));
        Assert.Equal(1_000_000, await mason.OffsetAsync(upload));
        using var rest = await mason.AppendAsync(upload, 1_000_000, content);
        byte[] twice = [.. content, .. content];
        Assert.Equal(twice, await mason.ContentAsync(TusRequests.IdOf(upload)));
        Array.ForEach(responses, static response => response.Dispose());
    }

    [Fact]
    public async Task Who_comes_while_another_writes_gets_423_and_may_go_on_when_that_one_has_left()
    {
        using var mason = await Uploader.NewAsync(server);
        var content = Uploader.Bytes(100_000);
        var upload = await mason.BeginAsync(100_000);
        using var client = await OpenAsync(mason, upload, 0, content.Length);
        await Eventually.HoldsAsync(async () => await server.CountAsync("SELECT count(*) FROM file WHERE id = $1 AND lease IS NOT NULL", TusRequests.IdOf(upload)) == 1);

        using var second = await mason.AppendAsync(upload, 0, content);
        Assert.Equal((HttpStatusCode.Locked, "CONFLICT"), (second.StatusCode, await second.ErrorCodeAsync()));

        client.Close();
        await Eventually.HoldsAsync(async () => await server.CountAsync("SELECT count(*) FROM file WHERE id = $1 AND lease IS NULL", TusRequests.IdOf(upload)) == 1);
        using var third = await mason.AppendAsync(upload, 0, content);
        Assert.Equal(HttpStatusCode.NoContent, third.StatusCode);
    }

    [Fact]
    public async Task Room_is_taken_at_the_beginning_and_given_back_in_the_end()
    {
        using var mason = await Uploader.NewAsync(server);
        var upload = await mason.BeginAsync(FilesServer.Quota - 10);
        using var over = await mason.CreateUploadAsync(11);
        using var tooLarge = await mason.CreateUploadAsync((24L * FilesServer.Megabyte) + 1);
        using var form = await mason.PostAsync(new byte[11]);
        Assert.All([over, tooLarge, form], static response => Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode));
        Assert.Equal(FilesServer.Quota - 10, await mason.UsedAsync());

        using var ended = await mason.SendTusAsync(HttpMethod.Delete, upload, null);
        using var again = await mason.SendTusAsync(HttpMethod.Delete, upload, null);
        Assert.Equal((HttpStatusCode.NoContent, HttpStatusCode.NotFound, 0L), (ended.StatusCode, again.StatusCode, await mason.UsedAsync()));
        Assert.Null(await mason.OffsetAsync(upload));
    }

    [Fact]
    public async Task Uploads_begun_at_once_share_one_quota()
    {
        using var mason = await Uploader.NewAsync(server);
        var responses = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => mason.CreateUploadAsync(5 * FilesServer.Megabyte)));

        Assert.Equal(3, responses.Count(static response => response.StatusCode == HttpStatusCode.Created));
        Assert.Equal(15 * FilesServer.Megabyte, await mason.UsedAsync());
        Array.ForEach(responses, static response => response.Dispose());
    }

    [Fact]
    public async Task An_upload_that_ends_while_somebody_writes_leaves_nothing()
    {
        using var mason = await Uploader.NewAsync(server);
        var before = await server.CountStoredAsync();
        var upload = await mason.BeginAsync(9_000_000);
        using var client = await OpenAsync(mason, upload, 0, 9_000_000);
        await client.GetStream().WriteAsync(new byte[7_000_000], Cancel);
        await Eventually.HoldsAsync(async () => await server.CountAsync("SELECT count(*) FROM file WHERE id = $1 AND lease IS NOT NULL", TusRequests.IdOf(upload)) == 1);

        using var ended = await mason.SendTusAsync(HttpMethod.Delete, upload, null);
        Assert.Equal(HttpStatusCode.NoContent, ended.StatusCode);
        await client.GetStream().WriteAsync(new byte[2_000_000], Cancel);

        Assert.StartsWith("HTTP/1.1 404 ", await RawHttp.ReadToEndAsync(client.GetStream()), StringComparison.Ordinal);
        Assert.Equal((0L, before), (await mason.UsedAsync(), await server.CountStoredAsync()));
        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM file WHERE user_id = $1", mason.Person.Id));
    }

    [Fact]
    public async Task Uploads_of_another_are_not_there()
    {
        using var mason = await Uploader.NewAsync(server);
        using var other = await Uploader.NewAsync(server);
        var upload = await mason.BeginAsync(10);

        using var patched = await other.AppendAsync(upload, 0, new byte[10]);
        using var ended = await other.SendTusAsync(HttpMethod.Delete, upload, null);
        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.NotFound), (patched.StatusCode, ended.StatusCode));
        Assert.Null(await other.OffsetAsync(upload));
        Assert.Equal(0, await mason.OffsetAsync(upload));
    }

    [Fact]
    public async Task An_unfinished_upload_is_no_file()
    {
        using var mason = await Uploader.NewAsync(server);
        var upload = await mason.BeginAsync(10);
        using var part = await mason.AppendAsync(upload, 0, new byte[5]);

        using var got = await mason.GetAsync(TusRequests.IdOf(upload));
        using var deleted = await mason.SendAsync(HttpMethod.Delete, $"/api/files/{TusRequests.IdOf(upload)}", null);
        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.NotFound), (got.StatusCode, deleted.StatusCode));
        Assert.Equal(5, await mason.OffsetAsync(upload));
    }

    [Fact]
    public async Task An_upload_for_which_nothing_comes_any_more_expires()
    {
        // What other tests left unfinished goes first.
        server.Clock.Advance(TimeSpan.FromHours(26));
        await server.Sweeper.ForgetAsync(Cancel);

        using var mason = await Uploader.NewAsync(server);
        var before = await server.CountStoredAsync();
        var upload = await mason.BeginAsync(7_000_000);
        using var part = await mason.AppendAsync(upload, 0, new byte[6_000_000]);
        server.Clock.Advance(TimeSpan.FromHours(23));
        await server.Sweeper.ForgetAsync(Cancel);
        Assert.Equal(1, await server.CountAsync("SELECT count(*) FROM file WHERE id = $1", TusRequests.IdOf(upload)));

        server.Clock.Advance(TimeSpan.FromHours(2));
        await server.SweepAsync("SELECT count(*) FROM file WHERE id = $1", TusRequests.IdOf(upload));

        Assert.Equal((0L, before), (await mason.UsedAsync(), await server.CountStoredAsync()));
    }

    [Fact]
    public async Task A_zip_that_says_it_is_a_picture_is_refused_at_its_beginning_and_gone()
    {
        using var mason = await Uploader.NewAsync(server);
        var before = await server.CountStoredAsync();
        var upload = await mason.BeginAsync(7_000_000, "picture.png", "image/png");
        using var start = await mason.AppendAsync(upload, 0, [.. "PK"u8]);
        using var response = await mason.AppendAsync(upload, 2, [3, 4, .. new byte[600]]);

        Assert.Equal((HttpStatusCode.NoContent, HttpStatusCode.UnsupportedMediaType), (start.StatusCode, response.StatusCode));
        Assert.Null(await mason.OffsetAsync(upload));
        Assert.Equal((0L, before), (await mason.UsedAsync(), await server.CountStoredAsync()));
    }

    [Fact]
    public async Task A_picture_too_short_to_be_one_is_refused_at_its_end()
    {
        using var mason = await Uploader.NewAsync(server);
        var upload = await mason.BeginAsync(3, "picture.png");
        using var response = await mason.AppendAsync(upload, 0, [1, 2, 3]);

        Assert.Equal((HttpStatusCode.UnsupportedMediaType, 0L), (response.StatusCode, await mason.UsedAsync()));
        Assert.Empty(await mason.NamesAsync());
    }

    [Fact]
    public async Task An_upload_whose_last_byte_came_before_a_crash_becomes_a_file_when_its_offset_is_asked_for()
    {
        using var mason = await Uploader.NewAsync(server);
        var content = Uploader.Bytes(6_000_000);
        var upload = await mason.BeginAsync(content.Length + 1, "plan.bin");
        using var response = await mason.AppendAsync(upload, 0, content);

        // As the server leaves it that dies right behind the last note of what is stored.
        await server.ExecuteAsync("UPDATE file SET size = $2 WHERE id = $1", TusRequests.IdOf(upload), (long)content.Length);
        Assert.Equal(content.Length, await mason.OffsetAsync(upload));

        Assert.Equal(content, await mason.ContentAsync(TusRequests.IdOf(upload)));
        Assert.Equal(content.Length, await mason.UsedAsync());
    }

    [Fact]
    public async Task A_request_that_brings_nothing_changes_nothing()
    {
        using var mason = await Uploader.NewAsync(server);
        var upload = await mason.BeginAsync(10);
        using var begun = await mason.AppendAsync(upload, 0, new byte[4]);
        var id = TusRequests.IdOf(upload);
        await server.ExecuteAsync("UPDATE file SET lease_until = 7, expires_at = expires_at - 1000000 WHERE id = $1", id);
        var expires = await server.CountAsync("SELECT expires_at FROM file WHERE id = $1", id);

        using var empty = await mason.AppendAsync(upload, 4, []);
        using var elsewhere = await mason.AppendAsync(upload, 5, []);
        using var wrong = await mason.AppendAsync(upload, 4, [], ("Upload-Checksum", "sha1 " + Convert.ToBase64String(new byte[20])));
        Assert.Equal((HttpStatusCode.NoContent, "4"), (empty.StatusCode, empty.Header("Upload-Offset")));
        Assert.Equal((HttpStatusCode.Conflict, 460), (elsewhere.StatusCode, (int)wrong.StatusCode));
        Assert.Equal(7, await server.CountAsync("SELECT lease_until FROM file WHERE id = $1", id));

        // One that does not say before that nothing comes has to be let in; its stay is no longer for that.
        using (await OpenAsync(mason, upload, 4, 6))
        {
            await Eventually.HoldsAsync(async () => await server.CountAsync("SELECT count(*) FROM file WHERE id = $1 AND lease IS NOT NULL", id) == 1);
        }

        await Eventually.HoldsAsync(async () => await server.CountAsync("SELECT count(*) FROM file WHERE id = $1 AND lease IS NULL", id) == 1);
        Assert.Equal(expires, await server.CountAsync("SELECT expires_at FROM file WHERE id = $1", id));
        using var rest = await mason.AppendAsync(upload, 4, new byte[6]);
        Assert.Equal(new byte[10], await mason.ContentAsync(id));
    }

    [Theory]
    [InlineData("plan.bin", "sha1 AAAAAAAAAAAAAAAAAAAAAAAAAAA=", 460)]
    [InlineData("picture.png", "", 415)]
    public async Task An_upload_that_is_gone_before_its_writers_first_byte_leaves_nothing(string filename, string checksum, int status)
    {
        using var mason = await Uploader.NewAsync(server);
        var before = await server.CountStoredAsync();
        var upload = await mason.BeginAsync(600, filename);
        using var client = await OpenAsync(mason, upload, 0, 600, checksum.Length == 0 ? "" : $"Upload-Checksum: {checksum}\r\n");
        await Eventually.HoldsAsync(async () => await server.CountAsync("SELECT count(*) FROM file WHERE id = $1 AND lease IS NOT NULL", TusRequests.IdOf(upload)) == 1);
        using var ended = await mason.SendTusAsync(HttpMethod.Delete, upload, null);

        // As if the writer had not come further than its lease when everything was removed.
        await (await server.Storage.OpenDraftAsync(TusRequests.IdOf(upload), 0, "", Cancel)).DisposeAsync();
        await client.GetStream().WriteAsync(new byte[600], Cancel);
        var answer = await RawHttp.ReadToEndAsync(client.GetStream());

        // Renewing its lease it may have noticed first.
        Assert.Contains(answer["HTTP/1.1 ".Length..][..3], (string[])[$"{status}", "404"]);
        Assert.Equal((0L, before), (await mason.UsedAsync(), await server.CountStoredAsync()));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_writer_whose_upload_is_ended_is_told_so_when_it_renews_its_lease()
    {
        using var mason = await Uploader.NewAsync(server);
        var upload = await mason.BeginAsync(6000);
        using var client = await OpenAsync(mason, upload, 0, 6000, "Upload-Checksum: sha1 AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n");

        // Enough not to be cut off as too slow meanwhile.
        await client.GetStream().WriteAsync(new byte[4000], Cancel);
        await Eventually.HoldsAsync(async () => await server.CountAsync("SELECT count(*) FROM file WHERE id = $1 AND lease IS NOT NULL", TusRequests.IdOf(upload)) == 1);
        using var ended = await mason.SendTusAsync(HttpMethod.Delete, upload, null);

        // It sends nothing more, so that only the lease tells.
        Assert.StartsWith("HTTP/1.1 404 ", await RawHttp.ReadToEndAsync(client.GetStream()), StringComparison.Ordinal);
    }

    /// <summary>Sends as much of a body as is said and closes the connection.</summary>
    private async Task BreakOffAsync(Uploader uploader, string upload, long offset, byte[] content, int sent)
    {
        using var client = await OpenAsync(uploader, upload, offset, content.Length);
        await client.GetStream().WriteAsync(content.AsMemory(0, sent), Cancel);
    }

    /// <summary>A PATCH whose body has yet to come.</summary>
    private async Task<TcpClient> OpenAsync(Uploader uploader, string upload, long offset, int length, string fields = "")
    {
        var client = new TcpClient();
        await client.ConnectAsync(server.BaseAddress.Host, server.BaseAddress.Port, Cancel);
        await client.GetStream().WriteAsync(
            Encoding.ASCII.GetBytes(
                $"PATCH {upload} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {uploader.Person.Tokens.Access}\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: {offset}\r\n"
                + $"Content-Type: application/offset+octet-stream\r\nContent-Length: {length}\r\n{fields}Connection: close\r\n\r\n"),
            Cancel);
        return client;
    }
}

public sealed class SqliteDiskTusTests(SqliteDiskFilesServer server) : TusTests(server), IClassFixture<SqliteDiskFilesServer>;

public sealed class PostgresDiskTusTests(PostgresDiskFilesServer server) : TusTests(server), IClassFixture<PostgresDiskFilesServer>;

public sealed class SqliteS3TusTests(SqliteS3FilesServer server) : TusTests(server), IClassFixture<SqliteS3FilesServer>;

public sealed class PostgresS3TusTests(PostgresS3FilesServer server) : TusTests(server), IClassFixture<PostgresS3FilesServer>;
