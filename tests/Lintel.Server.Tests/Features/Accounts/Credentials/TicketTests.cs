using System.Net;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text;
using Lintel.Infrastructure;
using Lintel.Platform.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Lintel.Features.Accounts.Credentials;

public abstract class TicketTests(AccountsServer server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_ticket_opens_one_event_stream_once()
    {
        var person = await server.SignInAsync();
        var path = NewPath();
        using var issued = await IssueAsync(person, path);
        var json = await issued.JsonAsync();
        var ticket = json.GetProperty("ticket").GetString()!;

        Assert.Equal(30, json.GetProperty("expires_in").GetInt64());
        Assert.Equal("no-store", issued.Headers.CacheControl!.ToString());

        // There is no such job, which only someone who was let in can learn.
        Assert.Equal(HttpStatusCode.NotFound, await OpenAsync(path, ticket));
        Assert.Equal(HttpStatusCode.Unauthorized, await OpenAsync(path, ticket));
    }

    [Fact]
    public async Task Of_many_at_once_one_gets_in()
    {
        var person = await server.SignInAsync();
        var path = NewPath();
        var ticket = await TicketAsync(person, path);

        var statuses = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => OpenAsync(path, ticket)));

        Assert.Single(statuses, HttpStatusCode.NotFound);
        Assert.Equal(19, statuses.Count(static status => status == HttpStatusCode.Unauthorized));
    }

    [Fact]
    public async Task A_ticket_is_for_its_path_and_is_used_up_on_another()
    {
        var person = await server.SignInAsync();
        var path = NewPath();
        var ticket = await TicketAsync(person, path);

        Assert.Equal(HttpStatusCode.Unauthorized, await OpenAsync(NewPath(), ticket));
        Assert.Equal(HttpStatusCode.Unauthorized, await OpenAsync(path, ticket));
    }

    [Fact]
    public async Task After_thirty_seconds_it_is_too_late()
    {
        var person = await server.SignInAsync();
        var path = NewPath();
        var (early, late) = (await TicketAsync(person, path), await TicketAsync(person, path));
        server.Clock.Advance(TimeSpan.FromSeconds(25));
        Assert.Equal(HttpStatusCode.NotFound, await OpenAsync(path, early));
        server.Clock.Advance(TimeSpan.FromSeconds(6));

        Assert.Equal(HttpStatusCode.Unauthorized, await OpenAsync(path, late));
    }

    [Fact]
    public async Task It_is_no_longer_good_than_the_token_it_was_made_with()
    {
        var person = await server.SignInAsync();
        server.Clock.Advance(TimeSpan.FromSeconds(890));
        var path = NewPath();
        var ticket = await TicketAsync(person, path);
        server.Clock.Advance(TimeSpan.FromSeconds(15));

        Assert.Equal(HttpStatusCode.Unauthorized, await OpenAsync(path, ticket));
    }

    [Fact]
    public async Task It_ends_with_its_session()
    {
        var person = await server.SignInAsync();
        var path = NewPath();
        var ticket = await TicketAsync(person, path);
        using var logout = await server.LogoutAsync(person.Tokens.Refresh);

        Assert.Equal(HttpStatusCode.Unauthorized, await OpenAsync(path, ticket));
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public async Task What_is_no_ticket_opens_nothing(string ticket) =>
        Assert.Equal(HttpStatusCode.Unauthorized, await OpenAsync(NewPath(), ticket));

    [Fact]
    public async Task A_ticket_is_not_taken_where_headers_can_be_sent()
    {
        var person = await server.SignInAsync();

        Assert.Equal(HttpStatusCode.Unauthorized, await OpenAsync("/auth/me", await TicketAsync(person, "/auth/me")));
    }

    [Theory]
    [InlineData("/ws/design/my room", "/ws/design/my%20room")]
    [InlineData("/ws/design/my%20room", "/ws/design/my%20room")]
    [InlineData("/ws/design/x?after=1", "/ws/design/x")]
    [InlineData("/ws/design/ü", "/ws/design/%C3%BC")]
    public async Task A_ticket_opens_a_socket_however_its_path_was_written(string asked, string opened)
    {
        var person = await server.SignInAsync();
        var ticket = await TicketAsync(person, asked);
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(server.SocketAddress($"{opened}?ticket={ticket}"), Cancel);
        await socket.SendAsync("""{"type":"ping"}"""u8.ToArray(), WebSocketMessageType.Text, true, Cancel);

        var buffer = new byte[4096];
        var answer = await socket.ReceiveAsync(buffer, Cancel);
        Assert.Contains("pong", Encoding.UTF8.GetString(buffer, 0, answer.Count), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_used_ticket_gets_an_error_and_a_close_on_a_socket()
    {
        var person = await server.SignInAsync();
        var ticket = await TicketAsync(person, "/ws/design/a");
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(server.SocketAddress($"/ws/design/b?ticket={ticket}"), Cancel);

        var buffer = new byte[4096];
        var error = await socket.ReceiveAsync(buffer, Cancel);
        Assert.Contains("\"type\":\"error\"", Encoding.UTF8.GetString(buffer, 0, error.Count), StringComparison.Ordinal);
        Assert.Equal(WebSocketMessageType.Close, (await socket.ReceiveAsync(buffer, Cancel)).MessageType);
        Assert.Equal((WebSocketCloseStatus.PolicyViolation, "Invalid or expired token"), (socket.CloseStatus, socket.CloseStatusDescription));
    }

    [Fact]
    public async Task The_machine_key_gets_tickets_with_its_own_scopes()
    {
        var path = NewPath();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/auth/ws-ticket") { Content = JsonContent.Create(new { path }) };
        request.Headers.Add("X-API-Key", "test-static-key");
        using var issued = await server.Client.SendAsync(request, Cancel);

        Assert.Equal(HttpStatusCode.NotFound, await OpenAsync(path, (await issued.JsonAsync()).GetProperty("ticket").GetString()!));
    }

    [Theory]
    [InlineData("")]
    [InlineData("ws/design/x")]
    [InlineData("?x")]
    [InlineData("/a\nb")]
    [InlineData("/a\0b")]
    [InlineData("/a%00b")]
    [InlineData("//%0a")]
    public async Task A_path_that_is_none_is_refused(string path)
    {
        var person = await server.SignInAsync();
        using var response = await IssueAsync(person, path);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
    }

    [Fact]
    public async Task Who_asks_for_a_ticket_must_be_signed_in()
    {
        using var response = await server.PostAsync("/auth/ws-ticket", new { path = "/ws/design/x" });

        Assert.Equal("AUTH_ERROR", await response.ErrorCodeAsync());
    }

    [Fact]
    public async Task The_database_keeps_no_ticket_and_forgets_those_not_used()
    {
        var person = await server.SignInAsync();
        var path = NewPath();
        var ticket = await TicketAsync(person, path);
        var kept = await server.Services.GetRequiredService<Database>().ReadAsync(
            session => session.QueryFirstAsync("SELECT hash FROM ws_ticket WHERE path = $1", static row => row.GetBytes(0), path), Cancel);
        Assert.Equal(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(ticket)), kept);

        server.Clock.Advance(TimeSpan.FromMinutes(1));
        var worker = server.Services.GetServices<IHostedService>().OfType<ExpiryWorker>().Single();
        await worker.ForgetAsync(Cancel);
        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM ws_ticket WHERE path = $1", path));
    }

    [Fact]
    public async Task Sessions_that_ran_out_are_forgotten_after_a_week_with_their_tokens()
    {
        var person = await server.SignInAsync();
        var worker = server.Services.GetServices<IHostedService>().OfType<ExpiryWorker>().Single();
        server.Clock.Advance(TimeSpan.FromDays(13));
        await worker.ForgetAsync(Cancel);
        Assert.Equal(1, await server.CountAsync("SELECT count(*) FROM session WHERE account_id = $1", person.Id));

        server.Clock.Advance(TimeSpan.FromDays(2));
        await worker.ForgetAsync(Cancel);
        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM session WHERE account_id = $1", person.Id));
        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM refresh_tokens WHERE session_id = $1", person.Tokens.SessionId));
    }

    private static string NewPath() => $"/api/jobs/{Guid.CreateVersion7()}/events";

    private async Task<HttpResponseMessage> IssueAsync(Person person, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/auth/ws-ticket") { Content = JsonContent.Create(new { path }) };
        request.Headers.Authorization = new("Bearer", person.Tokens.Access);
        return await server.Client.SendAsync(request, Cancel);
    }

    private async Task<string> TicketAsync(Person person, string path)
    {
        using var response = await IssueAsync(person, path);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return (await response.JsonAsync()).GetProperty("ticket").GetString()!;
    }

    private async Task<HttpStatusCode> OpenAsync(string path, string ticket)
    {
        using var response = await server.Client.GetAsync($"{path}?ticket={ticket}", Cancel);
        return response.StatusCode;
    }
}

public sealed class TicketOnSqliteTests(SqliteAccountsServer server) : TicketTests(server), IClassFixture<SqliteAccountsServer>;

public sealed class TicketOnPostgresTests(PostgresAccountsServer server) : TicketTests(server), IClassFixture<PostgresAccountsServer>;
