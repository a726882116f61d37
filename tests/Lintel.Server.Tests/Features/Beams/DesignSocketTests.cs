using System.Net;
using System.Net.WebSockets;
using System.Text.Json;
using Lintel.Features.Beams.Live;
using Lintel.Features.Jobs;
using Lintel.Infrastructure;
using Lintel.Platform.Security;
using Lintel.Platform.Sockets;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Features.Beams;

/// <summary>Live design over a WebSocket: <c>/ws/design/{session_id}</c>.</summary>
public sealed class DesignSocketTests(SqliteBeamsServer server) : IClassFixture<SqliteBeamsServer>
{
    private const int ManyChecks = 500;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_beam_is_designed()
    {
        await using var socket = await OpenAsync();
        await socket.SendAsync(Design(150));
        var result = (await socket.ReceiveAsync())!.Value;

        Assert.Equal(["type", "latency_ms", "data"], Names(result));
        Assert.Equal("design_result", Type(result));
        Assert.InRange(result.GetProperty("latency_ms").GetDouble(), 0, 10_000);
        var data = result.GetProperty("data");
        Assert.Equal(878.4044, data.GetProperty("flexure").GetProperty("ast_required").GetDouble(), 1e-3);
        Assert.Empty(new[] { "ast_required", "mu_lim", "xu", "xu_max", "is_safe" }.Except(Names(data.GetProperty("flexure"))));
        Assert.Empty(new[] { "tv", "tc", "spacing", "is_safe" }.Except(Names(data.GetProperty("shear"))));
        Assert.Equal("PASS", data.GetProperty("status").GetString());

        // It fails where only one of the two is safe.
        await socket.SendAsync(Design(9000));
        var failed = (await socket.ReceiveAsync())!.Value.GetProperty("data");
        Assert.Equal((false, true), (IsSafe(failed, "flexure"), IsSafe(failed, "shear")));
        Assert.Equal("FAIL", failed.GetProperty("status").GetString());
    }

    [Fact]
    public async Task A_beam_is_checked_for_its_load_cases()
    {
        await using var socket = await OpenAsync();
        await socket.SendAsync(
            """{"type":"check_beam","params":{"cases":[{"case_id":"dead","mu_knm":10,"vu_kn":10},{"case_id":"wind","mu_knm":-100,"vu_kn":5}]}}""");
        var result = (await socket.ReceiveAsync())!.Value;

        Assert.Equal(["type", "latency_ms", "data"], Names(result));
        Assert.Equal("check_result", Type(result));
        var data = result.GetProperty("data");
        Assert.Empty(new[] { "is_ok", "governing_case_id", "governing_utilization", "summary", "num_cases" }.Except(Names(data)));
        Assert.Equal((true, "wind", 2), (data.GetProperty("is_ok").GetBoolean(), data.GetProperty("governing_case_id").GetString(), data.GetProperty("num_cases").GetInt32()));
    }

    [Fact]
    public async Task An_error_never_closes_the_socket()
    {
        await using var socket = await OpenAsync();
        foreach (var (wrong, message) in new[]
        {
            ("""{"type":"check_beam","params":{"width":300}}""", "No load cases provided"),
            ("""{"type":"check_beam","params":{"cases":[]}}""", "No load cases provided"),
            ("""{"type":"x"}""", "Unknown message type: x"),
            ("""{"type":"design_beam","params":{"moment":-1}}""", "moment must be between 0 and 1000000000 kN.m"),
            ("""{"type":"design_beam","params":7}""", "A beam must be a JSON object"),
            ("{}", "Unknown message type: unknown"),
            ("[]", "Unknown message type: unknown"),
        })
        {
            await socket.SendAsync(wrong);
            var error = (await socket.ReceiveAsync())!.Value;
            Assert.Equal(("error", message), (Type(error), error.GetProperty("message").GetString()));
        }

        await socket.SendAsync("""{"type":"ping"}""");
        var pong = (await socket.ReceiveAsync())!.Value;
        Assert.Equal(["type", "timestamp"], Names(pong));
        Assert.Equal("pong", Type(pong));
        Assert.EndsWith("Z", pong.GetProperty("timestamp").GetString(), StringComparison.Ordinal);
        await socket.CloseAsync();
        Assert.Equal(WebSocketCloseStatus.NormalClosure, socket.CloseStatus);
    }

    [Theory]
    [InlineData("hello")]
    [InlineData("""{"type":"ping"} x""")]
    [InlineData("")]
    public async Task Text_that_is_not_JSON_closes_with_1003(string text)
    {
        await using var socket = await OpenAsync();
        await socket.SendAsync(text);
        await socket.AssertClosedAsync(WebSocketCloseStatus.InvalidMessageType);
    }

    [Fact]
    public async Task Binary_closes_with_1003()
    {
        await using var socket = await OpenAsync();
        await socket.SendAsync("""{"type":"ping"}"""u8.ToArray(), WebSocketMessageType.Binary);
        await socket.AssertClosedAsync(WebSocketCloseStatus.InvalidMessageType);
    }

    [Fact]
    public async Task A_message_that_is_too_big_closes_with_1009()
    {
        await using var socket = await OpenAsync();
        await socket.SendAsync($$"""{"type":"ping","pad":"{{new string('x', SocketConnection.DefaultMaxMessage)}}"}""");
        await socket.AssertClosedAsync(WebSocketCloseStatus.MessageTooBig);
    }

    [Fact]
    public async Task Clients_of_one_user_in_one_session_see_each_others_results_and_nothing_else()
    {
        var token = await server.NewTokenAsync();
        var session = NewSession();
        await using var first = await OpenAsync(session, token);
        await using var second = await OpenAsync(session, token);
        await PongAsync(first);
        await PongAsync(second);

        await first.SendAsync("""{"type":"nonsense"}""");
        Assert.Equal("error", Type((await first.ReceiveAsync())!.Value));
        await first.SendAsync(Design(150));
        var own = (await first.ReceiveAsync())!.Value;
        await first.SendAsync("""{"type":"check_beam","params":{"cases":[{"mu_knm":1,"vu_kn":1}]}}""");
        var check = (await first.ReceiveAsync())!.Value;

        Assert.Equal(own.GetRawText(), (await second.ReceiveAsync())!.Value.GetRawText());
        Assert.Equal(check.GetRawText(), (await second.ReceiveAsync())!.Value.GetRawText());

        // And the other way round, where the answer to a ping is the next that the first one hears.
        await second.SendAsync(Design(120));
        Assert.Equal(120, Moment((await second.ReceiveAsync())!.Value), 1e-3);
        Assert.Equal(120, Moment((await first.ReceiveAsync())!.Value), 1e-3);
        await PongAsync(first);
    }

    [Fact]
    public async Task Another_user_s_client_and_another_session_s_see_none_of_them()
    {
        var (mine, theirs) = (await server.NewTokenAsync(), await server.NewTokenAsync());
        var (session, other) = (NewSession(), NewSession());
        await using var designer = await OpenAsync(session, mine);
        await using var elsewhere = await OpenAsync(other, mine);
        await using var elsewhereToo = await OpenAsync(other, mine);
        await using var stranger = await OpenAsync(session, theirs);
        await using var strangerToo = await OpenAsync(session, theirs);
        foreach (var socket in new[] { designer, elsewhere, elsewhereToo, stranger, strangerToo })
        {
            await PongAsync(socket);
        }

        await designer.SendAsync(Design(10));
        await designer.ReceiveAsync();

        // What is shown to a socket comes in its order, so that this would not be the first.
        await elsewhereToo.SendAsync(Design(20));
        Assert.Equal(20, Moment((await elsewhere.ReceiveAsync())!.Value), 1e-3);
        await strangerToo.SendAsync(Design(30));
        Assert.Equal(30, Moment((await stranger.ReceiveAsync())!.Value), 1e-3);
    }

    [Theory]
    [InlineData(300, ManyChecks)]
    [InlineData(1000, 250)] // Fewer than may wait, but large.
    public async Task A_client_that_does_not_read_is_closed_and_slows_down_nobody(int cases, int checks)
    {
        // Its clock stands still: the client that is closed may take its time to read up to there.
        var clock = new MovableClock();
        await using var own = await ServerFixture.StartAsync(configure: builder => builder.Services.AddSingleton<TimeProvider>(clock));
        var address = own.SocketAddress("/ws/design/stuck");
        await using var stuck = await SocketClient.OpenAsync(address, "X-API-Key", JobsServer.ApiKey);
        await using var busy = await SocketClient.OpenAsync(address, "X-API-Key", JobsServer.ApiKey);
        await PongAsync(stuck);

        await CheckOftenAsync(busy, cases, checks);

        var seen = await stuck.ReceiveToEndAsync();
        Assert.InRange(seen.Count, 1, checks - 1);
        Assert.Equal((WebSocketCloseStatus.PolicyViolation, "Reading too slowly"), (stuck.CloseStatus, stuck.CloseReason));
        await PongAsync(busy);
    }

    [Fact]
    public async Task A_client_that_never_reads_again_is_cut_off()
    {
        var clock = new MovableClock();
        await using var own = await ServerFixture.StartAsync(configure: builder => builder.Services.AddSingleton<TimeProvider>(clock));
        var address = own.SocketAddress("/ws/design/stuck");
        await using var stuck = await SocketClient.OpenAsync(address, "X-API-Key", JobsServer.ApiKey);
        await using var busy = await SocketClient.OpenAsync(address, "X-API-Key", JobsServer.ApiKey);
        await PongAsync(stuck);
        var registry = own.Services.GetRequiredService<LiveConnections>();
        await CheckOftenAsync(busy);

        // Sooner than a write's own deadline: it is the full queue that ends it.
        Assert.Equal(2, registry.Count);
        clock.Advance(TimeSpan.FromSeconds(6));
        await Eventually.HoldsAsync(() => registry.Count == 1);
        await PongAsync(busy);
    }

    [Fact]
    public async Task A_bug_closes_the_socket_with_1011()
    {
        await using var own = await ServerFixture.StartAsync(configure: static builder => builder.Services.AddSingleton(static services => new DesignSocket(
            services.GetRequiredService<SocketHandshake>(), services.GetRequiredService<DesignSessions>(), new BrokenClock())));
        await using var socket = await SocketClient.OpenAsync(own.SocketAddress("/ws/design/x"), "X-API-Key", JobsServer.ApiKey);

        await socket.SendAsync(Design(1));
        await socket.AssertClosedAsync(WebSocketCloseStatus.InternalServerError, "Server error");
        await own.Log.WaitForAsync(static line => line.GetProperty("name").GetString() == "app.errors", Cancel);
    }

    [Fact]
    public async Task A_request_that_is_no_handshake_is_told_to_upgrade_and_a_session_s_name_is_no_novel()
    {
        using var client = server.CreateMachine();
        using var plain = await client.GetAsync("/ws/design/x", Cancel);
        Assert.Equal(HttpStatusCode.UpgradeRequired, plain.StatusCode);

        using var longest = await client.GetAsync($"/ws/design/{new string('x', 128)}", Cancel);
        Assert.Equal(HttpStatusCode.UpgradeRequired, longest.StatusCode);
        using var longer = await client.GetAsync($"/ws/design/{new string('x', 129)}", Cancel);
        Assert.Equal((HttpStatusCode.NotFound, "NOT_FOUND"), (longer.StatusCode, await longer.ErrorCodeAsync()));
    }

    private static string NewSession() => Guid.CreateVersion7().ToString("N");

    /// <summary>A beam that can be known again by its moment.</summary>
    private static string Design(double moment) =>
        JsonSerializer.Serialize(new { type = "design_beam", @params = new { width = 300, depth = 500, moment, shear = 75, fck = 25, fy = 500 } });

    /// <summary>The moment that a result is of, in kN.m.</summary>
    private static double Moment(JsonElement result)
    {
        var data = result.GetProperty("data");
        return data.GetProperty("utilizations").GetProperty("flexure").GetDouble() * data.GetProperty("flexure").GetProperty("mu_lim").GetDouble();
    }

    private static bool IsSafe(JsonElement data, string part) => data.GetProperty(part).GetProperty("is_safe").GetBoolean();

    private static IEnumerable<string> Names(JsonElement json) => json.EnumerateObject().Select(static member => member.Name);

    private static string? Type(JsonElement message) => message.GetProperty("type").GetString();

    /// <summary>More than the system's buffers hold and the server keeps for one socket: each answer is some 90 KB.</summary>
    private static async Task CheckOftenAsync(SocketClient socket, int cases = 300, int checks = ManyChecks)
    {
        var check = JsonSerializer.Serialize(new { type = "check_beam", @params = new { cases = Enumerable.Repeat(new { mu_knm = 1, vu_kn = 1 }, cases) } });
        for (var i = 0; i < checks; i++)
        {
            await socket.SendAsync(check);
            Assert.Equal("check_result", Type((await socket.ReceiveAsync())!.Value));
        }
    }

    /// <summary>Answered once all before it is, and once the socket is in its session.</summary>
    private static async Task PongAsync(SocketClient socket)
    {
        await socket.SendAsync("""{"type":"ping"}""");
        Assert.Equal("pong", Type((await socket.ReceiveAsync())!.Value));
    }

    private Task<SocketClient> OpenAsync() => SocketClient.OpenAsync(server.SocketAddress($"/ws/design/{NewSession()}"), "X-API-Key", JobsServer.ApiKey);

    private Task<SocketClient> OpenAsync(string session, string token) =>
        SocketClient.OpenAsync(server.SocketAddress($"/ws/design/{session}"), "Authorization", "Bearer " + token);

    private sealed class BrokenClock : TimeProvider
    {
        public override long GetTimestamp() => throw new NotSupportedException("The clock is broken.");
    }
}
