using Lintel.Features.Accounts;
using Lintel.Infrastructure;

namespace Lintel.Features.Files;

/// <summary>The client that browsers use, tus-js-client, as it comes from npm.</summary>
public sealed class TusClientTests(SqliteDiskFilesServer server) : IClassFixture<SqliteDiskFilesServer>, IDisposable
{
    private const int Length = 14 * 1024 * 1024;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("lintel-tus-");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_upload_whose_connection_is_cut_goes_on_and_ends_with_the_right_content()
    {
        using var mason = await Uploader.NewAsync(server);
        var content = await MakeAsync();
        using var client = Start(mason.Person, cutAfter: 6_000_000, stopAfter: 0);

        Assert.Equal(("begin", "cut"), (await EventAsync(client), await EventAsync(client)));
        var success = await client.ReadAsync();
        Assert.Equal("success", success.GetProperty("event").GetString());
        var requests = success.GetProperty("requests").EnumerateArray().ToArray();

        // It asked where to go on, more than once where the server had not seen yet that the first connection was gone, and that was neither the beginning nor the end.
        var head = requests.Last(static request => request.GetProperty("method").GetString() == "HEAD");
        Assert.InRange(long.Parse(head.GetProperty("offset").GetString()!, System.Globalization.CultureInfo.InvariantCulture), 4 * 1024 * 1024, 6_000_000);
        var file = Assert.Single((await mason.ListAsync()).GetProperty("files").EnumerateArray());
        Assert.Equal(("plan.bin", Uploader.Sha256(content)), (file.GetProperty("filename").GetString(), file.GetProperty("sha256").GetString()));
        Assert.Equal(content, await mason.ContentAsync(Uploader.Id(file)));
    }

    [Fact]
    public async Task An_upload_whose_program_ends_is_resumed_by_another()
    {
        using var mason = await Uploader.NewAsync(server);
        var content = await MakeAsync();
        using (var first = Start(mason.Person, cutAfter: 0, stopAfter: 10_000_000))
        {
            Assert.Equal(("begin", "stopped"), (await EventAsync(first), await EventAsync(first)));
        }

        Assert.Empty(await mason.NamesAsync());
        using var second = Start(mason.Person, cutAfter: 0, stopAfter: 0);
        Assert.True((await second.ReadAsync()).GetProperty("resumed").GetBoolean());
        var success = await second.ReadAsync();

        Assert.Equal("success", success.GetProperty("event").GetString());
        Assert.DoesNotContain(success.GetProperty("requests").EnumerateArray(), static request => request.GetProperty("method").GetString() == "POST");
        var file = Assert.Single((await mason.ListAsync()).GetProperty("files").EnumerateArray());
        Assert.Equal(Uploader.Sha256(content), file.GetProperty("sha256").GetString());
        Assert.Equal(content, await mason.ContentAsync(Uploader.Id(file)));
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static async Task<string?> EventAsync(NodeProgram program) => (await program.ReadAsync()).GetProperty("event").GetString();

    private async Task<byte[]> MakeAsync()
    {
        var content = Uploader.Bytes(Length);
        await File.WriteAllBytesAsync(Path.Combine(_folder.FullName, "plan.bin"), content, Cancel);
        return content;
    }

    private NodeProgram Start(Person person, long cutAfter, long stopAfter) => NodeProgram.Start(
        "tus-upload.mjs",
        new Uri(server.BaseAddress, TusRequests.Path).ToString(),
        person.Tokens.Access,
        Path.Combine(_folder.FullName, "plan.bin"),
        Path.Combine(_folder.FullName, "uploads.json"),
        cutAfter.ToString(System.Globalization.CultureInfo.InvariantCulture),
        stopAfter.ToString(System.Globalization.CultureInfo.InvariantCulture));
}
