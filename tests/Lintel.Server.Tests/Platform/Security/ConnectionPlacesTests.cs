using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text.Json;
using Lintel.Features.Jobs;
using Lintel.Infrastructure;

namespace Lintel.Platform.Security;

/// <summary>How many sockets and event streams one owner may have open.</summary>
public sealed class ConnectionPlacesTests
{
    private const string Session = "/ws/design/places";
    private const string Ping = """{"type":"ping"}""";
    private const string Told = "You have 2 sockets and streams open, as many as one account may; close some first.";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task One_owner_s_sockets_and_streams_are_bounded_together_and_others_are_not_concerned()
    {
        await using var server = await ServerFixture.StartAsync(["--MAX_CONNECTIONS_PER_OWNER=2"]);
        await using var first = await OpenAsync(server);
        await using var second = await SocketClient.OpenAsync(server.SocketAddress(Session));
        await second.SendAsync(new { type = "auth", api_key = JobsServer.ApiKey });
        await PongAsync(second);

        await using var third = await OpenAsync(server, isAdmitted: false);
        Assert.Equal(Told, (await third.ReceiveAsync())!.Value.GetProperty("message").GetString());
        await third.AssertClosedAsync(WebSocketCloseStatus.PolicyViolation, "Too many connections");
        await using var fourth = await SocketClient.OpenAsync(server.SocketAddress(Session));
        await fourth.SendAsync(new { type = "auth", api_key = JobsServer.ApiKey });
        Assert.Equal(Told, (await fourth.ReceiveAsync())!.Value.GetProperty("message").GetString());
        await fourth.AssertClosedAsync(WebSocketCloseStatus.PolicyViolation, "Too many connections");
        using var stream = await DesignAsync(server);
        Assert.Equal(HttpStatusCode.TooManyRequests, stream.StatusCode);
        var error = (await stream.Content.ReadFromJsonAsync<JsonElement>(Cancel)).GetProperty("error");
        Assert.Equal(("RATE_LIMITED", Told), (error.GetProperty("code").GetString(), error.GetProperty("message").GetString()));

        await using var someoneElse = await SocketClient.OpenAsync(server.SocketAddress(Session), "Authorization", "Bearer " + await SignInAsync(server));
        await PongAsync(someoneElse);

        // A place is free again when a socket is closed, and when a stream has come to its end.
        await first.CloseAsync();
        await Eventually.HoldsAsync(async () =>
        {
            using var batch = await DesignAsync(server);
            return batch.StatusCode == HttpStatusCode.OK && (await batch.Content.ReadAsStringAsync(Cancel)).Contains("event: complete", StringComparison.Ordinal);
        });
        await Eventually.HoldsAsync(async () =>
        {
            await using var again = await OpenAsync(server, isAdmitted: false);
            await again.SendAsync(Ping);
            return (await again.ReceiveAsync())!.Value.GetProperty("type").GetString() == "pong";
        });
    }

    [Fact]
    public async Task An_address_s_sockets_and_streams_are_bounded_whoever_they_belong_to_and_if_nobody()
    {
        const string told = "Your network address has 2 sockets and streams open, as many as one may; close some first.";
        await using var server = await ServerFixture.StartAsync(["--MAX_CONNECTIONS_PER_ADDRESS=2"]);
        await using var first = await OpenAsync(server);
        var silent = await SocketClient.OpenAsync(server.SocketAddress(Session));

        using var socket = new HttpRequestMessage(HttpMethod.Get, Session);
        foreach (var (name, value) in new[] { ("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==") })
        {
            socket.Headers.TryAddWithoutValidation(name, value);
        }

        using var refused = await server.Client.SendAsync(socket, Cancel);
        using var stream = await DesignAsync(server);
        foreach (var response in new[] { refused, stream })
        {
            Assert.Equal(HttpStatusCode.TooManyRequests, response.StatusCode);
            Assert.Equal(told, (await response.JsonAsync()).GetProperty("error").GetProperty("message").GetString());
        }

        await silent.DisposeAsync();
        await Eventually.HoldsAsync(async () =>
        {
            using var batch = await DesignAsync(server);
            return batch.StatusCode == HttpStatusCode.OK;
        });
    }

    [Fact]
    public async Task Of_many_that_come_at_once_as_many_as_there_are_places_get_one()
    {
        await using var server = await ServerFixture.StartAsync(["--MAX_CONNECTIONS_PER_OWNER=5"]);
        var sockets = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => OpenAsync(server, isAdmitted: false)));
        var answers = await Task.WhenAll(sockets.Select(static async socket =>
        {
            await socket.SendAsync(Ping);
            return (await socket.ReceiveAsync())!.Value.GetProperty("type").GetString();
        }));

        Assert.Equal(5, answers.Count(static type => type == "pong"));
        Assert.Equal(35, answers.Count(static type => type == "error"));
        foreach (var socket in sockets)
        {
            await socket.DisposeAsync();
        }
    }

    private static async Task<SocketClient> OpenAsync(ServerFixture server, bool isAdmitted = true)
    {
        var socket = await SocketClient.OpenAsync(server.SocketAddress(Session), "X-API-Key", JobsServer.ApiKey);
        if (isAdmitted)
        {
            await PongAsync(socket);
        }

        return socket;
    }

    private static async Task PongAsync(SocketClient socket)
    {
        await socket.SendAsync(Ping);
        Assert.Equal("pong", (await socket.ReceiveAsync())!.Value.GetProperty("type").GetString());
    }

    private static async Task<HttpResponseMessage> DesignAsync(ServerFixture server)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/stream/batch-design") { Content = new StringContent("[{}]", new MediaTypeHeaderValue("application/json")) };
        request.Headers.Add("X-API-Key", JobsServer.ApiKey);
        return await server.Client.SendAsync(request, Cancel);
    }

    private static async Task<string> SignInAsync(ServerFixture server)
    {
        var person = new { email = "mason@example.com", password = "correct horse battery" };
        using var registered = await server.Client.PostAsJsonAsync("/auth/register", person, Cancel);
        using var signedIn = await server.Client.PostAsJsonAsync("/auth/login", person, Cancel);
        return (await signedIn.Content.ReadFromJsonAsync<JsonElement>(Cancel)).GetProperty("access_token").GetString()!;
    }
}
