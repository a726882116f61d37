using System.Net;
using System.Text.Json;
using Lintel.Features.Administration;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Features.Accounts.Audit;

public abstract class AuditTests(AccountsServer server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_person_sees_what_happened_to_their_account_newest_first_and_nothing_of_others()
    {
        var person = await server.SignInAsync();
        var other = await server.SignInAsync();
        using (await server.LogoutAsync((await server.SignInAsync(person.Email)).Refresh))
        {
        }

        var events = (await server.GetJsonAsync(person, "/auth/activity")).GetProperty("events").EnumerateArray().ToArray();

        Assert.Equal(["session.ended", "session.opened", "session.opened", "account.registered"], events.Select(item => item.GetProperty("kind").GetString()));
        Assert.All(events, item => Assert.Equal(person.Id, item.GetProperty("account_id").GetInt64()));
        Assert.Equal("127.0.0.1", events[0].GetProperty("address").GetString());
        using var others = await server.AskAsync(other.Tokens.Access, HttpMethod.Get, $"/auth/activity?after={events[0].GetProperty("id").GetString()}");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, others.StatusCode);
    }

    [Fact]
    public async Task Pages_follow_each_other_without_a_gap()
    {
        var person = await server.SignInAsync();
        for (var i = 0; i < 5; i++)
        {
            await server.SignInAsync(person.Email);
        }

        var ids = new List<string>();
        string? after = null;
        do
        {
            var page = await server.GetJsonAsync(person, "/auth/activity?limit=2" + (after is null ? "" : $"&after={after}"));
            ids.AddRange(page.GetProperty("events").EnumerateArray().Select(item => item.GetProperty("id").GetString()!));
            after = page.GetProperty("next").GetString();
        }
        while (after is not null);

        Assert.Equal(7, ids.Count);
        Assert.Equal(7, ids.Distinct().Count());
    }

    [Fact]
    public async Task The_audit_is_filtered_by_account_kind_and_time()
    {
        var admin = await server.AdminAsync();
        var person = await server.SignInAsync();
        var before = server.Clock.GetUtcNow();
        server.Clock.Advance(TimeSpan.FromSeconds(5));
        await server.SignInAsync(person.Email);

        var all = await EventsAsync(admin, $"account_id={person.Id}");
        var opened = await EventsAsync(admin, $"account_id={person.Id}&kind=session.opened");
        var late = await EventsAsync(admin, $"account_id={person.Id}&since={before.AddSeconds(1):yyyy-MM-ddTHH:mm:ss}Z");
        var early = await EventsAsync(admin, $"account_id={person.Id}&until={before.AddSeconds(1):yyyy-MM-ddTHH:mm:ss}Z");

        Assert.Equal(["session.opened", "session.opened", "account.registered"], all.Select(item => item.GetProperty("kind").GetString()));
        Assert.Equal(2, opened.Length);
        Assert.Single(late);
        Assert.Equal(2, early.Length);
        Assert.All(all, item => Assert.Equal(person.Id, item.GetProperty("account_id").GetInt64()));
        using var wrong = await server.AskAsync(admin.Tokens.Access, HttpMethod.Get, "/api/admin/audit?kind=%27%3B--");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, wrong.StatusCode);
    }

    [Fact]
    public async Task An_export_has_every_event_once_and_goes_on_where_it_ended()
    {
        var admin = await server.AdminAsync();
        var person = await server.SignInAsync();

        var first = await ExportAsync(admin, "");
        Assert.Equal(await server.CountAsync("SELECT count(*) FROM event e JOIN stream s ON s.id = e.stream_id WHERE s.name = 'accounts.audit'"), first.Length);
        await server.SignInAsync(person.Email);
        var rest = await ExportAsync(admin, $"?after={first[^1].GetProperty("id").GetString()}");
        var own = await ExportAsync(admin, $"?account_id={person.Id}");

        Assert.Equal(person.Id, Assert.Single(rest).GetProperty("account_id").GetInt64());
        Assert.Equal(3, own.Length);
    }

    [Fact]
    public async Task Nobody_changes_or_removes_an_entry()
    {
        var admin = await server.AdminAsync();
        foreach (var method in (HttpMethod[])[HttpMethod.Delete, HttpMethod.Put, HttpMethod.Patch, HttpMethod.Post])
        {
            using var response = await server.AskAsync(admin.Tokens.Access, method, "/api/admin/audit", new { });
            Assert.Equal(HttpStatusCode.MethodNotAllowed, response.StatusCode);
        }
    }

    [Fact]
    public async Task What_is_older_than_a_year_is_forgotten_and_nothing_else()
    {
        var admin = await server.AdminAsync();
        var person = await server.SignInAsync();
        var stream = await server.CountAsync("SELECT id FROM stream WHERE name = $1", AccountAudit.NameOf(person.Id));
        var yearAgo = (server.Clock.GetUtcNow() - TimeSpan.FromDays(366)).ToUnixTimeMilliseconds() * 1000;
        await server.ExecuteAsync("UPDATE event SET at = $1 WHERE stream_id = $2 AND seq = 1", yearAgo, stream);

        server.Clock.Advance(TimeSpan.FromHours(2));
        await server.Services.GetRequiredService<AuditRetentionWorker>().ForgetAsync(Cancel);

        person = person with { Tokens = await server.SignInAsync(person.Email) };
        var kept = (await server.GetJsonAsync(person, "/auth/activity")).GetProperty("events").EnumerateArray().Select(item => item.GetProperty("kind").GetString());
        Assert.Equal(["session.opened", "session.opened"], kept);
        Assert.True(admin.Id > 0);
    }

    private async Task<JsonElement[]> EventsAsync(Person admin, string query) =>
        [.. (await server.GetJsonAsync(admin, "/api/admin/audit?" + query)).GetProperty("events").EnumerateArray()];

    private async Task<JsonElement[]> ExportAsync(Person admin, string query)
    {
        using var response = await server.AskAsync(admin.Tokens.Access, HttpMethod.Get, "/api/admin/audit/export" + query);
        Assert.Equal("application/x-ndjson", response.Content.Headers.ContentType!.MediaType);
        var text = await response.Content.ReadAsStringAsync(Cancel);
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];
    }
}

public sealed class AuditOnSqliteTests(SqliteAccountsServer server) : AuditTests(server), IClassFixture<SqliteAccountsServer>;

public sealed class AuditOnPostgresTests(PostgresAccountsServer server) : AuditTests(server), IClassFixture<PostgresAccountsServer>;
