using System.Net;
using System.Net.Sockets;
using System.Text;
using Lintel.Infrastructure;

namespace Lintel.Features.Files;

/// <summary>How much anybody may have, and what becomes of what nobody has any more.</summary>
public abstract class FileRoomTests(FilesServer server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_full_quota_is_413_until_something_is_deleted()
    {
        using var mason = await Uploader.NewAsync(server);
        List<Guid> ids = [];
        for (var i = 0; i < FilesServer.Quota / FilesServer.MaxFormFile; i++)
        {
            // Up to its last byte.
            ids.Add(Uploader.Id(await mason.UploadAsync(Uploader.Bytes(FilesServer.MaxFormFile, i))));
        }

        using var full = await mason.PostAsync([0]);
        var error = (await full.JsonAsync()).GetProperty("error");
        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "PAYLOAD_TOO_LARGE"), (full.StatusCode, Text(error, "code")));
        Assert.Equal(FilesServer.Quota, error.GetProperty("details").GetProperty("quota_bytes").GetInt64());
        using var empty = await mason.PostAsync([]);
        Assert.Equal(HttpStatusCode.Created, empty.StatusCode);

        using var deleted = await mason.SendAsync(HttpMethod.Delete, $"/api/files/{ids[0]}", null);
        await mason.UploadAsync(Uploader.Bytes(FilesServer.MaxFormFile, 99));
        Assert.Equal(FilesServer.Quota, await mason.UsedAsync());
    }

    [Fact]
    public async Task Many_uploads_at_once_share_one_quota()
    {
        using var mason = await Uploader.NewAsync(server);
        var responses = await Task.WhenAll(Enumerable.Range(0, 24).Select(i => mason.PostAsync(Uploader.Bytes(1_500_000, i))));

        var taken = responses.Count(static response => response.StatusCode == HttpStatusCode.Created);

        // An object store's parts wait in memory, of which there is a bounded amount too.
        Assert.Equal(24 - taken, responses.Count(static response => response.StatusCode is HttpStatusCode.RequestEntityTooLarge or HttpStatusCode.ServiceUnavailable));
        Assert.InRange(taken, 1, FilesServer.Quota / 1_500_000);
        Assert.Equal((taken, taken * 1_500_000L), ((await mason.NamesAsync()).Length, await mason.UsedAsync()));
        Array.ForEach(responses, static response => response.Dispose());
    }

    [Fact]
    public async Task One_account_has_a_bounded_number_of_files()
    {
        using var mason = await Uploader.NewAsync(server);
        var responses = await Task.WhenAll(Enumerable.Range(0, FilesServer.MaxFiles + 5).Select(_ => mason.PostAsync([0])));

        Assert.Equal(FilesServer.MaxFiles, responses.Count(static response => response.StatusCode == HttpStatusCode.Created));
        Assert.Equal(5, responses.Count(static response => response.StatusCode == HttpStatusCode.RequestEntityTooLarge));
        Array.ForEach(responses, static response => response.Dispose());
    }

    [Fact]
    public async Task What_a_crash_left_behind_is_swept_and_a_whole_file_stays()
    {
        using var mason = await Uploader.NewAsync(server);
        var whole = Uploader.Id(await mason.UploadAsync(Uploader.Bytes(1000)));
        var id = Uploader.Id(await mason.UploadAsync(Uploader.Bytes(2000)));
        var before = await server.CountStoredAsync();

        // As if the server had died between hiding a file and removing its bytes.
        await server.ExecuteAsync("UPDATE file SET state = 'deleted', expires_at = 0 WHERE id = $1", id);
        await server.SweepAsync("SELECT count(*) FROM file WHERE id = $1", id);

        Assert.Equal(before - 1, await server.CountStoredAsync());
        Assert.Equal(Uploader.Bytes(1000), await mason.ContentAsync(whole));
    }

    [Fact]
    public async Task The_files_of_an_account_that_is_gone_are_swept()
    {
        using var mason = await Uploader.NewAsync(server);
        await mason.UploadAsync(Uploader.Bytes(1000));
        var before = await server.CountStoredAsync();

        await server.ExecuteAsync("DELETE FROM account WHERE id = $1", mason.Person.Id);
        await server.SweepAsync("SELECT count(*) FROM file WHERE user_id IS NULL");

        Assert.Equal(before - 1, await server.CountStoredAsync());
    }

    [Fact]
    public async Task The_room_of_a_form_whose_server_died_is_given_back_at_once()
    {
        using var mason = await Uploader.NewAsync(server);
        var before = await server.CountStoredAsync();
        using var client = await OpenFormAsync(mason, new byte[500_000]);

        // As it is when the server starts again that was killed; the clock stands for the time until the next round.
        await server.ExecuteAsync("UPDATE file SET lease = NULL WHERE user_id = $1", mason.Person.Id);
        server.Clock.Advance(FileTable.LeaseTime);
        await server.SweepAsync("SELECT count(*) FROM file WHERE user_id = $1", mason.Person.Id);

        Assert.Equal((0L, before), (await mason.UsedAsync(), await server.CountStoredAsync()));
    }

    [Fact]
    public async Task A_form_that_comes_slowly_is_not_swept_while_it_comes()
    {
        using var mason = await Uploader.NewAsync(server);
        using var client = await OpenFormAsync(mason, new byte[500_000]);
        var lease = await server.CountAsync("SELECT lease_until FROM file WHERE user_id = $1", mason.Person.Id);

        // Of all that comes nothing tells that somebody is there; the renewed lease does.
        await Eventually.HoldsAsync(async () => await server.CountAsync("SELECT lease_until FROM file WHERE user_id = $1", mason.Person.Id) > lease);
        server.Clock.Advance(TimeSpan.FromMinutes(1));
        await server.Sweeper.ForgetAsync(Cancel);
        await client.GetStream().WriteAsync(new byte[100_000], Cancel);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(FormEnd), Cancel);

        Assert.StartsWith("HTTP/1.1 201 ", await RawHttp.ReadToEndAsync(client.GetStream()), StringComparison.Ordinal);
        Assert.Equal(600_000, await mason.UsedAsync());
    }

    private const string FormBegin = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\n";
    private const string FormEnd = "\r\n--b--\r\n";

    /// <summary>A form with 600,000 bytes, of which the first ones have come.</summary>
    private async Task<TcpClient> OpenFormAsync(Uploader uploader, byte[] sent)
    {
        var client = new TcpClient();
        await client.ConnectAsync(server.BaseAddress.Host, server.BaseAddress.Port, Cancel);
        await client.GetStream().WriteAsync(
            Encoding.ASCII.GetBytes(
                $"POST /api/files/upload HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {uploader.Person.Tokens.Access}\r\nConnection: close\r\n"
                + $"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {FormBegin.Length + 600_000 + FormEnd.Length}\r\n\r\n{FormBegin}"),
            Cancel);
        await client.GetStream().WriteAsync(sent, Cancel);
        await Eventually.HoldsAsync(async () => await uploader.UsedAsync() > 0);
        return client;
    }

    private static string? Text(System.Text.Json.JsonElement json, string name) => json.GetProperty(name).GetString();
}

public sealed class SqliteDiskFileRoomTests(SqliteDiskFilesServer server) : FileRoomTests(server), IClassFixture<SqliteDiskFilesServer>;

public sealed class PostgresDiskFileRoomTests(PostgresDiskFilesServer server) : FileRoomTests(server), IClassFixture<PostgresDiskFilesServer>;

public sealed class SqliteS3FileRoomTests(SqliteS3FilesServer server) : FileRoomTests(server), IClassFixture<SqliteS3FilesServer>;

public sealed class PostgresS3FileRoomTests(PostgresS3FilesServer server) : FileRoomTests(server), IClassFixture<PostgresS3FilesServer>;
