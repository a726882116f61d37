using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using Lintel.Bench.Client;
using Lintel.Bench.Reporting;
using Lintel.Bench.Servers;

namespace Lintel.Bench.Scenarios;

/// <summary>A large file, in one form and over tus: how fast it is stored, and that the server's memory does not grow with it.</summary>
internal sealed class FilesScenario : IScenario
{
    private const long Megabyte = 1024 * 1024;
    private const long GrowthLimit = 64 * Megabyte;

    public string Name => "files";

    public string About => "one upload of 1 GB in a form and over tus, and what the server's memory grows by";

    public async Task<Findings> RunAsync(Stage stage, CancellationToken cancellationToken)
    {
        var length = stage.Quick ? 256 * Megabyte : 1024 * Megabyte;
        var folder = stage.NewFolder();
        var settings = new Dictionary<string, string> { ["FILE_MAX_MB"] = "2048" };
        await using var server = await stage.StartServerAsync(folder, settings, cancellationToken);
        var account = await Account.CreateAsync(server, "uploader", cancellationToken);
        using var client = new HttpClient { BaseAddress = server.Url, Timeout = TimeSpan.FromMinutes(10) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", account.AccessToken);

        // Compiled and with its buffers made, as a server is that has been up for a while.
        await SendFormAsync(client, 16 * Megabyte, cancellationToken);
        await SendTusAsync(client, 16 * Megabyte, cancellationToken);

        var findings = new Findings();
        var raw = await WriteAsync(folder, length, cancellationToken);
        findings.Add(await MeasureAsync(server, "in a form", length, raw, () => SendFormAsync(client, length, cancellationToken)));
        findings.Add(await MeasureAsync(server, "over tus", length, raw, () => SendTusAsync(client, length, cancellationToken)));
        return findings.Note(
            $"An upload of {Show.Megabytes(length)} by one client on the same machine; growth is the server's highest resident size during the upload less that before it. " +
            $"Beside it: the same bytes hashed with SHA-256 and written to a file that is flushed to the disk, by one thread: {Rate(length, raw)}.");
    }

    private static async Task<Row> MeasureAsync(ChildServer server, string how, long length, TimeSpan raw, Func<Task> upload)
    {
        var before = Memory.Resident(server.ProcessId);
        Memory.ForgetPeak(server.ProcessId);
        var started = Stopwatch.GetTimestamp();
        await upload();
        var took = Stopwatch.GetElapsedTime(started);
        var growth = Math.Max(0, Memory.PeakResident(server.ProcessId) - before);
        return new Row(
            $"upload of {Show.Megabytes(length)} {how}", $"{Rate(length, took)}, memory +{Show.Megabytes(growth)}", $"hash and write {Rate(length, raw)}",
            Show.Percent(raw / took), "memory +64 MB or less", growth <= GrowthLimit);
    }

    private static async Task SendFormAsync(HttpClient client, long length, CancellationToken cancellationToken)
    {
        using var form = new MultipartFormDataContent();
        using var content = new StreamContent(new RepeatedBytes(length), 256 * 1024);
        content.Headers.ContentLength = length;
        form.Add(content, "file", "large.bin");
        using var response = await client.PostAsync("/api/files/upload", form, cancellationToken);
        response.EnsureSuccessStatusCode();
    }

    private static async Task SendTusAsync(HttpClient client, long length, CancellationToken cancellationToken)
    {
        using var creation = new HttpRequestMessage(HttpMethod.Post, "/api/files/tus");
        creation.Headers.Add("Tus-Resumable", "1.0.0");
        creation.Headers.Add("Upload-Length", length.ToString(CultureInfo.InvariantCulture));
        using var created = await client.SendAsync(creation, cancellationToken);
        created.EnsureSuccessStatusCode();

        using var content = new StreamContent(new RepeatedBytes(length), 256 * 1024);
        content.Headers.ContentLength = length;
        content.Headers.ContentType = new MediaTypeHeaderValue("application/offset+octet-stream");
        using var patch = new HttpRequestMessage(HttpMethod.Patch, created.Headers.Location) { Content = content };
        patch.Headers.Add("Tus-Resumable", "1.0.0");
        patch.Headers.Add("Upload-Offset", "0");
        using var patched = await client.SendAsync(patch, cancellationToken);
        patched.EnsureSuccessStatusCode();
    }

    private static async Task<TimeSpan> WriteAsync(string folder, long length, CancellationToken cancellationToken)
    {
        var path = Path.Combine(folder, "raw");
        var started = Stopwatch.GetTimestamp();
        using (var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256))
        {
            await using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 0);
            await using var content = new RepeatedBytes(length);
            var buffer = new byte[64 * 1024];
            int read;
            while ((read = await content.ReadAsync(buffer, cancellationToken)) > 0)
            {
                hash.AppendData(buffer.AsSpan(0, read));
                await file.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            }

            file.Flush(flushToDisk: true);
        }

        var took = Stopwatch.GetElapsedTime(started);
        File.Delete(path);
        return took;
    }

    private static string Rate(long bytes, TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{bytes / time.TotalSeconds / Megabyte:N0} MB/s");

    /// <summary>So many bytes without so much memory.</summary>
    private sealed class RepeatedBytes(long length) : Stream
    {
        private static readonly byte[] Pattern = Make();

        private long position;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => length;

        public override long Position { get => position; set => throw new NotSupportedException(); }

        public override int Read(Span<byte> buffer)
        {
            var count = (int)Math.Min(Math.Min(buffer.Length, Pattern.Length), length - position);
            Pattern.AsSpan(0, count).CopyTo(buffer);
            position += count;
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => new(Read(buffer.Span));

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => Task.FromResult(Read(buffer.AsSpan(offset, count)));

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        private static byte[] Make()
        {
            var pattern = RandomNumberGenerator.GetBytes(256 * 1024);
            pattern[0] = 0;
            return pattern;
        }
    }
}
