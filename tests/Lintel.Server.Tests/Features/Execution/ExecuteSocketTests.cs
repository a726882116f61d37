using System.Net.Http.Json;
using System.Net.WebSockets;
using Lintel.Infrastructure;

namespace Lintel.Features.Execution;

/// <summary>A program at the other end of a socket.</summary>
public abstract class ExecuteSocketTests(ExecutionServer server)
{
    private const string Sleep = "print('up', flush=True)\nimport time\ntime.sleep(250)";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_program_says_how_far_it_is_what_it_prints_and_how_it_ended()
    {
        await using var socket = await server.OpenAsync();
        await socket.SendAsync(new { type = "execute", code = "print('hi')", language = "python", api_key = ExecutionServer.ApiKey });

        var messages = await socket.ReceiveToEndAsync();

        Assert.Equal(["queued", "running"], messages.Where(static message => message.Text("type") == "status").Select(static message => message.Text("status")!));
        Assert.Equal("hi\r\n", messages.Output());
        var end = messages[^1];
        Assert.Equal(("complete", 0, "ok"), (end.Text("type"), end.Number("exit_code"), end.Text("verdict")));
        Assert.True(end.TryGetProperty("execution_time", out _) && end.TryGetProperty("memory_kb", out _));
        Assert.Equal(WebSocketCloseStatus.NormalClosure, socket.CloseStatus);
    }

    [Fact]
    public async Task A_compiled_program_says_that_it_is_compiled()
    {
        await using var socket = await server.OpenWithKeyAsync();
        await socket.StartAsync("int main(void) { return oops; }", "c");

        var messages = await socket.ReceiveToEndAsync();

        Assert.Equal(["queued", "compiling"], messages.Where(static message => message.Text("type") == "status").Select(static message => message.Text("status")!));
        Assert.Contains("oops", messages.Output("compile"), StringComparison.Ordinal);
        Assert.Equal("compile_error", messages[^1].Text("verdict"));
    }

    [Fact]
    public async Task A_person_types_resizes_and_interrupts()
    {
        await using var socket = await server.OpenWithKeyAsync();
        await socket.StartAsync("""
            import os, signal, sys
            size = lambda: print('size', *os.get_terminal_size(), flush=True)
            signal.signal(signal.SIGWINCH, lambda *_: size())
            size()
            try:
                print('name', input('? '), flush=True)
                signal.pause()
                signal.pause()
            except KeyboardInterrupt:
                sys.exit(7)
            """);
        Assert.Contains("size 80 24", await socket.ReadUntilAsync("? "), StringComparison.Ordinal);
        await socket.SendAsync(new { type = "input", data = "Mäson\n" });
        await socket.ReadUntilAsync("name Mäson");
        await socket.SendAsync(new { type = "resize", cols = 132, rows = 50 });
        await socket.ReadUntilAsync("size 132 50");
        await socket.SendAsync(new { type = "signal", signal = "SIGINT" });

        Assert.Equal(7, (await socket.NextAsync("complete")).Number("exit_code"));
    }

    [Fact]
    public async Task Pipes_keep_the_streams_apart_and_end_when_told()
    {
        await using var socket = await server.OpenWithKeyAsync();
        await socket.SendAsync(new { type = "execute", code = "import sys\nsys.stderr.write('e')\nprint(len(sys.stdin.read()))", language = "python", stdin = "ab", terminal = (object?)null });
        await socket.RunningAsync();
        await socket.SendAsync(new { type = "input", data = "cd" });
        await socket.SendAsync(new { type = "eof" });

        var messages = await socket.ReceiveToEndAsync();

        Assert.Equal(("4\n", "e"), (messages.Output(), messages.Output("stderr")));
    }

    [Fact]
    public async Task Kill_ends_the_program()
    {
        await using var socket = await server.OpenWithKeyAsync();
        await socket.StartAsync(Sleep);
        await socket.ReadUntilAsync("up");
        await socket.SendAsync(new { type = "kill" });

        var end = await socket.NextAsync("complete");

        Assert.Equal(("cancelled", "SIGKILL"), (end.Text("verdict"), end.Text("signal")));
        await socket.AssertClosedAsync(WebSocketCloseStatus.NormalClosure);
    }

    [Fact]
    public async Task A_cancelled_job_is_told_as_a_complete_run()
    {
        using var client = server.CreateMachine();
        await using var socket = await server.OpenWithKeyAsync();
        await socket.StartAsync(Sleep);
        var id = await socket.RunningAsync();
        using var cancelled = await client.DeleteAsync($"/api/jobs/{id}", Cancel);

        Assert.Equal("cancelled", (await socket.NextAsync("complete")).Text("verdict"));
        await socket.AssertClosedAsync(WebSocketCloseStatus.NormalClosure);
    }

    [Theory]
    [InlineData("""{"type":"input","data":"x"}""", "First message must be of type 'execute'", "First message must be of type 'execute'")]
    [InlineData("""{"type":"execute","code":"1","language":"python"}""", "API key is required", "Missing API key")]
    [InlineData("""{"type":"execute","code":"1","language":"python","api_key":"wrong"}""", "Invalid API key", "Invalid API key")]
    [InlineData("""{"type":"execute","code":"1","language":"python","token":"wrong"}""", "Invalid or expired token", "Invalid or expired token")]
    [InlineData("""{"type":"execute","code":"1","language":"python","job_id":"019b3c4e-7a10-7c1e-9d3f-2f6a5b8c9d01","job_token":"wrong"}""", "Invalid or expired token", "Invalid or expired token")]
    public async Task Credentials_come_before_everything(string first, string message, string reason)
    {
        using var client = server.CreateMachine();
        await using var socket = await server.OpenAsync();
        await socket.SendAsync(first);

        Assert.Equal(message, (await socket.ReceiveAsync())!.Value.Text("message"));
        await socket.AssertClosedAsync(WebSocketCloseStatus.PolicyViolation, reason);
    }

    [Theory]
    [InlineData("""{"type":"execute","language":"python"}""", "Code and language are required")]
    [InlineData("""{"type":"execute","code":"","language":"python"}""", "Code and language are required")]
    [InlineData("""{"type":"execute","code":"1"}""", "Code and language are required")]
    [InlineData("""{"type":"execute","code":"1","language":"klingon"}""", "Unsupported language: klingon")]
    [InlineData("""{"type":"execute","code":"1","language":"python","limits":{"wall_seconds":0}}""", "limits.wall_seconds: Must be a number of at least 0.1.")]
    public async Task What_cannot_be_run_is_told_and_closes_in_order(string first, string message)
    {
        await using var socket = await server.OpenWithKeyAsync();
        await socket.SendAsync(first);

        Assert.Equal(message, (await socket.ReceiveAsync())!.Value.Text("message"));
        await socket.AssertClosedAsync(WebSocketCloseStatus.NormalClosure);
    }

    [Fact]
    public async Task A_wrong_first_message_is_refused_with_credentials_too()
    {
        await using var socket = await server.OpenWithKeyAsync();
        await socket.SendAsync(new { type = "ping" });

        Assert.Equal("First message must be of type 'execute'", (await socket.ReceiveAsync())!.Value.Text("message"));
        await socket.AssertClosedAsync(WebSocketCloseStatus.PolicyViolation);
    }

    [Fact]
    public async Task Who_says_nothing_is_let_go_after_five_seconds()
    {
        await using var unknown = await server.OpenAsync();
        await using var known = await server.OpenWithKeyAsync();

        Assert.Equal("Authentication timeout", (await unknown.ReceiveAsync())!.Value.Text("message"));
        await unknown.AssertClosedAsync(WebSocketCloseStatus.PolicyViolation, "Authentication timeout");
        Assert.Equal("Authentication timeout", (await known.ReceiveAsync())!.Value.Text("message"));
        await known.AssertClosedAsync(WebSocketCloseStatus.PolicyViolation, "Authentication timeout");
    }

    [Fact]
    public async Task Every_form_of_credentials_is_taken()
    {
        var token = await server.NewTokenAsync();
        using var client = server.CreateClient();
        client.DefaultRequestHeaders.Authorization = new("Bearer", token);
        using var issued = await client.PostAsJsonAsync("/auth/ws-ticket", new { path = "/ws/execute" }, Cancel);
        var ticket = (await issued.JsonAsync()).Text("ticket");
        Task<SocketClient>[] open =
        [
            server.OpenAsync($"?ticket={ticket}"), server.OpenAsync($"?token={token}"),
            SocketClient.OpenAsync(server.SocketAddress("/ws/execute"), "Authorization", $"Bearer {token}"), server.OpenAsync(), server.OpenAsync(),
        ];
        foreach (var (socket, index) in (await Task.WhenAll(open)).Select(static (socket, index) => (socket, index)))
        {
            if (index == 3)
            {
                await socket.SendAsync(new { type = "auth", token });
            }

            await socket.SendAsync(index == 4 ? new { type = "execute", code = "print(1)", language = "python", token } : new { type = "execute", code = "print(1)", language = "python" });
            Assert.Equal("ok", (await socket.NextAsync("complete")).Text("verdict"));
            await socket.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_bad_header_is_refused_before_the_upgrade()
    {
        var failure = await Assert.ThrowsAsync<WebSocketException>(() => SocketClient.OpenAsync(server.SocketAddress("/ws/execute"), "X-API-Key", "wrong"));

        Assert.Contains("401", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wrong_messages_are_answered_and_the_run_goes_on()
    {
        await using var socket = await server.OpenWithKeyAsync();
        await socket.StartAsync("print('you typed', input('? '))");
        await socket.ReadUntilAsync("? ");
        (object Message, string Answer)[] wrong =
        [
            (new { type = "input", data = new string('x', 10_241) }, "Input too large: at most 10 KB in one message."),
            (new { type = "input" }, "input needs data, a text."),
            (new { type = "resize", cols = 0, rows = 1 }, "resize needs cols and rows, whole numbers from 1 to 1000."),
            (new { type = "signal", signal = "SIGKILL" }, "signal must be one of: SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGTERM, SIGCONT, SIGTSTP. To end the program send kill."),
            (new { type = "execute", code = "1", language = "python" }, "A program runs on this socket already; open another one for the next."),
            (new { type = "dance" }, "Unknown message type: dance"),
        ];
        foreach (var (message, answer) in wrong)
        {
            await socket.SendAsync(message);
            Assert.Equal(answer, (await socket.NextAsync("error")).Text("message"));
        }

        await socket.SendAsync(new { type = "input", data = "on\n" });
        await socket.ReadUntilAsync("you typed on");
        Assert.Equal("ok", (await socket.NextAsync("complete")).Text("verdict"));
    }

    [Fact]
    public async Task A_flood_of_input_is_bounded_and_a_kill_still_comes_through()
    {
        await using var socket = await server.OpenWithKeyAsync();
        await socket.SendAsync(new { type = "execute", code = Sleep, language = "python", terminal = (object?)null });
        await socket.ReadUntilAsync("up");
        var line = new string('x', 10_000);
        for (var i = 0; i < 100; i++)
        {
            await socket.SendAsync(new { type = "input", data = line });
        }

        Assert.StartsWith("The program does not read its input", (await socket.NextAsync("error")).Text("message"), StringComparison.Ordinal);
        await socket.SendAsync(new { type = "kill" });
        Assert.Equal("cancelled", (await socket.NextAsync("complete")).Text("verdict"));
    }

    [Fact]
    public async Task A_client_that_never_reads_holds_up_nobody()
    {
        using var client = server.CreateMachine();
        await using var socket = await server.OpenWithKeyAsync();
        await socket.SendAsync(new { type = "execute", code = "while True: print('x' * 10000)", language = "python", limits = new { output_kb = 16384 } });
        var id = await socket.RunningAsync();

        // It reads no more; somebody else does.
        await using var events = await SseClient.OpenAsync(client, $"/api/jobs/{id}/events");
        var length = 0;
        var last = await events.ReadAsync();
        while (last!.Kind != "complete")
        {
            length += last.Json.Text("data")?.Length ?? 0;
            last = await events.ReadAsync();
        }

        Assert.Equal((16 * 1024 * 1024, "output_limit"), (length, last.Json.Text("verdict")));
    }

    [Fact]
    public async Task A_message_of_two_megabytes_is_too_big()
    {
        await using var first = await server.OpenWithKeyAsync();
        await first.SendAsync(new { type = "execute", code = new string('#', 2_000_000), language = "python" });
        await first.AssertClosedAsync(WebSocketCloseStatus.MessageTooBig);
    }

    [Fact]
    public async Task What_is_no_json_closes_the_socket()
    {
        await using var socket = await server.OpenWithKeyAsync();
        await socket.StartAsync(Sleep);
        await socket.ReadUntilAsync("up");
        await socket.SendAsync("no json");
        await socket.AssertClosedAsync(WebSocketCloseStatus.InvalidMessageType);
    }

    [Fact]
    public async Task A_viewer_who_comes_back_misses_nothing_and_a_run_that_nobody_watches_is_killed()
    {
        using var client = server.CreateMachine();
        var socket = await server.OpenWithKeyAsync();
        await socket.StartAsync("import time\nfor i in range(100000):\n  print(i, flush=True)\n  time.sleep(0.01)");
        var id = await socket.RunningAsync();
        var seen = "";
        string? last = null;
        while (seen.Length < 200)
        {
            var output = await socket.NextAsync("output");
            (seen, last) = (seen + output.Text("data"), output.Text("id"));
        }

        await socket.DisposeAsync();

        await using (var again = await server.WatchAsync(id, $"?after={last}"))
        {
            while (seen.Length < 2000)
            {
                seen += (await again.NextAsync("output")).Text("data");
            }
        }

        var lines = seen.Split("\r\n")[..^1];
        Assert.Equal(Enumerable.Range(0, lines.Length).Select(static i => i.ToString(System.Globalization.CultureInfo.InvariantCulture)), lines);

        // Nobody watches now, and looking at the job is not watching it.
        await Eventually.HoldsAsync(async () =>
        {
            using var job = await client.GetAsync($"/api/jobs/{id}", Cancel);
            return (await job.JsonAsync()).Text("status") == "cancelled";
        });
        await using var events = await SseClient.OpenAsync(client, $"/api/jobs/{id}/events");
        Assert.Equal("cancelled", (await events.ReadToEndAsync())[^1].Kind);
    }

    [Fact]
    public async Task A_detached_run_goes_on_without_its_viewer_and_its_input_ends()
    {
        using var client = server.CreateMachine();
        var socket = await server.OpenWithKeyAsync();
        await socket.SendAsync(new { type = "execute", code = "import sys\nprint('up', flush=True)\nprint('read', repr(sys.stdin.read()))", language = "python", detach = true, terminal = (object?)null });
        var id = await socket.RunningAsync();
        await socket.SendAsync(new { type = "input", data = "to the end" });
        await socket.ReadUntilAsync("up");
        await socket.CloseAsync();

        await using var events = await SseClient.OpenAsync(client, $"/api/jobs/{id}/events");
        var all = await events.ReadToEndAsync();

        Assert.Equal("complete", all[^1].Kind);
        Assert.Contains("read 'to the end'", string.Concat(all.Where(static item => item.Kind == "output").Select(static item => item.Json.Text("data"))), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_waits_is_told_the_place_in_the_queue()
    {
        await using var small = await ServerFixture.StartAsync(["--EXECUTE=required", "--EXECUTE_CONCURRENCY=1"]);
        async Task<SocketClient> OpenAsync() => await SocketClient.OpenAsync(small.SocketAddress("/ws/execute"), "X-API-Key", ExecutionServer.ApiKey);
        await using var first = await OpenAsync();
        await first.StartAsync(Sleep);
        var firstJob = await first.RunningAsync();
        await using var second = await OpenAsync();
        await second.StartAsync(Sleep);
        Assert.Equal(1, (await second.NextAsync("status")).Number("position"));
        await using var third = await OpenAsync();
        await third.StartAsync("print('third')");
        var queued = await third.NextAsync("status");
        Assert.Equal(("queued", 2), (queued.Text("status"), queued.Number("position")));
        using var client = small.CreateClient();
        client.DefaultRequestHeaders.Add("X-API-Key", ExecutionServer.ApiKey);
        using var job = await client.GetAsync($"/api/jobs/{queued.Text("job_id")}", Cancel);
        Assert.Equal(2, (await job.JsonAsync()).Number("queue_position"));

        await second.SendAsync(new { type = "kill" });
        Assert.Equal("cancelled", (await second.NextAsync("complete")).Text("verdict"));
        Assert.Equal(1, (await third.NextAsync("status")).Number("position"));
        await first.SendAsync(new { type = "kill" });
        await third.ReadUntilAsync("third");
        Assert.NotNull(firstJob);
    }
}

public sealed class SqliteExecuteSocketTests(SqliteExecutionServer server) : ExecuteSocketTests(server), IClassFixture<SqliteExecutionServer>;

public sealed class PostgresExecuteSocketTests(PostgresExecutionServer server) : ExecuteSocketTests(server), IClassFixture<PostgresExecutionServer>;
