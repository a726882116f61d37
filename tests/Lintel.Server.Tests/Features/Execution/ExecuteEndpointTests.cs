using System.Net;
using System.Net.Http.Json;
using Lintel.Infrastructure;

namespace Lintel.Features.Execution;

/// <summary>Running a program and waiting for its end.</summary>
public abstract class ExecuteEndpointTests(ExecutionServer server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_program_s_output_and_end_are_the_answer()
    {
        using var client = server.CreateMachine();

        var result = await client.ExecuteAsync(new
        {
            language = "PYTHON3",
            code = "import sys\nprint('Hello', input(), sys.argv[1], open('data.txt').read())\nprint('oops', file=sys.stderr)\nsys.exit(3)",
            stdin = "mason\n",
            args = new[] { "one two" },
            files = new[] { new { name = "data.txt", content = "aGVyZQ==", encoding = "base64" } },
        });

        Assert.Equal("Hello mason one two here\n", result.Text("stdout"));
        Assert.Equal("oops\n", result.Text("stderr"));
        Assert.Equal(3, result.Number("exit_code"));
        Assert.Equal("nonzero", result.Text("verdict"));
        Assert.False(result.GetProperty("truncated").GetBoolean());
        Assert.InRange(result.GetProperty("execution_time").GetDouble(), 0.001, 10);
        Assert.False(result.TryGetProperty("signal", out _));
        using var job = await client.GetAsync($"/api/jobs/{result.Text("job_id")}", Cancel);
        Assert.Equal("complete", (await job.JsonAsync()).Text("status"));
    }

    [Fact]
    public async Task A_compiled_program_runs_and_an_error_in_one_is_told()
    {
        using var client = server.CreateMachine();

        var ran = await client.ExecuteAsync(new { language = "c", code = "#include <stdio.h>\nint main(void) { puts(\"compiled\"); return 0; }" });
        var refused = await client.ExecuteAsync(new { language = "c", code = "int main(void) { return nothing; }" });

        Assert.Equal(("compiled\n", "ok"), (ran.Text("stdout"), ran.Text("verdict")));
        Assert.Equal("compile_error", refused.Text("verdict"));
        Assert.Contains("nothing", refused.Text("compile_output"), StringComparison.Ordinal);
        Assert.NotEqual(0, refused.Number("exit_code"));
    }

    [Theory]
    [InlineData("while True: pass", "time_limit")]
    [InlineData("x = bytearray(1 << 30); print(len(x))", "nonzero")]
    [InlineData("while True: print('x' * 1000)", "output_limit")]
    [InlineData("import os\nos.kill(os.getpid(), 11)", "signalled")]
    public async Task A_limit_or_a_signal_is_the_verdict(string code, string verdict)
    {
        using var client = server.CreateMachine();

        var result = await client.ExecuteAsync(new { language = "python", code, limits = new { wall_seconds = 1, memory_mb = 64, output_kb = 64 } });

        Assert.Equal(verdict, result.Text("verdict"));
        if (verdict == "signalled")
        {
            Assert.Equal(("SIGSEGV", 139), (result.Text("signal"), result.Number("exit_code")));
        }

        if (verdict == "output_limit")
        {
            Assert.Equal(64 * 1024, result.Text("stdout")!.Length);
        }
    }

    [Fact]
    public async Task Limits_are_cut_down_to_the_server_s()
    {
        await using var strict = await ServerFixture.StartAsync(["--EXECUTE=required", "--EXECUTE_MAX_WALL_SECONDS=1", "--EXECUTE_MAX_OUTPUT_KB=1"]);
        using var client = strict.CreateClient();
        client.DefaultRequestHeaders.Add("X-API-Key", ExecutionServer.ApiKey);

        var slow = await client.ExecuteAsync(new { language = "bash", code = "sleep 60", limits = new { wall_seconds = 600 } });
        var loud = await client.ExecuteAsync(new { language = "bash", code = "yes", limits = new { output_kb = 600000 } });

        Assert.Equal("time_limit", slow.Text("verdict"));
        Assert.Equal(1024, loud.Text("stdout")!.Length);
    }

    [Fact]
    public async Task Every_bad_field_is_named()
    {
        using var client = server.CreateMachine();
        object body = new
        {
            code = 7,
            language = "klingon",
            stdin = 1,
            args = new object[] { "fine", 2 },
            files = new object[] { new { name = "../up", content = "x" }, new { name = "a", content = "%", encoding = "base64" }, new { name = "a/b" }, 3 },
            limits = new { wall_seconds = 0, memory_mb = "much", output_kb = -1 },
            detach = "yes",
            terminal = new { cols = 0 },
        };
        string[] fields =
        [
            "args[1]", "code", "detach", "files[0].name", "files[1].content", "files[2].content", "files[2].name", "files[3]", "language", "limits.memory_mb", "limits.output_kb",
            "limits.wall_seconds", "stdin", "terminal.cols", "terminal.rows",
        ];

        using var direct = await client.PostAsJsonAsync("/api/execute", body, Cancel);
        using var job = await client.PostAsJsonAsync("/api/jobs", new { kind = "execute", input = body }, Cancel);

        Assert.Equal(fields, await BadFieldsAsync(direct));
        Assert.Equal(fields.Select(static field => "input." + field), await BadFieldsAsync(job));
        Assert.Contains("\"Unsupported language: klingon\"", await direct.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Languages_are_listed_with_versions_or_the_reason()
    {
        using var client = server.CreateMachine();
        using var response = await client.GetAsync("/api/languages", Cancel);
        var languages = (await response.JsonAsync()).GetProperty("languages").EnumerateArray().ToDictionary(static language => language.Text("id")!);

        Assert.StartsWith("3.", languages["python"].Text("version"), StringComparison.Ordinal);
        Assert.True(languages["c"].GetProperty("compiled").GetBoolean());
        Assert.All(languages.Values, static language =>
            Assert.Equal(language.GetProperty("installed").GetBoolean(), language.Text("version") is not null && language.Text("reason") is null));
    }

    [Fact]
    public async Task A_batch_is_compiled_once_and_run_for_each_input()
    {
        using var client = server.CreateMachine();
        var code = $$"""
            #include <stdio.h>
            // {{Guid.CreateVersion7()}}
            int main(int count, char **args) { int n; if (scanf("%d", &n) != 1) return 9; printf("%s %d\n", count > 1 ? args[1] : "-", n * n); return n == 4; }
            """;
        object[] inputs = [new { stdin = "3" }, new { stdin = "4", args = new[] { "four" } }, new { }];

        using var response = await client.PostAsJsonAsync("/api/execute/batch", new { language = "c", code, inputs }, Cancel);
        var batch = await response.JsonAsync();
        await using var events = await SseClient.OpenAsync(client, $"/api/jobs/{batch.Text("job_id")}/events");

        Assert.Equal("ok", batch.Text("verdict"));
        Assert.Equal(
            [("- 9\n", 0, "ok"), ("four 16\n", 1, "nonzero"), ("", 9, "nonzero")],
            batch.GetProperty("results").EnumerateArray().Select(static run => (run.Text("stdout")!, run.Number("exit_code"), run.Text("verdict")!)));
        Assert.Equal(["status", "status", "result", "result", "result", "complete"], (await events.ReadToEndAsync()).Select(static item => item.Kind));
    }

    [Fact]
    public async Task A_batch_that_does_not_compile_has_no_results()
    {
        using var client = server.CreateMachine();
        using var response = await client.PostAsJsonAsync("/api/execute/batch", new { language = "c", code = "int main(void) { return nothing; }", inputs = new[] { new { stdin = "" } } }, Cancel);
        var batch = await response.JsonAsync();

        Assert.Equal(("compile_error", 0), (batch.Text("verdict"), batch.GetProperty("results").GetArrayLength()));
        Assert.Contains("nothing", batch.Text("compile_output"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_batch_whose_time_is_over_begins_no_further_run_and_has_the_results_so_far()
    {
        await using var hasty = await ServerFixture.StartAsync(["--EXECUTE=required", "--EXECUTE_MAX_WALL_SECONDS=1"]);
        using var client = hasty.CreateClient();
        client.DefaultRequestHeaders.Add("X-API-Key", ExecutionServer.ApiKey);
        var inputs = Enumerable.Repeat(new { stdin = "" }, 20);
        using var response = await client.PostAsJsonAsync("/api/execute/batch", new { language = "bash", code = "sleep 0.3", inputs }, Cancel);
        var batch = await response.JsonAsync();

        Assert.Equal("time_limit", batch.Text("verdict"));
        Assert.InRange(batch.GetProperty("results").GetArrayLength(), 1, 4);
    }

    [Fact]
    public async Task Every_bad_field_of_a_batch_is_named()
    {
        using var client = server.CreateMachine();
        using var response = await client.PostAsJsonAsync(
            "/api/execute/batch", new { language = "c", code = "x", terminal = new { cols = 80, rows = 24 }, inputs = new object[] { new { stdin = 1 }, new { args = "x" }, 2 } }, Cancel);
        using var empty = await client.PostAsJsonAsync("/api/execute/batch", new { language = "c", code = "x" }, Cancel);

        Assert.Equal(["inputs[0].stdin", "inputs[1].args", "inputs[2]", "terminal"], await BadFieldsAsync(response));
        Assert.Equal(["inputs"], await BadFieldsAsync(empty));
    }

    [Fact]
    public async Task Nobody_without_the_scope_runs_code()
    {
        using var nobody = await server.Client.PostAsJsonAsync("/api/execute", new { code = "1", language = "python" }, Cancel);
        using var create = await server.Client.PostAsync("/api/jobs/create", null, Cancel);
        using var languages = await server.Client.GetAsync("/api/languages", Cancel);

        Assert.All([nobody, create, languages], static response => Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode));
    }

    [Fact]
    public async Task A_job_of_kind_execute_is_run_once_and_its_events_stay()
    {
        using var client = server.CreateMachine();
        using var submitted = await client.PostAsJsonAsync("/api/jobs", new { kind = "execute", input = new { code = "import sys; sys.stdout.write('kept')", language = "py" } }, Cancel);
        Assert.Equal(HttpStatusCode.Accepted, submitted.StatusCode);
        var id = (await submitted.JsonAsync()).Text("job_id");

        await using var first = await SseClient.OpenAsync(client, $"/api/jobs/{id}/events");
        var seen = await first.ReadToEndAsync();
        await using var second = await SseClient.OpenAsync(client, $"/api/jobs/{id}/events");
        var again = await second.ReadToEndAsync();

        Assert.Equal(["status", "output", "complete"], seen.Select(static item => item.Kind));
        Assert.Equal("""{"stream":"stdout","data":"kept"}""", seen[1].Data);
        Assert.Equal(("ok", id), (seen[2].Json.Text("verdict"), seen[2].Json.Text("job_id")));
        Assert.Equal(seen, again);
    }

    [Fact]
    public async Task Cancelling_kills_the_program()
    {
        using var client = server.CreateMachine();
        using var submitted = await client.PostAsJsonAsync(
            "/api/jobs", new { kind = "execute", input = new { code = "import sys, time; sys.stdout.write('up'); time.sleep(300)", language = "python", limits = new { wall_seconds = 300 } } }, Cancel);
        var id = (await submitted.JsonAsync()).Text("job_id");
        await using var events = await SseClient.OpenAsync(client, $"/api/jobs/{id}/events");
        Assert.Equal(["status", "output"], [(await events.ReadAsync())!.Kind, (await events.ReadAsync())!.Kind]);

        using var cancelled = await client.DeleteAsync($"/api/jobs/{id}", Cancel);

        Assert.Equal(HttpStatusCode.Accepted, cancelled.StatusCode);
        Assert.Equal("cancelled", (await events.ReadAsync())!.Kind);
    }

    [Fact]
    public async Task Output_is_valid_json_whatever_the_program_prints()
    {
        using var client = server.CreateMachine();

        var result = await client.ExecuteAsync(new
        {
            language = "python",
            code = "import sys, time\nout = sys.stdout.buffer\nfor part in (b'\\xf0\\x9f', b'\\x98\\x80', b'\\xff\\x00\\x1b[31m\"\\\\\\r\\n', b'\\xe2\\x82'):\n  out.write(part); out.flush(); time.sleep(0.05)",
        });

        Assert.Equal("😀\uFFFD\0\u001b[31m\"\\\r\n\uFFFD", result.Text("stdout"));
    }

    [Fact]
    public async Task Twenty_programs_run_at_once_while_others_are_answered()
    {
        using var machine = server.CreateMachine();
        using var person = await server.SignInAsync();
        var barrier = "import time\nprint('up', flush=True)\nend = time.time() + 3\nwhile time.time() < end: pass";
        var sockets = await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ =>
        {
            var socket = await server.OpenWithKeyAsync();
            await socket.StartAsync(barrier);
            await socket.ReadUntilAsync("up");
            return socket;
        }));

        using var health = await server.Client.GetAsync("/health", Cancel);
        using var me = await person.GetAsync("/auth/me", Cancel);
        var ends = await Task.WhenAll(sockets.Select(static socket => socket.NextAsync("complete")));

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (health.StatusCode, me.StatusCode));
        Assert.All(ends, static end => Assert.Equal("ok", end.Text("verdict")));
        await Task.WhenAll(sockets.Select(static socket => socket.DisposeAsync().AsTask()));
    }

    [Fact]
    public async Task A_job_token_runs_one_program_without_a_key()
    {
        using var client = await server.SignInAsync();
        using var created = await client.PostAsync("/api/jobs/create", null, Cancel);
        var grant = await created.JsonAsync();
        var execute = new { type = "execute", code = "print('granted')", language = "python", job_id = grant.Text("job_id"), job_token = grant.Text("job_token") };

        await using var socket = await server.OpenAsync();
        await socket.SendAsync(execute);
        var messages = await socket.ReceiveToEndAsync();
        await using var second = await server.OpenAsync();
        await second.SendAsync(execute);
        var refused = await second.ReceiveAsync();

        Assert.Equal("granted\r\n", messages.Output());
        Assert.All(messages.Where(static message => message.Text("type") == "status"), status => Assert.Equal(grant.Text("job_id"), status.Text("job_id")));
        Assert.Equal("Invalid or expired token", refused!.Value.Text("message"));
        await second.AssertClosedAsync(System.Net.WebSockets.WebSocketCloseStatus.PolicyViolation, "Invalid or expired token");
        using var job = await client.GetAsync($"/api/jobs/{grant.Text("job_id")}", Cancel);
        Assert.Equal("complete", (await job.JsonAsync()).Text("status"));
    }

    private static async Task<string[]> BadFieldsAsync(HttpResponseMessage response)
    {
        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        var fields = (await response.JsonAsync()).GetProperty("error").GetProperty("details").GetProperty("fields");
        return [.. fields.EnumerateObject().Select(static field => field.Name).Order(StringComparer.Ordinal)];
    }
}

public sealed class SqliteExecuteEndpointTests(SqliteExecutionServer server) : ExecuteEndpointTests(server), IClassFixture<SqliteExecutionServer>;

public sealed class PostgresExecuteEndpointTests(PostgresExecutionServer server) : ExecuteEndpointTests(server), IClassFixture<PostgresExecutionServer>;
