using System.Net;
using System.Net.WebSockets;
using Lintel.Infrastructure;

namespace Lintel.Features.Accounts;

public abstract class LogoutTests(AccountsServer server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Signing_out_ends_the_session_at_once_and_no_other()
    {
        var person = await server.SignInAsync();
        var other = await server.SignInAsync(person.Email);
        Assert.Equal(HttpStatusCode.OK, await server.StatusOfMeAsync(person.Tokens.Access));

        using var response = await server.LogoutAsync(person.Tokens.Refresh);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("""{"message":"Logged out successfully"}""", await response.Content.ReadAsStringAsync(Cancel));
        Assert.Equal("AUTH_TOKEN_REVOKED", await server.MeErrorAsync(person.Tokens.Access));
        Assert.Equal("AUTH_TOKEN_REVOKED", await server.RefreshErrorAsync(person.Tokens.Refresh));
        Assert.Equal(HttpStatusCode.OK, await server.StatusOfMeAsync(other.Access));
        await server.Log.WaitForAsync(line => RegistrationTests.IsAbout(line, "app.auth.service", person.Id, "signed out"), Cancel);
    }

    [Fact]
    public async Task Whoever_is_signed_out_already_hears_the_same()
    {
        var person = await server.SignInAsync();
        var gone = await server.SignInAsync();
        await server.ExecuteAsync("DELETE FROM account WHERE id = $1", gone.Id);
        var expired = await server.SignInAsync();
        server.Clock.Advance(TimeSpan.FromDays(8));

        foreach (var token in new[] { person.Tokens.Refresh, person.Tokens.Refresh, gone.Tokens.Refresh, expired.Tokens.Refresh })
        {
            using var response = await server.LogoutAsync(token);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }
    }

    [Fact]
    public async Task An_older_refresh_token_of_the_session_signs_out_too()
    {
        var person = await server.SignInAsync();
        using var refreshed = await server.RefreshAsync(person.Tokens.Refresh);
        var next = await Tokens.OfAsync(refreshed);

        using var response = await server.LogoutAsync(person.Tokens.Refresh);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("AUTH_TOKEN_REVOKED", await server.MeErrorAsync(next.Access));
    }

    [Fact]
    public async Task What_is_no_refresh_token_of_ours_signs_nobody_out()
    {
        var person = await server.SignInAsync();
        foreach (var token in new[] { "", "x.y.z", person.Tokens.Access, TestJwt.Change(person.Tokens.Refresh, _ => { }, key: new byte[42]) })
        {
            using var response = await server.LogoutAsync(token);
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
            Assert.Equal("AUTH_TOKEN_INVALID", await response.ErrorCodeAsync());
        }

        Assert.Equal(HttpStatusCode.OK, await server.StatusOfMeAsync(person.Tokens.Access));
    }

    [Fact(Timeout = 30_000)]
    public async Task Signing_out_closes_the_sockets_of_the_session_and_no_other()
    {
        var person = await server.SignInAsync();
        var other = await server.SignInAsync(person.Email);
        using var ended = await ConnectAsync(person.Tokens.Access);
        using var kept = await ConnectAsync(other.Access);

        using var response = await server.LogoutAsync(person.Tokens.Refresh);

        var close = await ReceiveAsync(ended);
        while (close.MessageType != WebSocketMessageType.Close)
        {
            close = await ReceiveAsync(ended);
        }

        Assert.Equal(WebSocketCloseStatus.PolicyViolation, ended.CloseStatus);
        await kept.SendAsync("""{"type":"ping"}"""u8.ToArray(), WebSocketMessageType.Text, true, Cancel);
        Assert.Equal(WebSocketMessageType.Text, (await ReceiveAsync(kept)).MessageType);
    }

    [Fact]
    public async Task A_server_that_starts_again_still_knows_who_signed_out()
    {
        var person = await server.SignInAsync();
        var other = await server.SignInAsync();
        using var response = await server.LogoutAsync(person.Tokens.Refresh);

        await server.RestartAsync();

        Assert.Equal("AUTH_TOKEN_REVOKED", await server.MeErrorAsync(person.Tokens.Access));
        Assert.Equal(HttpStatusCode.OK, await server.StatusOfMeAsync(other.Tokens.Access));
    }

    private static async Task<WebSocketReceiveResult> ReceiveAsync(ClientWebSocket socket) => await socket.ReceiveAsync(new byte[4096], Cancel);

    private async Task<ClientWebSocket> ConnectAsync(string accessToken)
    {
        var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Authorization", "Bearer " + accessToken);
        await socket.ConnectAsync(server.SocketAddress($"/ws/design/{Guid.CreateVersion7():N}"), Cancel);
        return socket;
    }
}

public sealed class LogoutOnSqliteTests(SqliteAccountsServer server) : LogoutTests(server), IClassFixture<SqliteAccountsServer>;

public sealed class LogoutOnPostgresTests(PostgresAccountsServer server) : LogoutTests(server), IClassFixture<PostgresAccountsServer>
{
    [Fact(Timeout = 30_000)]
    public async Task Every_node_hears_of_it()
    {
        await using var database = await TestDatabase.CreateAsync(TestDatabaseKind.Postgres);
        string[] settings = ["--PASSWORD_HASH_ITERATIONS=10000", $"--DATABASE_URL={database.Url}"];
        await using var first = await ServerFixture.StartAsync(settings);
        await using var second = await ServerFixture.StartAsync(settings);
        var email = AccountsServer.NewEmail();
        using var registered = await PostAsync(first, "/auth/register", new { email, password = AccountsServer.Password });
        using var signedIn = await PostAsync(first, "/auth/login", new { email, password = AccountsServer.Password });
        var tokens = await Tokens.OfAsync(signedIn);
        Assert.Equal(HttpStatusCode.OK, await MeAsync(second, tokens));

        using var signedOut = await PostAsync(first, "/auth/logout", new { refresh_token = tokens.Refresh });

        await Eventually.HoldsAsync(async () => await MeAsync(second, tokens) == HttpStatusCode.Unauthorized);
    }

    private static Task<HttpResponseMessage> PostAsync(ServerFixture node, string path, object body) =>
        System.Net.Http.Json.HttpClientJsonExtensions.PostAsJsonAsync(node.Client, path, body, TestContext.Current.CancellationToken);

    private static async Task<HttpStatusCode> MeAsync(ServerFixture node, Tokens tokens)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/auth/me");
        request.Headers.Authorization = new("Bearer", tokens.Access);
        using var response = await node.Client.SendAsync(request, TestContext.Current.CancellationToken);
        return response.StatusCode;
    }
}
