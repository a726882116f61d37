using System.Net;
using System.Net.Http.Json;
using System.Net.WebSockets;
using Lintel.Infrastructure;

namespace Lintel.Features.Accounts.Sessions;

public abstract class SessionTests(AccountsServer server)
{
    private const string Firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_list_tells_each_session_in_plain_words_and_which_one_asks()
    {
        var person = await server.SignInAsync();
        var other = await server.SignInAsync(person.Email, Firefox);
        await server.SignInAsync();

        var sessions = await server.SessionsAsync(other);

        Assert.Equal([other.SessionId, person.Tokens.SessionId], sessions.Select(session => session.GetProperty("id").GetGuid()));
        var asks = sessions[0];
        Assert.Equal(
            ["address", "created_at", "current", "device", "expires_at", "id", "last_used_at", "methods"], asks.EnumerateObject().Select(field => field.Name).Order(StringComparer.Ordinal));
        Assert.Equal(("Firefox on Linux", "127.0.0.1", true), (asks.GetProperty("device").GetString(), asks.GetProperty("address").GetString(), asks.GetProperty("current").GetBoolean()));
        Assert.Equal(["pwd"], asks.GetProperty("methods").EnumerateArray().Select(method => method.GetString()!));
        Assert.EndsWith("Z", asks.GetProperty("created_at").GetString()!, StringComparison.Ordinal);
        Assert.False(sessions[1].GetProperty("current").GetBoolean());
    }

    [Fact]
    public async Task The_one_that_was_refreshed_last_comes_first_and_says_when()
    {
        var person = await server.SignInAsync();
        var other = await server.SignInAsync(person.Email);
        server.Clock.Advance(TimeSpan.FromMinutes(5));
        using var refreshed = await server.RefreshAsync(person.Tokens.Refresh);

        var sessions = await server.SessionsAsync(other);

        Assert.Equal(person.Tokens.SessionId, sessions[0].GetProperty("id").GetGuid());
        Assert.InRange((sessions[0].GetProperty("last_used_at").GetDateTimeOffset() - sessions[0].GetProperty("created_at").GetDateTimeOffset()).TotalMinutes, 5, 6);
    }

    [Fact]
    public async Task Sessions_that_ended_or_ran_out_are_not_listed()
    {
        var person = await server.SignInAsync();
        var signedOut = await server.SignInAsync(person.Email);
        using var logout = await server.LogoutAsync(signedOut.Refresh);
        Assert.Single(await server.SessionsAsync(person.Tokens));

        server.Clock.Advance(TimeSpan.FromDays(8));
        var later = await server.SignInAsync(person.Email);
        Assert.Equal(later.SessionId, Assert.Single(await server.SessionsAsync(later)).GetProperty("id").GetGuid());
    }

    [Fact(Timeout = 60_000)]
    public async Task A_session_that_is_ended_is_dead_at_once_with_its_socket_and_stream_and_no_other_is()
    {
        var person = await server.SignInAsync();
        var lost = await server.SignInAsync(person.Email);
        await using var socket = await SocketClient.OpenAsync(server.SocketAddress("/ws/notifications"), "Authorization", "Bearer " + lost.Access);
        await using var stream = await OpenStreamAsync(lost);
        await using var kept = await OpenStreamAsync(person.Tokens);

        using var response = await server.EndAsync(person.Tokens, lost.SessionId);

        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        Assert.Equal("AUTH_TOKEN_REVOKED", await server.MeErrorAsync(lost.Access));
        Assert.Equal("AUTH_TOKEN_REVOKED", await server.RefreshErrorAsync(lost.Refresh));
        await stream.ReadToEndAsync();
        await socket.ReceiveToEndAsync();
        Assert.Equal(WebSocketCloseStatus.PolicyViolation, socket.CloseStatus);
        Assert.Equal(HttpStatusCode.OK, await server.StatusOfMeAsync(person.Tokens.Access));
        Assert.Equal("revoked", await ReasonAsync(lost));
        Assert.Equal(1, await EventsAsync(person, "session.ended"));
    }

    [Fact]
    public async Task Nobody_ends_a_session_of_somebody_else()
    {
        var person = await server.SignInAsync();
        var thief = await server.SignInAsync();

        foreach (var id in new[] { person.Tokens.SessionId, Guid.CreateVersion7(), Guid.Empty })
        {
            using var response = await server.EndAsync(thief.Tokens, id);
            Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
            Assert.Equal("NOT_FOUND", await response.ErrorCodeAsync());
        }

        using var all = await server.SendAsync(HttpMethod.Delete, "/auth/sessions?except=current", thief.Tokens);
        Assert.Equal(0, (await all.JsonAsync()).GetProperty("ended").GetInt32());
        Assert.Equal(HttpStatusCode.OK, await server.StatusOfMeAsync(person.Tokens.Access));
    }

    [Fact]
    public async Task What_has_ended_is_not_ended_again()
    {
        var person = await server.SignInAsync();
        var other = await server.SignInAsync(person.Email);

        var statuses = await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            using var response = await server.EndAsync(person.Tokens, other.SessionId);
            return response.StatusCode;
        }));

        Assert.Equal(1, statuses.Count(status => status == HttpStatusCode.NoContent));
        Assert.Equal(7, statuses.Count(status => status == HttpStatusCode.NotFound));
        Assert.Equal(1, await EventsAsync(person, "session.ended"));
    }

    [Fact]
    public async Task All_others_end_and_the_one_that_asks_goes_on()
    {
        var person = await server.SignInAsync();
        var others = new[] { await server.SignInAsync(person.Email), await server.SignInAsync(person.Email) };

        using var response = await server.SendAsync(HttpMethod.Delete, "/auth/sessions?except=current", person.Tokens);

        Assert.Equal("""{"ended":2}""", await response.Content.ReadAsStringAsync(Cancel));
        foreach (var other in others)
        {
            Assert.Equal("AUTH_TOKEN_REVOKED", await server.MeErrorAsync(other.Access));
            Assert.Equal("AUTH_TOKEN_REVOKED", await server.RefreshErrorAsync(other.Refresh));
        }

        Assert.Single(await server.SessionsAsync(person.Tokens));
    }

    [Fact]
    public async Task All_end_and_the_one_that_asks_too()
    {
        var person = await server.SignInAsync();
        var other = await server.SignInAsync(person.Email);

        using var response = await server.SendAsync(HttpMethod.Delete, "/auth/sessions", person.Tokens);

        Assert.Equal("""{"ended":2}""", await response.Content.ReadAsStringAsync(Cancel));
        Assert.Equal("AUTH_TOKEN_REVOKED", await server.MeErrorAsync(person.Tokens.Access));
        Assert.Equal("AUTH_TOKEN_REVOKED", await server.MeErrorAsync(other.Access));
        await server.SignInAsync(person.Email);
    }

    [Fact]
    public async Task An_exception_that_is_none_ends_nothing()
    {
        var person = await server.SignInAsync();
        using var response = await server.SendAsync(HttpMethod.Delete, "/auth/sessions?except=other", person.Tokens);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        Assert.Equal(HttpStatusCode.OK, await server.StatusOfMeAsync(person.Tokens.Access));
    }

    [Fact]
    public async Task Keys_neither_see_nor_end_sessions()
    {
        var person = await server.SignInAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/keys") { Content = JsonContent.Create(new { name = "ci", scopes = new[] { "tasks" } }) };
        request.Headers.Authorization = new("Bearer", person.Tokens.Access);
        using var made = await server.Client.SendAsync(request, Cancel);
        var key = (await made.JsonAsync()).GetProperty("key").GetString();

        foreach (var credential in new[] { key, "test-static-key" })
        {
            foreach (var (method, path) in new[] { (HttpMethod.Get, "/auth/sessions"), (HttpMethod.Delete, "/auth/sessions"), (HttpMethod.Delete, $"/auth/sessions/{person.Tokens.SessionId}") })
            {
                using var asked = new HttpRequestMessage(method, path);
                asked.Headers.Add("X-API-Key", credential);
                using var response = await server.Client.SendAsync(asked, Cancel);
                Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
            }
        }

        Assert.Equal(HttpStatusCode.OK, await server.StatusOfMeAsync(person.Tokens.Access));
    }

    [Fact]
    public async Task What_a_client_calls_itself_is_shown_as_plain_text()
    {
        var person = await server.SignInAsync();
        await server.SignInAsync(person.Email, "<script>alert(1)</script>/1.0");
        await server.SignInAsync(person.Email, new string('a', 5000));

        var devices = (await server.SessionsAsync(person.Tokens)).Select(session => session.GetProperty("device").GetString());

        Assert.All(devices, device => Assert.Equal("Unknown device", device));
    }

    private async Task<SseClient> OpenStreamAsync(Tokens tokens)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, "/api/notifications/events");
        request.Headers.Authorization = new("Bearer", tokens.Access);
        return await SseClient.OpenAsync(server.Client, request);
    }

    private Task<string?> ReasonAsync(Tokens tokens) => server.Database.ReadAsync(
        session => session.QueryFirstAsync("SELECT revoke_reason FROM session WHERE id = $1", static row => row.GetString(0), tokens.SessionId), Cancel);

    private Task<long> EventsAsync(Person person, string kind) => server.CountAsync(
        "SELECT count(*) FROM event e JOIN stream s ON s.id = e.stream_id WHERE s.name = $1 AND e.kind = $2", $"accounts.activity.{person.Id}", kind);
}

public sealed class SessionsOnSqliteTests(SqliteAccountsServer server) : SessionTests(server), IClassFixture<SqliteAccountsServer>;

public sealed class SessionsOnPostgresTests(PostgresAccountsServer server) : SessionTests(server), IClassFixture<PostgresAccountsServer>
{
    [Fact(Timeout = 60_000)]
    public async Task On_every_node_a_session_that_was_ended_is_dead_with_its_socket_and_stream()
    {
        await using var database = await TestDatabase.CreateAsync(TestDatabaseKind.Postgres);
        string[] settings = ["--PASSWORD_HASH_ITERATIONS=10000", $"--DATABASE_URL={database.Url}"];
        await using var first = await ServerFixture.StartAsync(settings);
        await using var second = await ServerFixture.StartAsync(settings);
        var email = AccountsServer.NewEmail();
        using var registered = await first.Client.PostAsJsonAsync("/auth/register", new { email, password = AccountsServer.Password }, TestContext.Current.CancellationToken);
        var owner = await first.SignInAsync(email, "curl/8.0");
        var lost = await second.SignInAsync(email, "curl/8.0");
        await using var socket = await SocketClient.OpenAsync(second.SocketAddress("/ws/notifications"), "Authorization", "Bearer " + lost.Access);
        var request = new HttpRequestMessage(HttpMethod.Get, "/api/notifications/events");
        request.Headers.Authorization = new("Bearer", lost.Access);
        await using var stream = await SseClient.OpenAsync(second.Client, request);

        using var ended = await first.EndAsync(owner, lost.SessionId);

        Assert.Equal(HttpStatusCode.NoContent, ended.StatusCode);
        await stream.ReadToEndAsync();
        await socket.ReceiveToEndAsync();
        Assert.Equal(WebSocketCloseStatus.PolicyViolation, socket.CloseStatus);
        using var refused = await second.SendAsync(HttpMethod.Get, "/auth/me", lost);
        Assert.Equal("AUTH_TOKEN_REVOKED", await refused.ErrorCodeAsync());
    }
}

public sealed class SessionCapTests
{
    [Theory]
    [InlineData(TestDatabaseKind.Sqlite)]
    [InlineData(TestDatabaseKind.Postgres)]
    public async Task With_more_sessions_than_an_account_may_have_the_one_used_least_ends(TestDatabaseKind kind)
    {
        await using var server = await ServerFixture.StartAsync(["--PASSWORD_HASH_ITERATIONS=10000", "--SESSIONS_PER_ACCOUNT=3"], kind: kind);
        var email = AccountsServer.NewEmail();
        using var registered = await server.Client.PostAsJsonAsync("/auth/register", new { email, password = AccountsServer.Password }, TestContext.Current.CancellationToken);
        List<Tokens> tokens = [];
        for (var i = 0; i < 3; i++)
        {
            tokens.Add(await server.SignInAsync(email, "curl/8.0"));
        }

        // The first is used again, so the second is the one used least.
        using var refreshed = await server.Client.PostAsJsonAsync("/auth/refresh", new { refresh_token = tokens[0].Refresh }, TestContext.Current.CancellationToken);
        var newest = await server.SignInAsync(email, "curl/8.0");

        Assert.Equal(
            new[] { newest, tokens[0], tokens[2] }.Select(held => held.SessionId).Order(), (await server.SessionsAsync(newest)).Select(session => session.GetProperty("id").GetGuid()).Order());
        using var refused = await server.SendAsync(HttpMethod.Get, "/auth/me", tokens[1]);
        Assert.Equal("AUTH_TOKEN_REVOKED", await refused.ErrorCodeAsync());
    }
}

public sealed class DeviceNameTests
{
    [Theory]
    [InlineData("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux")]
    [InlineData("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36", "Chrome on Windows")]
    [InlineData("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0", "Edge on Windows")]
    [InlineData("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15", "Safari on macOS")]
    [InlineData("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/126.0 Mobile/15E148 Safari/604.1", "Chrome on iPhone")]
    [InlineData("Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36", "Chrome on Android")]
    [InlineData("curl/8.5.0", "curl")]
    [InlineData("lintel-cli/1.0.0", "lintel-cli")]
    [InlineData("python-requests/2.32.3", "python-requests")]
    [InlineData("Mozilla/5.0 (compatible)", "Unknown device")]
    [InlineData("\r\nBcc: x@example.com", "Unknown device")]
    [InlineData("", "Unknown device")]
    [InlineData(null, "Unknown device")]
    public void It_is_the_program_and_the_system(string? userAgent, string expected) => Assert.Equal(expected, DeviceName.Of(userAgent));
}
