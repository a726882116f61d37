using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using Lintel.Features.Accounts;
using Lintel.Infrastructure;

namespace Lintel.Features.Files;

/// <summary>Two servers, each a process of its own, on one PostgreSQL and one object store.</summary>
public sealed class FileClusterTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_upload_that_began_on_one_node_goes_on_on_the_other_also_after_the_first_was_killed_while_it_wrote()
    {
        var folder = Directory.CreateTempSubdirectory("lintel-cluster-");
        await using var database = await TestDatabase.CreateAsync(TestDatabaseKind.Postgres);
        using var store = S3Server.Start();
        try
        {
            using var first = Start(folder.FullName, database.Url!, store);
            using var second = Start(folder.FullName, database.Url!, store);
            using var here = new HttpClient { BaseAddress = await first.ListeningAsync(Cancel) };
            using var there = new HttpClient { BaseAddress = await second.ListeningAsync(Cancel) };
            var token = await SignInAsync(here, there);
            var content = Uploader.Bytes(13_000_000);
            var upload = await BeginAsync(here, content.Length);

            // Neither ends where a part of the store does.
            Assert.Equal(HttpStatusCode.NoContent, await AppendAsync(here, upload, 0, content[..6_000_000]));
            Assert.Equal(HttpStatusCode.NoContent, await AppendAsync(there, upload, 6_000_000, content[6_000_000..7_000_000]));

            // One that says that it has more, and is the upload's writer until it is dead.
            using var connection = new TcpClient();
            await connection.ConnectAsync(here.BaseAddress!.Host, here.BaseAddress.Port, Cancel);
            await connection.GetStream().WriteAsync(
                Encoding.ASCII.GetBytes(
                    $"PATCH {upload} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 7000000\r\n"
                    + "Content-Type: application/offset+octet-stream\r\nContent-Length: 6000000\r\n\r\n"),
                Cancel);
            await connection.GetStream().WriteAsync(new byte[5_000_000], Cancel);
            await Eventually.HoldsAsync(async () => await AppendAsync(there, upload, 7_000_000, []) == HttpStatusCode.Locked);
            first.Kill();

            await Eventually.HoldsAsync(async () => await AppendAsync(there, upload, 7_000_000, content[7_000_000..]) == HttpStatusCode.NoContent);
            Assert.Equal(content, await there.GetByteArrayAsync($"/api/files/{TusRequests.IdOf(upload)}", Cancel));
            using var list = await there.GetAsync("/api/files/list", Cancel);
            Assert.Equal(Uploader.Sha256(content), (await list.JsonAsync()).GetProperty("files")[0].GetProperty("sha256").GetString());
            Assert.Equal(1, store.Count());
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static ServerProcess Start(string folder, string database, S3Server store) => ServerProcess.Start(
        folder,
        [
            ("PORT", "0"),
            ("DATABASE_URL", database),
            ("LINTEL_DATA", Path.Combine(folder, Guid.CreateVersion7().ToString())),
            ("SECRET_KEY", "0123456789abcdef0123456789abcdef"),
            ("EXECUTE", "off"),
            ("RATE_LIMIT_UPLOADS", "1000000"),
            .. store.Settings.Select(static setting => (setting[2..setting.IndexOf('=', StringComparison.Ordinal)], setting[(setting.IndexOf('=', StringComparison.Ordinal) + 1)..])),
        ]);

    private static async Task<string> SignInAsync(HttpClient here, HttpClient there)
    {
        var person = new { email = "mason@example.com", password = AccountsServer.Password };
        using var registered = await here.PostAsJsonAsync("/auth/register", person, Cancel);
        using var signedIn = await here.PostAsJsonAsync("/auth/login", person, Cancel);
        var token = (await Tokens.OfAsync(signedIn)).Access;
        here.DefaultRequestHeaders.Authorization = there.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return token;
    }

    private static async Task<string> BeginAsync(HttpClient client, long length)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, TusRequests.Path);
        request.Headers.Add("Tus-Resumable", "1.0.0");
        request.Headers.Add("Upload-Length", length.ToString(System.Globalization.CultureInfo.InvariantCulture));
        using var response = await client.SendAsync(request, Cancel);
        return response.Headers.Location!.ToString();
    }

    private static async Task<HttpStatusCode> AppendAsync(HttpClient client, string upload, long offset, byte[] content)
    {
        using var request = new HttpRequestMessage(HttpMethod.Patch, upload) { Content = new ByteArrayContent(content) };
        request.Headers.Add("Tus-Resumable", "1.0.0");
        request.Headers.Add("Upload-Offset", offset.ToString(System.Globalization.CultureInfo.InvariantCulture));
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/offset+octet-stream");
        using var response = await client.SendAsync(request, Cancel);
        return response.StatusCode;
    }
}
