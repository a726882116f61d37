using System.Net;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text;
using Lintel.Infrastructure;
using Lintel.Platform.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Features.Execution;

/// <summary>Clients that mean harm, and those that have lost the right to run code.</summary>
public sealed class ExecuteAttackTests(SqliteExecutionServer server) : IClassFixture<SqliteExecutionServer>
{
    private const string Sleep = "print('up', flush=True)\nimport time\ntime.sleep(250)";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_client_that_vanishes_takes_its_program_along()
    {
        var mark = HostProcesses.NewMark();
        var socket = await server.OpenWithKeyAsync();
        await socket.SendAsync(new { type = "execute", code = Sleep, language = "python", args = new[] { mark } });
        await socket.ReadUntilAsync("up");
        Assert.NotEmpty(HostProcesses.With(mark));

        // Without a close frame, as a laptop does whose lid falls.
        await socket.DisposeAsync();

        await HostProcesses.GoneAsync(mark);
    }

    [Fact]
    public async Task Wrong_credentials_start_nothing()
    {
        await using var fresh = await ServerFixture.StartAsync(["--EXECUTE=required"]);

        // No program runs but as a job, so without one no process was started.
        Task<long> CountJobsAsync() =>
            fresh.Services.GetRequiredService<Database>().ReadAsync(static session => session.QueryFirstAsync("SELECT COUNT(*) FROM job", static row => row.GetInt64(0)), Cancel);

        foreach (var credentials in (string[])["", ",\"api_key\":\"wrong\"", ",\"token\":\"wrong\"", ",\"job_id\":\"019b3c4e-7a10-7c1e-9d3f-2f6a5b8c9d01\",\"job_token\":\"wrong\""])
        {
            await using var socket = await SocketClient.OpenAsync(fresh.SocketAddress("/ws/execute"));
            await socket.SendAsync($$"""{"type":"execute","code":"print(1)","language":"python"{{credentials}}}""");
            await socket.AssertClosedAsync(WebSocketCloseStatus.PolicyViolation);
        }

        using var refused = await fresh.Client.PostAsJsonAsync("/api/execute", new { code = "print(1)", language = "python" }, Cancel);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        Assert.Equal(0, await CountJobsAsync());

        using var client = fresh.CreateClient();
        client.DefaultRequestHeaders.Add("X-API-Key", ExecutionServer.ApiKey);
        Assert.Equal("ok", (await client.ExecuteAsync(new { code = "print(1)", language = "python" })).Text("verdict"));
        Assert.Equal(1, await CountJobsAsync());
    }

    [Fact]
    public async Task Who_loses_the_right_to_run_code_loses_socket_and_program()
    {
        var (client, refreshToken) = await server.SignInWithRefreshTokenAsync();
        using var created = await client.PostAsJsonAsync("/api/keys", new { name = "a program", scopes = new[] { "execute" } }, Cancel);
        var key = await created.JsonAsync();
        using var holder = server.CreateClient();
        holder.DefaultRequestHeaders.Add("X-API-Key", key.Text("key"));
        using var granted = await holder.PostAsync("/api/jobs/create", null, Cancel);
        var grant = await granted.JsonAsync();
        var mark = HostProcesses.NewMark();
        object execute = new { type = "execute", code = Sleep, language = "python", args = new[] { mark } };

        await using var person = await SocketClient.OpenAsync(server.SocketAddress("/ws/execute"), "Authorization", client.DefaultRequestHeaders.Authorization!.ToString());
        await using var machine = await SocketClient.OpenAsync(server.SocketAddress("/ws/execute"), "X-API-Key", key.Text("key"));
        await using var browser = await server.OpenAsync();
        await person.SendAsync(execute);
        await machine.SendAsync(execute);
        await browser.SendAsync(new { type = "execute", code = Sleep, language = "python", args = new[] { mark }, job_id = grant.Text("job_id"), job_token = grant.Text("job_token") });
        await Task.WhenAll(person.ReadUntilAsync("up"), machine.ReadUntilAsync("up"), browser.ReadUntilAsync("up"));

        using var revoked = await client.DeleteAsync($"/api/keys/{key.Text("id")}", Cancel);
        await machine.AssertClosedAsync(WebSocketCloseStatus.PolicyViolation, "Invalid API key");
        await browser.AssertClosedAsync(WebSocketCloseStatus.PolicyViolation, "Invalid API key");
        using var signedOut = await client.PostAsJsonAsync("/auth/logout", new { refresh_token = refreshToken }, Cancel);
        await person.AssertClosedAsync(WebSocketCloseStatus.PolicyViolation, "Signed out");
        await HostProcesses.GoneAsync(mark);
        client.Dispose();
    }

    [Fact]
    public async Task Nobody_sees_or_ends_what_another_runs()
    {
        using var owner = await server.SignInAsync();
        using var other = await server.SignInAsync();
        await using var socket = await SocketClient.OpenAsync(server.SocketAddress("/ws/execute"), "Authorization", owner.DefaultRequestHeaders.Authorization!.ToString());
        await socket.StartAsync("print('secret', flush=True)\ninput()");
        var id = await socket.RunningAsync();
        await socket.ReadUntilAsync("secret");

        using var job = await other.GetAsync($"/api/jobs/{id}", Cancel);
        using var events = await other.GetAsync($"/api/jobs/{id}/events", Cancel);
        using var cancelled = await other.DeleteAsync($"/api/jobs/{id}", Cancel);
        using var list = await other.GetAsync("/api/jobs", Cancel);
        await using var watcher = await SocketClient.OpenAsync(server.SocketAddress($"/ws/jobs/{id}"), "Authorization", other.DefaultRequestHeaders.Authorization!.ToString());
        var told = await watcher.ReceiveToEndAsync();

        Assert.All([job, events, cancelled], static response => Assert.Equal(HttpStatusCode.NotFound, response.StatusCode));
        Assert.Equal(0, (await list.JsonAsync()).GetProperty("jobs").GetArrayLength());
        Assert.Equal(["error"], told.Select(static message => message.Text("type")));
        await socket.SendAsync(new { type = "input", data = "\n" });
        Assert.Equal("ok", (await socket.NextAsync("complete")).Text("verdict"));
    }

    [Fact]
    public async Task Running_code_is_rate_limited()
    {
        await using var strict = await ServerFixture.StartAsync(["--RATE_LIMIT_REQUESTS=2"]);
        Task<SocketClient> OpenAsync() => SocketClient.OpenAsync(strict.SocketAddress("/ws/execute"), "X-API-Key", ExecutionServer.ApiKey);
        await using var first = await OpenAsync();
        using var client = strict.CreateClient();
        client.DefaultRequestHeaders.Add("X-API-Key", ExecutionServer.ApiKey);
        using var second = await client.PostAsJsonAsync("/api/execute", new { code = "1", language = "python" }, Cancel);

        using var third = await client.PostAsJsonAsync("/api/execute", new { code = "1", language = "python" }, Cancel);
        using var token = await client.PostAsync("/api/jobs/create", null, Cancel);
        var fourth = await Assert.ThrowsAsync<WebSocketException>(OpenAsync);

        Assert.Equal("0", second.Headers.GetValues("X-RateLimit-Remaining").Single());
        Assert.Equal((HttpStatusCode.TooManyRequests, HttpStatusCode.TooManyRequests), (third.StatusCode, token.StatusCode));
        Assert.Contains("429", fourth.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string, WebSocketCloseStatus> HostileFirstMessages => new()
    {
        { "", WebSocketCloseStatus.InvalidMessageType },
        { "null", WebSocketCloseStatus.PolicyViolation },
        { "[]", WebSocketCloseStatus.PolicyViolation },
        { "{}", WebSocketCloseStatus.PolicyViolation },
        { """{"type":"execute"}{"type":"execute"}""", WebSocketCloseStatus.InvalidMessageType },
        { """{"type":"\ud800"}""", WebSocketCloseStatus.InvalidMessageType },
        { """{"type":"execute","\ud800":1,"code":"1","language":"python"}""", WebSocketCloseStatus.InvalidMessageType },
        { """{"type":"execute","code":"\udc00","language":"python"}""", WebSocketCloseStatus.NormalClosure },
        { """{"type":"execute","code":"1","language":"\ud800"}""", WebSocketCloseStatus.NormalClosure },
        { """{"type":"execute","code":"1","language":"../../bin/sh"}""", WebSocketCloseStatus.NormalClosure },
        { """{"type":"execute","code":"1","language":"python","args":["a\u0000b"]}""", WebSocketCloseStatus.NormalClosure },
        { """{"type":"execute","code":"1","language":"python","args":["\ud800"]}""", WebSocketCloseStatus.NormalClosure },
        { """{"type":"execute","code":"1","language":"python","files":[{"name":"/etc/passwd","content":""}]}""", WebSocketCloseStatus.NormalClosure },
        { """{"type":"execute","code":"1","language":"python","files":[{"name":"a/../../b","content":""}]}""", WebSocketCloseStatus.NormalClosure },
        { """{"type":"execute","code":"1","language":"python","files":[{"name":"main.py","content":""}]}""", WebSocketCloseStatus.NormalClosure },
        { """{"type":"execute","code":"1","language":"python","files":[{"name":"a","content":""},{"name":"a/b","content":""}]}""", WebSocketCloseStatus.NormalClosure },
        { """{"type":"execute","code":"1","language":"python","limits":{"wall_seconds":1e999}}""", WebSocketCloseStatus.NormalClosure },
        { """{"type":"execute","code":"1","language":"python","limits":{"memory_mb":-1}}""", WebSocketCloseStatus.NormalClosure },
        { """{"type":"execute","code":"1","language":"python","terminal":{"cols":65536,"rows":1}}""", WebSocketCloseStatus.NormalClosure },
        { """{"type":"execute","code":["1"],"language":{"python":1}}""", WebSocketCloseStatus.NormalClosure },
        { """{"type":"execute","code":"1","language":"python","stdin":{"a":""" + new string('[', 100), WebSocketCloseStatus.InvalidMessageType },
    };

    [Theory]
    [MemberData(nameof(HostileFirstMessages))]
    public async Task A_hostile_first_message_is_refused_in_good_order(string message, WebSocketCloseStatus status)
    {
        await using var socket = await server.OpenWithKeyAsync();
        await socket.SendAsync(message);

        await socket.AssertClosedAsync(status);

        AssertNoErrorWasLogged();
    }

    [Theory]
    [InlineData("""{"\ud800":1,"code":"1","language":"python"}""")]
    [InlineData("""{"code":"1","language":"python","limits":{"\ud800":1,"wall_seconds":0}}""")]
    [InlineData("""{"code":"1","language":"python","files":[{"\ud800":1}]}""")]
    [InlineData("""{"code":"\ud800","language":"python"}""")]
    [InlineData("""{"code":"1","language":"python","stdin":"\udfff"}""")]
    [InlineData("""[{"code":"1","language":"python"}]""")]
    [InlineData("""{"code":"1","language":"python"}x""")]
    public async Task A_hostile_body_is_refused_in_good_order(string body)
    {
        using var client = server.CreateMachine();

        foreach (var (path, sent) in ((string, string)[])[("/api/execute", body), ("/api/execute/batch", body), ("/api/jobs", $$"""{"kind":"execute","input":{{body}}}"""), ("/api/jobs", $$"""{"kind":"execute-batch","input":{{body}}}""")])
        {
            using var content = new StringContent(sent, Encoding.UTF8, "application/json");
            using var response = await client.PostAsync(path, content, Cancel);
            Assert.Equal((path, HttpStatusCode.UnprocessableEntity), (path, response.StatusCode));
        }

        AssertNoErrorWasLogged();
    }

    [Fact]
    public async Task Limits_beyond_all_measure_are_cut_down_and_small_ones_hold()
    {
        using var client = server.CreateMachine();

        var vast = await client.ExecuteAsync(new
        {
            code = "print(1)", language = "python",
            limits = new { wall_seconds = 1e300, cpu_seconds = 1e300, memory_mb = 1e300, processes = 1e300, output_kb = 1e300, file_mb = 1e300 },
        });
        var tiny = await client.ExecuteAsync(new
        {
            code = "import time\nwhile True: time.sleep(1)", language = "python",
            limits = new { wall_seconds = 0.1, cpu_seconds = 0.1, memory_mb = 16, processes = 4, output_kb = 1, file_mb = 1 },
        });

        Assert.Equal("ok", vast.Text("verdict"));
        Assert.NotEqual("ok", tiny.Text("verdict"));
    }

    [Fact]
    public async Task Hostile_messages_to_a_running_program_are_answered_and_change_nothing()
    {
        await using var socket = await server.OpenWithKeyAsync();
        await socket.StartAsync("print('you typed', input('? '))");
        await socket.ReadUntilAsync("? ");
        foreach (var message in (string[])
        [
            "null", "[]", "7", """{"type":7}""", """{"type":"input","data":"\ud800"}""", """{"type":"input","data":{"a":[1]}}""", """{"type":"resize","cols":1e99,"rows":1}""",
            """{"type":"resize","cols":"80","rows":"24"}""", """{"type":"signal","signal":"9"}""", """{"type":"signal","signal":"SIGSTOP"}""", """{"type":"signal"}""",
        ])
        {
            await socket.SendAsync(message);
            await socket.NextAsync("error");
        }

        await socket.SendAsync(new { type = "input", data = "on\n" });
        await socket.ReadUntilAsync("you typed on");
        Assert.Equal("ok", (await socket.NextAsync("complete")).Text("verdict"));
        AssertNoErrorWasLogged();
    }

    [Fact]
    public async Task A_terminal_s_output_is_valid_json_whatever_is_printed()
    {
        await using var socket = await server.OpenWithKeyAsync();
        await socket.StartAsync(
            "import sys, time\nout = sys.stdout.buffer\nfor part in (b'\\xf0\\x9f', b'\\x98\\x80', b'\\xff\\x00\\x1b[31m\\x1b]0;title\\x07\\x9b6n\"\\\\\\r\\n', b'\\xe2\\x82'):\n  out.write(part); out.flush(); time.sleep(0.05)");

        var messages = await socket.ReceiveToEndAsync();

        Assert.Equal("😀\uFFFD\0\u001b[31m\u001b]0;title\u0007\uFFFD6n\"\\\r\r\n\uFFFD", messages.Output());
        Assert.Equal("ok", messages[^1].Text("verdict"));
    }

    private void AssertNoErrorWasLogged() =>
        Assert.DoesNotContain(server.Log.Lines, static line => line.Text("level") == "ERROR");
}
