using System.Net;
using System.Net.Sockets;
using System.Text;
using Lintel.Features.ApiKeys;
using Lintel.Features.Files.Storage;
using Lintel.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Features.Files;

/// <summary>A disk that fills, and writers that outstay their time.</summary>
public sealed class DiskStorageTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task On_a_disk_that_is_nearly_full_nothing_is_stored_and_everything_else_goes_on()
    {
        await using var server = new SmallDiskServer();
        await server.InitializeAsync();
        using var mason = await Uploader.NewAsync(server);
        var id = Uploader.Id(await mason.UploadAsync(Uploader.Bytes(1_000_000)));
        var upload = await mason.BeginAsync(1000);

        // One byte less than must stay free.
        server.Left = -1;
        using var form = await mason.PostAsync([1]);
        using var begun = await mason.CreateUploadAsync(1000);
        using var patched = await mason.AppendAsync(upload, 0, new byte[1000]);
        foreach (var refused in new[] { form, begun, patched })
        {
            var error = (await refused.JsonAsync()).GetProperty("error");
            Assert.Equal((HttpStatusCode.ServiceUnavailable, "SERVICE_UNAVAILABLE"), (refused.StatusCode, error.GetProperty("code").GetString()));
            Assert.Contains("disk is nearly full", error.GetProperty("message").GetString(), StringComparison.Ordinal);
            Assert.NotNull(refused.Headers.RetryAfter);
        }

        using var ready = await server.Client.GetAsync("/health/ready", Cancel);
        var health = await ready.Content.ReadAsStringAsync(Cancel);
        Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
        Assert.Contains("disk is nearly full", health, StringComparison.Ordinal);

        Assert.Equal(1_000_000 + 1000, await mason.UsedAsync());
        Assert.Equal(Uploader.Bytes(1_000_000), await mason.ContentAsync(id));
        using var deleted = await mason.SendAsync(HttpMethod.Delete, $"/api/files/{id}", null);
        Assert.Equal((HttpStatusCode.NoContent, 1000L), (deleted.StatusCode, await mason.UsedAsync()));

        server.Left = 1_000_000;
        using var again = await mason.AppendAsync(upload, 0, new byte[1000]);
        Assert.Equal(HttpStatusCode.NoContent, again.StatusCode);
    }

    [Fact]
    public async Task Uploads_at_once_stop_where_the_rest_must_stay_free()
    {
        await using var server = new SmallDiskServer { Left = 5 * FilesServer.Megabyte };
        await server.InitializeAsync();
        using var mason = await Uploader.NewAsync(server);
        using var tooLong = await mason.CreateUploadAsync((5 * FilesServer.Megabyte) + 1);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, tooLong.StatusCode);

        // Each has room by itself, and all of them have not.
        var uploads = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => mason.BeginAsync(4 * FilesServer.Megabyte)));
        var responses = await Task.WhenAll(uploads.Select(upload => mason.AppendAsync(upload, 0, new byte[4 * FilesServer.Megabyte])));
        var stored = new DirectoryInfo(server.Folder).EnumerateFiles("*", SearchOption.AllDirectories).Sum(static file => file.Length);

        Assert.Contains(responses, static response => response.StatusCode == HttpStatusCode.ServiceUnavailable);
        Assert.InRange(stored, 4 * FilesServer.Megabyte, 5 * FilesServer.Megabyte);
        Array.ForEach(responses, static response => response.Dispose());
    }

    [Fact]
    public async Task A_draft_that_a_server_holds_which_stood_still_is_not_written_by_two()
    {
        await using var server = new SmallDiskServer();
        await server.InitializeAsync();
        using var mason = await Uploader.NewAsync(server);
        var upload = await mason.BeginAsync(600_000);
        using var first = new TcpClient();
        await first.ConnectAsync(server.BaseAddress.Host, server.BaseAddress.Port, Cancel);
        await first.GetStream().WriteAsync(
            Encoding.ASCII.GetBytes(
                $"PATCH {upload} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {mason.Person.Tokens.Access}\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n"
                + "Content-Type: application/offset+octet-stream\r\nContent-Length: 600000\r\nConnection: close\r\n\r\n"),
            Cancel);
        await first.GetStream().WriteAsync(Uploader.Bytes(500_000, 1), Cancel);
        await Eventually.HoldsAsync(() => Directory.EnumerateFiles(Path.Combine(server.Folder, "drafts")).Any(static path => new FileInfo(path).Length > 0));

        // Its lease is over, unless it is renewed this very moment, and it knows nothing of that.
        var content = Uploader.Bytes(600_000, 2);
        await Eventually.HoldsAsync(async () =>
        {
            await server.ExecuteAsync("UPDATE file SET lease_until = 0 WHERE id = $1", TusRequests.IdOf(upload));
            using var second = await mason.AppendAsync(upload, 0, content);
            return second.StatusCode == HttpStatusCode.ServiceUnavailable;
        });
        await first.GetStream().WriteAsync(Uploader.Bytes(100_000, 3), Cancel);
        Assert.StartsWith("HTTP/1.1 404 ", await RawHttp.ReadToEndAsync(first.GetStream()), StringComparison.Ordinal);

        using var third = await mason.AppendAsync(upload, 0, content);
        Assert.Equal(HttpStatusCode.NoContent, third.StatusCode);
        Assert.Equal(content, await mason.ContentAsync(TusRequests.IdOf(upload)));
    }

    [Fact]
    public async Task An_owner_may_go_on_with_uploads_so_often_with_all_keys_together()
    {
        await using var server = new SmallDiskServer("--RATE_LIMIT_UPLOADS=3");
        await server.InitializeAsync();
        using var mason = await Uploader.NewAsync(server);
        using var other = await Uploader.NewAsync(server);
        var key = await server.NewKeyAsync(mason.Person.Tokens.Access, ["files"]);
        var upload = await mason.BeginAsync(10);
        using var first = await mason.AppendAsync(upload, 0, []);
        using var second = await mason.SendTusAsync(HttpMethod.Post, upload, [], ("X-HTTP-Method-Override", "PATCH"), ("Upload-Offset", "0"));
        using var third = await server.SendAsync(HttpMethod.Delete, TusRequests.Path + "/" + Guid.Empty, null, ("X-API-Key", key.Text), ("Tus-Resumable", "1.0.0"));
        using var fourth = await mason.AppendAsync(upload, 0, []);
        using var theirs = await other.AppendAsync(await other.BeginAsync(10), 0, []);

        Assert.Equal(
            [HttpStatusCode.NoContent, HttpStatusCode.NoContent, HttpStatusCode.NotFound, HttpStatusCode.TooManyRequests, HttpStatusCode.NoContent],
            new[] { first, second, third, fourth, theirs }.Select(static response => response.StatusCode));
        Assert.Equal(0, await mason.OffsetAsync(upload));
    }

    /// <summary>A server on a disk of which the test says how much is left before what must stay free.</summary>
    private sealed class SmallDiskServer : DiskFilesServer
    {
        private readonly Disk _disk;

        public SmallDiskServer(params string[] settings)
            : this(new Disk(), settings)
        {
        }

        private SmallDiskServer(Disk disk, string[] settings)
            : base(TestDatabaseKind.Sqlite, services => services.AddSingleton<FreeSpace>(disk.Free), ["--FILE_MIN_FREE_MB=64", .. settings]) => _disk = disk;

        public long Left
        {
            set => _disk.Left = value;
        }

        private sealed class Disk
        {
            private long _left = 100 * Megabyte;

            public long Left
            {
                set => Interlocked.Exchange(ref _left, value);
            }

            /// <summary>What files take is taken off what is left when the test says so little.</summary>
            public long Free(string folder) =>
                (64L * Megabyte) + Interlocked.Read(ref _left) - new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories).Sum(static file => file.Length);
        }
    }
}
