using System.Net;
using Lintel.Features.Files.Storage;
using Lintel.Infrastructure;
using Lintel.Platform.Breakers;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Features.Files;

/// <summary>An object store that is gone.</summary>
public sealed class S3OutageTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Without_the_store_files_are_503_until_its_breaker_opens_and_everything_else_goes_on()
    {
        using var store = S3Server.Start();
        await using var server = new FilesServerOn(store);
        await server.InitializeAsync();
        using var mason = await Uploader.NewAsync(server);
        var id = Uploader.Id(await mason.UploadAsync(Uploader.Bytes(1000)));
        store.Kill();

        // That it worked a while ago says nothing any more.
        server.Clock.Advance(TimeSpan.FromMinutes(2));

        for (var attempt = 0; attempt < 5; attempt++)
        {
            using var upload = await mason.PostAsync(Uploader.Bytes(1000));
            Assert.Equal((HttpStatusCode.ServiceUnavailable, "SERVICE_UNAVAILABLE"), (upload.StatusCode, await upload.ErrorCodeAsync()));
        }

        Assert.False(server.Services.GetRequiredService<Breakers>()[S3Store.BreakerName].IsClosed);
        using var got = await mason.GetAsync(id);
        using var ready = await server.Client.GetAsync("/health/ready", Cancel);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, HttpStatusCode.OK), (got.StatusCode, ready.StatusCode));
        Assert.Contains("s3 open", await ready.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);

        // What was not stored takes no room, and what was deleted is gone for people whenever the store is back.
        Assert.Equal(1000, await mason.UsedAsync());
        using var deleted = await mason.SendAsync(HttpMethod.Delete, $"/api/files/{id}", null);
        Assert.Equal((HttpStatusCode.NoContent, 0), (deleted.StatusCode, (await mason.NamesAsync()).Length));
    }

    private sealed class FilesServerOn(S3Server store) : FilesServer(TestDatabaseKind.Sqlite, store.Settings)
    {
        public override Task<int> CountStoredAsync() => Task.FromResult(store.Count());
    }
}
