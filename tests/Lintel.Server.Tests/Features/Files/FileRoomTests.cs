using System.Net;
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
        await server.Sweeper.ForgetAsync(Cancel);

        Assert.Equal(before - 1, await server.CountStoredAsync());
        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM file WHERE id = $1", id));
        Assert.Equal(Uploader.Bytes(1000), await mason.ContentAsync(whole));
    }

    [Fact]
    public async Task The_files_of_an_account_that_is_gone_are_swept()
    {
        using var mason = await Uploader.NewAsync(server);
        await mason.UploadAsync(Uploader.Bytes(1000));
        var before = await server.CountStoredAsync();

        await server.ExecuteAsync("DELETE FROM account WHERE id = $1", mason.Person.Id);
        await server.Sweeper.ForgetAsync(Cancel);

        Assert.Equal(before - 1, await server.CountStoredAsync());
        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM file WHERE user_id IS NULL"));
    }

    private static string? Text(System.Text.Json.JsonElement json, string name) => json.GetProperty(name).GetString();
}

public sealed class SqliteDiskFileRoomTests(SqliteDiskFilesServer server) : FileRoomTests(server), IClassFixture<SqliteDiskFilesServer>;

public sealed class PostgresDiskFileRoomTests(PostgresDiskFilesServer server) : FileRoomTests(server), IClassFixture<PostgresDiskFilesServer>;

public sealed class SqliteS3FileRoomTests(SqliteS3FilesServer server) : FileRoomTests(server), IClassFixture<SqliteS3FilesServer>;

public sealed class PostgresS3FileRoomTests(PostgresS3FilesServer server) : FileRoomTests(server), IClassFixture<PostgresS3FilesServer>;
