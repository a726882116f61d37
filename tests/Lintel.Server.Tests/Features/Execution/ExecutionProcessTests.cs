using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Lintel.Crash;
using Lintel.Infrastructure;

namespace Lintel.Features.Execution;

/// <summary>The server as a process of its own: what is left of its programs, and what they cost it.</summary>
public sealed class ExecutionProcessTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lintel-execution-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_server_that_is_killed_leaves_no_program_and_says_so_when_it_is_back()
    {
        var mark = HostProcesses.NewMark();
        string id;
        await using (var server = Start())
        {
            using var client = await ConnectAsync(server);
            id = await SubmitAsync(client, new { language = "python", code = "import sys, time; sys.stdout.write('up'); time.sleep(299)", args = new[] { mark }, limits = new { wall_seconds = 300 } });
            await using var events = await SseClient.OpenAsync(client, $"/api/jobs/{id}/events");
            Assert.Equal("status", (await events.ReadAsync())!.Kind);
            Assert.Equal("output", (await events.ReadAsync())!.Kind);
            Assert.NotEmpty(HostProcesses.With(mark));

            await server.KillAsync();
            await HostProcesses.GoneAsync(mark);
        }

        await using var next = Start();
        using var again = await ConnectAsync(next);
        await using var rest = await SseClient.OpenAsync(again, $"/api/jobs/{id}/events");
        var all = await rest.ReadToEndAsync();

        Assert.Equal(["status", "output", "failed"], all.Select(static item => item.Kind));
        Assert.StartsWith("The job ended with the server that ran it", all[^1].Json.Text("message"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_hundred_megabytes_of_output_reach_the_reader_and_not_the_server_s_memory()
    {
        const int Megabytes = 200;
        await using var server = Start("--EXECUTE_MAX_OUTPUT_KB=262144");
        using var client = await ConnectAsync(server);

        // Fills the 32 MB that the database keeps of its file in memory, which any other work would fill as well.
        await SubmitAndReadAsync(client, 50);
        var before = PeakMemoryMb(server.Id);

        var (length, verdict) = await SubmitAndReadAsync(client, Megabytes);

        Assert.Equal((Megabytes * 1024L * 1024, "ok"), (length, verdict));
        Assert.InRange(PeakMemoryMb(server.Id) - before, 0, 32);
    }

    [Fact]
    public async Task Where_the_sandbox_does_not_hold_nothing_is_run_and_everybody_is_told_why()
    {
        await using var server = await ServerFixture.StartAsync(["--EXECUTE=auto", "--EXECUTE_BUBBLEWRAP=/nonexistent/bwrap"]);
        using var client = server.CreateClient();
        client.DefaultRequestHeaders.Add("X-API-Key", ExecutionServer.ApiKey);
        var program = new { code = "print(1)", language = "python" };

        using var direct = await client.PostAsJsonAsync("/api/execute", program, Cancel);
        using var job = await client.PostAsJsonAsync("/api/jobs", new { kind = "execute", input = program }, Cancel);
        using var languages = await client.GetAsync("/api/languages", Cancel);
        await using var socket = await SocketClient.OpenAsync(server.SocketAddress("/ws/execute"), "X-API-Key", ExecutionServer.ApiKey);
        await socket.StartAsync("print(1)");
        var told = await socket.ReceiveAsync();
        using var ready = await client.GetAsync("/health/ready", Cancel);

        Assert.All([direct, job, languages], static response => Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode));
        Assert.Equal("SERVICE_UNAVAILABLE", await direct.ErrorCodeAsync());
        Assert.StartsWith("bubblewrap is not installed", (await job.JsonAsync()).GetProperty("error").Text("message"), StringComparison.Ordinal);
        Assert.StartsWith("bubblewrap is not installed", told!.Value.Text("message"), StringComparison.Ordinal);
        await socket.AssertClosedAsync(System.Net.WebSockets.WebSocketCloseStatus.InternalServerError);
        Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
        Assert.Equal("degraded", SandboxEntry(await ready.JsonAsync()).Text("status"));
    }

    [Fact]
    public async Task A_node_that_must_run_code_is_not_ready_without_a_sandbox()
    {
        await using var server = await ServerFixture.StartAsync(["--EXECUTE=required", "--EXECUTE_BUBBLEWRAP=/nonexistent/bwrap"]);

        await server.Log.WaitForAsync(static line => line.Text("message")!.StartsWith("No code can be run", StringComparison.Ordinal), Cancel);
        using var ready = await server.Client.GetAsync("/health/ready", Cancel);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        Assert.Equal("failed", SandboxEntry(await ready.JsonAsync()).Text("status"));
    }

    [Fact]
    public async Task A_server_that_stops_ends_its_programs_and_never_begins_them_again()
    {
        await using var server = await ServerFixture.StartAsync(["--EXECUTE=required"]);
        string id;
        using (var client = server.CreateClient())
        {
            client.DefaultRequestHeaders.Add("X-API-Key", ExecutionServer.ApiKey);
            id = await SubmitAsync(client, new { language = "python", code = "import sys, time; sys.stdout.write('up'); time.sleep(299)", detach = true, limits = new { wall_seconds = 300 } });
            await using var events = await SseClient.OpenAsync(client, $"/api/jobs/{id}/events");
            await events.ReadAsync();
            await events.ReadAsync();
        }

        await server.RestartAsync();
        using var again = server.CreateClient();
        again.DefaultRequestHeaders.Add("X-API-Key", ExecutionServer.ApiKey);
        await using var rest = await SseClient.OpenAsync(again, $"/api/jobs/{id}/events");
        var all = await rest.ReadToEndAsync();

        Assert.Equal(["status", "output", "failed"], all.Select(static item => item.Kind));
        Assert.StartsWith("The server was stopped while it ran this job", all[^1].Json.Text("message"), StringComparison.Ordinal);
    }

    private static JsonElement SandboxEntry(JsonElement report) =>
        report.GetProperty("dependencies").EnumerateArray().Single(static entry => entry.Text("name") == "sandbox");

    private static async Task<string> SubmitAsync(HttpClient client, object input)
    {
        using var submitted = await client.PostAsJsonAsync("/api/jobs", new { kind = "execute", input }, Cancel);
        Assert.Equal(HttpStatusCode.Accepted, submitted.StatusCode);
        return (await submitted.JsonAsync()).Text("job_id")!;
    }

    private static async Task<(long Length, string? Verdict)> SubmitAndReadAsync(HttpClient client, int megabytes)
    {
        var code = $"import sys\nfor _ in range({megabytes * 16}): sys.stdout.write('x' * 65536)";
        var id = await SubmitAsync(client, new { language = "python", code, limits = new { output_kb = 262144, wall_seconds = 300, cpu_seconds = 60 } });
        await using var events = await SseClient.OpenAsync(client, $"/api/jobs/{id}/events");
        var length = 0L;
        while (await events.ReadAsync() is { } item)
        {
            if (item.Kind == "output")
            {
                length += item.Json.Text("data")!.Length;
            }
            else if (item.Kind == "complete")
            {
                return (length, item.Json.Text("verdict"));
            }
        }

        return (length, null);
    }

    private static long PeakMemoryMb(int id) =>
        long.Parse(
            File.ReadLines($"/proc/{id}/status").First(static line => line.StartsWith("VmHWM:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
            CultureInfo.InvariantCulture) / 1024;

    private ChildProcess Start(params string[] settings) => ChildProcess.Start(
        "Lintel.Server",
        [
            "--HOST=127.0.0.1", "--PORT=0", $"--LINTEL_DATA={_folder}", "--SECRET_KEY=0123456789abcdef0123456789abcdef-for-tests", $"--API_KEY={ExecutionServer.ApiKey}",
            "--EXECUTE=required", .. settings,
        ]);

    private static async Task<HttpClient> ConnectAsync(ChildProcess server)
    {
        var client = new HttpClient { BaseAddress = await server.WaitForAddressAsync(), Timeout = TimeSpan.FromMinutes(5) };
        client.DefaultRequestHeaders.Add("X-API-Key", ExecutionServer.ApiKey);
        return client;
    }
}
