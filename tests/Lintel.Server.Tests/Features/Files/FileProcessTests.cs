using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using Lintel.Features.Accounts;
using Lintel.Infrastructure;

namespace Lintel.Features.Files;

/// <summary>Files of a server as an operator runs it, and kills it.</summary>
public sealed class FileProcessTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("lintel-files-");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_upload_outlives_the_server_that_is_killed_in_the_middle_of_it()
    {
        var content = Uploader.Bytes(40_000_000);
        string upload;
        var person = new { email = "mason@example.com", password = AccountsServer.Password };
        using (var server = Start())
        {
            using var client = new HttpClient { BaseAddress = await server.ListeningAsync(Cancel) };
            using var registered = await client.PostAsJsonAsync("/auth/register", person, Cancel);
            var token = await SignInAsync(client, person);
            upload = await BeginAsync(client, content.Length);

            // As fast as it goes, and the server is gone before the end.
            using var connection = new TcpClient();
            await connection.ConnectAsync(client.BaseAddress!.Host, client.BaseAddress.Port, Cancel);
            var stream = connection.GetStream();
            await stream.WriteAsync(
                Encoding.ASCII.GetBytes(
                    $"PATCH {upload} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n"
                    + $"Content-Type: application/offset+octet-stream\r\nContent-Length: {content.Length}\r\n\r\n"),
                Cancel);
            await stream.WriteAsync(content.AsMemory(0, 39_000_000), Cancel);
            await Eventually.HoldsAsync(async () => await OffsetAsync(client, upload) > 0);
            server.Kill();
        }

        using var next = Start();
        using var again = new HttpClient { BaseAddress = await next.ListeningAsync(Cancel) };
        await SignInAsync(again, person);
        var offset = (int)await OffsetAsync(again, upload);
        Assert.InRange(offset, 16 * 1024 * 1024, 39_000_000);

        using var request = new HttpRequestMessage(HttpMethod.Patch, upload) { Content = new ByteArrayContent(content[offset..]) };
        request.Headers.Add("Tus-Resumable", "1.0.0");
        request.Headers.Add("Upload-Offset", offset.ToString(System.Globalization.CultureInfo.InvariantCulture));
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/offset+octet-stream");
        using var finished = await again.SendAsync(request, Cancel);
        Assert.Equal(HttpStatusCode.NoContent, finished.StatusCode);

        using var list = await again.GetAsync("/api/files/list", Cancel);
        var file = Assert.Single((await list.JsonAsync()).GetProperty("files").EnumerateArray());
        Assert.Equal(Uploader.Sha256(content), file.GetProperty("sha256").GetString());
        Assert.Equal(content, await again.GetByteArrayAsync($"/api/files/{TusRequests.IdOf(upload)}", Cancel));
        Assert.Single(Directory.EnumerateFiles(Path.Combine(_folder.FullName, "data", "files"), "*", SearchOption.AllDirectories));
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static async Task<string> SignInAsync(HttpClient client, object person)
    {
        using var signedIn = await client.PostAsJsonAsync("/auth/login", person, Cancel);
        var token = (await Tokens.OfAsync(signedIn)).Access;
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
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

    private static async Task<long> OffsetAsync(HttpClient client, string upload)
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, upload);
        request.Headers.Add("Tus-Resumable", "1.0.0");
        using var response = await client.SendAsync(request, Cancel);
        return long.Parse(response.Header("Upload-Offset"), System.Globalization.CultureInfo.InvariantCulture);
    }

    private ServerProcess Start() => ServerProcess.Start(_folder.FullName, ("PORT", "0"), ("SECRET_KEY", "0123456789abcdef0123456789abcdef"), ("EXECUTE", "off"), ("MAIL", "off"));
}
