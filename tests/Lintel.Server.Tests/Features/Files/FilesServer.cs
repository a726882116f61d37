using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;
using Lintel.Features.Accounts;
using Lintel.Features.Files.Storage;
using Lintel.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Features.Files;

/// <summary>A server with little room for files.</summary>
public abstract class FilesServer : AccountsServer
{
    public const int Megabyte = 1024 * 1024;
    public const int MaxFormFile = 2 * Megabyte;
    public const int Quota = 16 * Megabyte;
    public const int MaxFiles = 40;

    private protected FilesServer(TestDatabaseKind kind, params string[] settings)
        : this(kind, static _ => { }, settings)
    {
    }

    private protected FilesServer(TestDatabaseKind kind, Action<IServiceCollection> replace, params string[] settings)
        : base(kind, new MovableClock(), replace, ["--FILE_MAX_MB=2", "--FILE_RESUMABLE_MAX_MB=24", "--FILE_QUOTA_MB=16", "--FILES_PER_ACCOUNT=40", .. settings])
    {
    }

    internal IFileStorage Storage => Services.GetRequiredService<IFileStorage>();

    internal FileSweepWorker Sweeper => Services.GetRequiredService<FileSweepWorker>();

    /// <summary>How many things the storage holds, drafts among them.</summary>
    public abstract Task<int> CountStoredAsync();

    /// <summary>Sweeps until nothing is left of what <paramref name="count"/> counts: the server sweeps by itself too, and may have some of it in hand.</summary>
    public async Task SweepAsync(string count, params object?[] values)
    {
        await Sweeper.ForgetAsync(TestContext.Current.CancellationToken);
        await Eventually.HoldsAsync(async () => await CountAsync(count, values) == 0);
    }
}

public abstract class DiskFilesServer : FilesServer
{
    private protected DiskFilesServer(TestDatabaseKind kind)
        : base(kind)
    {
    }

    private protected DiskFilesServer(TestDatabaseKind kind, Action<IServiceCollection> replace, params string[] settings)
        : base(kind, replace, settings)
    {
    }

    public string Folder => Path.Combine(DataFolder, "files");

    public override Task<int> CountStoredAsync() =>
        Task.FromResult(Directory.Exists(Folder) ? Directory.EnumerateFiles(Folder, "*", SearchOption.AllDirectories).Count() : 0);
}

public sealed class SqliteDiskFilesServer() : DiskFilesServer(TestDatabaseKind.Sqlite);

public sealed class PostgresDiskFilesServer() : DiskFilesServer(TestDatabaseKind.Postgres);

/// <summary>Keeps files in an object store, a process of its own.</summary>
public abstract class S3FilesServer : FilesServer, IAsyncDisposable
{
    private readonly S3Server _store;

    private protected S3FilesServer(TestDatabaseKind kind, S3Server store)
        : base(kind, store.Settings) => _store = store;

    internal S3Server Store => _store;

    async ValueTask IAsyncDisposable.DisposeAsync()
    {
        await DisposeAsync();
        _store.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Objects, and uploads in parts that were neither completed nor given up.</summary>
    public override Task<int> CountStoredAsync() => Task.FromResult(_store.Count());
}

public sealed class SqliteS3FilesServer() : S3FilesServer(TestDatabaseKind.Sqlite, S3Server.Start());

public sealed class PostgresS3FilesServer() : S3FilesServer(TestDatabaseKind.Postgres, S3Server.Start());

/// <summary>Someone with files, signed in.</summary>
internal sealed class Uploader(AccountsServer server, Person person) : IDisposable
{
    public Person Person => person;

    public HttpClient Client { get; } = Authorize(server.CreateClient(), person.Tokens.Access);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<Uploader> NewAsync(AccountsServer server) => new(server, await server.SignInAsync());

    public static string Sha256(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    /// <summary>Bytes that look like nothing in particular, the same for the same seed.</summary>
    public static byte[] Bytes(int length, int seed = 1)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        if (length > 0)
        {
            // Not by chance the beginning of a type that there is.
            bytes[0] = 0;
        }

        return bytes;
    }

    public async Task<HttpResponseMessage> PostAsync(byte[] content, string? filename = "drawing.bin", string? type = null, string field = "file")
    {
        using var form = new MultipartFormDataContent();
        using var part = new ByteArrayContent(content);
        if (type is not null)
        {
            part.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        }

        if (filename is null)
        {
            form.Add(part, field);
        }
        else
        {
            form.Add(part, field, filename);
        }

        return await Client.PostAsync("/api/files/upload", form, Cancel);
    }

    /// <summary>Uploads a file, which must be taken.</summary>
    public async Task<JsonElement> UploadAsync(byte[] content, string filename = "drawing.bin", string? type = null)
    {
        using var response = await PostAsync(content, filename, type);
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        return await response.JsonAsync();
    }

    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, HttpContent? content, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await Client.SendAsync(request, Cancel);
    }

    public Task<HttpResponseMessage> GetAsync(Guid id, params (string Name, string Value)[] headers) => SendAsync(HttpMethod.Get, $"/api/files/{id}", null, headers);

    /// <summary>The content of a file, which must be there.</summary>
    public async Task<byte[]> ContentAsync(Guid id)
    {
        using var response = await GetAsync(id);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.Content.ReadAsByteArrayAsync(Cancel);
    }

    public async Task<JsonElement> ListAsync(string query = "")
    {
        using var response = await Client.GetAsync("/api/files/list" + query, Cancel);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.JsonAsync();
    }

    public async Task<string[]> NamesAsync(string query = "") =>
        [.. (await ListAsync(query)).GetProperty("files").EnumerateArray().Select(static file => file.GetProperty("filename").GetString()!)];

    public Task<long> UsedAsync() => server.CountAsync("SELECT bytes FROM file_usage WHERE user_id = $1", person.Id);

    public void Dispose() => Client.Dispose();

    public static Guid Id(JsonElement file) => file.GetProperty("id").GetGuid();

    private static HttpClient Authorize(HttpClient client, string token)
    {
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return client;
    }
}
