using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Lintel.Features.Administration;
using Lintel.Infrastructure;

namespace Lintel.Features.Accounts.Audit;

/// <summary>What happens to accounts, watched as it happens.</summary>
public abstract class ActivityWatchTests(AccountsServer server)
{
    private const string Own = "/auth/activity/events";
    private const string All = "/api/admin/audit/events";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_person_is_told_at_once_what_the_list_shows_and_nothing_of_others()
    {
        var person = await server.SignInAsync();
        var other = await server.SignInAsync();
        await using var events = await WatchAsync(person.Tokens, Own);

        await server.SignInAsync(other.Email);
        await server.SignInAsync(person.Email);
        await server.SignInAsync(person.Email);

        var told = new[] { await events.ReadAsync(), await events.ReadAsync() };
        var listed = (await server.GetJsonAsync(person, "/auth/activity?limit=2")).GetProperty("events").EnumerateArray().Reverse().ToArray();
        Assert.Equal(["session.opened", "session.opened"], told.Select(item => item!.Kind));
        Assert.All(told.Zip(listed), pair => Assert.True(JsonElement.DeepEquals(pair.First!.Json, pair.Second), pair.First!.Data));
        Assert.Equal(listed.Select(item => item.GetProperty("id").GetString()), told.Select(item => item!.Id));
    }

    [Fact]
    public async Task Who_comes_back_misses_nothing_and_gets_nothing_twice()
    {
        var person = await server.SignInAsync();
        string position;
        await using (var events = await WatchAsync(person.Tokens, Own))
        {
            await server.SignInAsync(person.Email);
            position = (await events.ReadAsync())!.Id!;
        }

        var sessions = new List<Guid>();
        for (var i = 0; i < 3; i++)
        {
            sessions.Add((await server.SignInAsync(person.Email)).SessionId);
        }

        await using var byHeader = await WatchAsync(person.Tokens, Own, position);
        await using var byQuery = await WatchAsync(person.Tokens, $"{Own}?after={position}");
        await using var fromStart = await WatchAsync(person.Tokens, $"{Own}?after=0");
        foreach (var events in new[] { byHeader, byQuery })
        {
            foreach (var session in sessions)
            {
                Assert.Equal(session, (await events.ReadAsync())!.Json.GetProperty("session_id").GetGuid());
            }
        }

        Assert.Equal("account.registered", (await fromStart.ReadAsync())!.Kind);
    }

    [Fact]
    public async Task Of_what_an_administrator_did_is_told_who_it_was_and_not_from_where()
    {
        var person = await server.SignInAsync();
        var admin = await server.AdminAsync();
        await using var own = await WatchAsync(person.Tokens, Own);
        await using var all = await WatchAsync(admin.Tokens, $"{All}?account_id={person.Id}");

        (await server.AskAsync(admin.Tokens.Access, HttpMethod.Get, $"/api/admin/users/{person.Id}/export")).Dispose();

        var told = (await own.ReadAsync())!.Json;
        Assert.Equal(("data.exported", admin.Id), (told.GetProperty("kind").GetString(), told.GetProperty("actor_id").GetInt64()));
        Assert.All(["session_id", "key_id", "address", "user_agent"], name => Assert.Equal(JsonValueKind.Null, told.GetProperty(name).ValueKind));
        Assert.Equal(admin.Tokens.SessionId, (await all.ReadAsync())!.Json.GetProperty("session_id").GetGuid());
    }

    [Fact]
    public async Task An_administrator_watches_all_accounts_or_one_or_one_kind()
    {
        var admin = await server.AdminAsync();
        var (first, second) = (await server.SignInAsync(), await server.SignInAsync());
        await using var all = await WatchAsync(admin.Tokens, All);
        await using var one = await WatchAsync(admin.Tokens, $"{All}?account_id={second.Id}");
        await using var ends = await WatchAsync(admin.Tokens, $"{All}?kind=session.ended");

        await server.SignInAsync(first.Email);
        await server.SignInAsync(second.Email);
        using (await server.LogoutAsync(first.Tokens.Refresh))
        {
        }

        Assert.Equal(
            [(first.Id, "session.opened"), (second.Id, "session.opened"), (first.Id, "session.ended")],
            new[] { await OfAsync(all, first, second), await OfAsync(all, first, second), await OfAsync(all, first, second) });
        Assert.Equal((second.Id, "session.opened"), await OfAsync(one, first, second));
        Assert.Equal((first.Id, "session.ended"), await OfAsync(ends, first, second));
    }

    [Fact]
    public async Task Nobody_watches_what_is_not_theirs()
    {
        var person = await server.SignInAsync();
        var other = await server.SignInAsync();
        using var all = await server.AskAsync(person.Tokens.Access, HttpMethod.Get, All);
        using var nobody = await server.Client.GetAsync(Own, Cancel);
        using var byKey = new HttpRequestMessage(HttpMethod.Get, Own);
        byKey.Headers.Add("X-API-Key", "test-static-key");
        using var key = await server.Client.SendAsync(byKey, Cancel);
        Assert.Equal((HttpStatusCode.Forbidden, HttpStatusCode.Unauthorized, HttpStatusCode.Forbidden), (all.StatusCode, nobody.StatusCode, key.StatusCode));

        // The account of a query is nothing that this route knows, and a position in another's log is none in one's own.
        await using var own = await WatchAsync(person.Tokens, $"{Own}?account_id={other.Id}&after=0");
        Assert.Equal(person.Id, (await own.ReadAsync())!.Json.GetProperty("account_id").GetInt64());
        var theirs = (await server.GetJsonAsync(other, "/auth/activity")).GetProperty("events")[0].GetProperty("id").GetString();
        await using var reset = await WatchAsync(person.Tokens, Own, theirs);
        Assert.Equal("unknown", (await reset.ReadAsync())!.Json.GetProperty("reason").GetString());
        Assert.Null(await reset.ReadAsync());
    }

    [Fact]
    public async Task It_ends_with_the_session_and_with_the_role()
    {
        var person = await server.SignInAsync();
        await using var own = await WatchAsync(person.Tokens, Own);
        var (admin, another) = (await server.AdminAsync(), await server.AdminAsync());
        await using var all = await WatchAsync(admin.Tokens, All);

        using var logout = await server.LogoutAsync(person.Tokens.Refresh);
        using var demoted = await server.ChangeRoleAsync(another, admin.Id, "user");

        Assert.Equal(HttpStatusCode.OK, demoted.StatusCode);
        await own.ReadToEndAsync();
        await all.ReadToEndAsync();
        using var again = await server.AskAsync((await server.SignInAsync(admin.Email)).Access, HttpMethod.Get, All);
        Assert.Equal(HttpStatusCode.Forbidden, again.StatusCode);
    }

    [Fact]
    public async Task A_browser_comes_with_a_ticket()
    {
        var person = await server.SignInAsync();
        using var answer = await server.DoAsync(person, "/auth/ws-ticket", new { path = Own });
        await using var events = await SseClient.OpenAsync(server.Client, $"{Own}?ticket={(await answer.JsonAsync()).GetProperty("ticket").GetString()}");

        var session = (await server.SignInAsync(person.Email)).SessionId;

        Assert.Equal(session, (await events.ReadAsync())!.Json.GetProperty("session_id").GetGuid());
    }

    [Fact]
    public async Task One_person_has_so_many_open_and_no_more()
    {
        await using var small = await ServerFixture.StartAsync(["--MAX_CONNECTIONS_PER_OWNER=2"]);
        using var registered = await small.Client.PostAsync("/auth/register", JsonBody(new { email = "mason@example.com", password = AccountsServer.Password }), Cancel);
        using var login = await small.Client.PostAsync("/auth/login", JsonBody(new { email = "mason@example.com", password = AccountsServer.Password }), Cancel);
        var tokens = await Tokens.OfAsync(login);
        await using var first = await SseClient.OpenAsync(small.Client, Request(tokens, Own));
        await using var second = await SseClient.OpenAsync(small.Client, Request(tokens, Own));

        using var third = await small.Client.SendAsync(Request(tokens, Own), HttpCompletionOption.ResponseHeadersRead, Cancel);

        Assert.Equal(HttpStatusCode.TooManyRequests, third.StatusCode);
    }

    private static async Task<(long AccountId, string Kind)> OfAsync(SseClient events, params Person[] people)
    {
        // Other tests use the server too.
        while (true)
        {
            var item = (await events.ReadAsync())!;
            var id = item.Json.GetProperty("account_id").GetInt64();
            if (people.Any(person => person.Id == id))
            {
                return (id, item.Kind);
            }
        }
    }

    private static System.Net.Http.Json.JsonContent JsonBody(object body) => System.Net.Http.Json.JsonContent.Create(body);

    private Task<SseClient> WatchAsync(Tokens tokens, string path, string? lastEventId = null) => SseClient.OpenAsync(server.Client, Request(tokens, path, lastEventId));

    private static HttpRequestMessage Request(Tokens tokens, string path, string? lastEventId = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", tokens.Access);
        if (lastEventId is not null)
        {
            request.Headers.TryAddWithoutValidation("Last-Event-ID", lastEventId);
        }

        return request;
    }
}

public sealed class ActivityWatchOnSqliteTests(SqliteAccountsServer server) : ActivityWatchTests(server), IClassFixture<SqliteAccountsServer>;

public sealed class ActivityWatchOnPostgresTests(PostgresAccountsServer server) : ActivityWatchTests(server), IClassFixture<PostgresAccountsServer>;
