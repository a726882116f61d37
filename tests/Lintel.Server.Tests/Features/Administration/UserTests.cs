using System.Net;
using Lintel.Features.Accounts;
using Lintel.Infrastructure;

namespace Lintel.Features.Administration;

public abstract class UserTests(AccountsServer server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Disabling_ends_tokens_keys_and_sign_in_at_once_and_enabling_lets_sign_in_again()
    {
        var admin = await server.AdminAsync();
        var person = await server.SignInAsync();
        var key = await MakeKeyAsync(person, "tasks");
        Assert.Equal(HttpStatusCode.OK, await UseAsync(key));

        using var disabled = await server.DoAsync(admin, $"/api/admin/users/{person.Id}/disable", new { reason = "Left." });

        Assert.Equal(HttpStatusCode.OK, disabled.StatusCode);
        Assert.Equal("disabled", (await disabled.JsonAsync()).GetProperty("state").GetString());
        Assert.Equal("AUTH_TOKEN_REVOKED", await server.MeErrorAsync(person.Tokens.Access));
        Assert.Equal("AUTH_TOKEN_REVOKED", await server.RefreshErrorAsync(person.Tokens.Refresh));
        Assert.Equal(HttpStatusCode.Unauthorized, await UseAsync(key));
        using (var refused = await server.PostAsync("/auth/login", new { email = person.Email, password = AccountsServer.Password }))
        {
            Assert.Equal("AUTH_INVALID_CREDENTIALS", await refused.ErrorCodeAsync());
        }

        using var enabled = await server.DoAsync(admin, $"/api/admin/users/{person.Id}/enable");

        Assert.Equal("active", (await enabled.JsonAsync()).GetProperty("state").GetString());
        var tokens = await server.SignInAsync(person.Email);
        Assert.Equal(HttpStatusCode.OK, await server.StatusOfMeAsync(tokens.Access));
        Assert.Equal(HttpStatusCode.Unauthorized, await UseAsync(key));
        Assert.Equal("AUTH_TOKEN_REVOKED", await server.MeErrorAsync(person.Tokens.Access));

        var activity = await server.GetJsonAsync(person with { Tokens = tokens }, "/auth/activity");
        var told = activity.GetProperty("events").EnumerateArray().First(item => item.GetProperty("kind").GetString() == "account.disabled");
        Assert.Equal(admin.Id, told.GetProperty("actor_id").GetInt64());
        Assert.Equal("Left.", told.GetProperty("details").GetProperty("reason").GetString());
        Assert.Equal(System.Text.Json.JsonValueKind.Null, told.GetProperty("address").ValueKind);
    }

    [Fact]
    public async Task Demotion_ends_the_sessions_and_the_keys_that_administer_and_no_other_keys()
    {
        var admin = await server.AdminAsync();
        var other = await server.AdminAsync();
        var powerful = await MakeKeyAsync(other, "admin", "tasks");
        var plain = await MakeKeyAsync(other, "tasks");
        Assert.Equal(HttpStatusCode.OK, await UseAsync(powerful, "/api/admin/users"));

        using var demoted = await server.ChangeRoleAsync(admin, other.Id, "user");

        Assert.Equal("user", (await demoted.JsonAsync()).GetProperty("role").GetString());
        Assert.Equal("AUTH_TOKEN_REVOKED", await server.MeErrorAsync(other.Tokens.Access));
        Assert.Equal(HttpStatusCode.Unauthorized, await UseAsync(powerful, "/api/admin/users"));
        Assert.Equal(HttpStatusCode.OK, await UseAsync(plain));
        var again = await server.SignInAsync(other.Email);
        using var users = await server.AskAsync(again.Access, HttpMethod.Get, "/api/admin/users");
        Assert.Equal(HttpStatusCode.Forbidden, users.StatusCode);
    }

    [Fact]
    public async Task A_key_can_never_do_more_than_its_owner()
    {
        var admin = await server.AdminAsync();
        var key = await MakeKeyAsync(admin, "admin", "tasks");
        await server.ExecuteAsync("UPDATE account SET role = 'user' WHERE id = $1", admin.Id);

        Assert.Equal((HttpStatusCode.Forbidden, HttpStatusCode.OK), (await UseAsync(key, "/api/admin/users"), await UseAsync(key)));
    }

    [Fact]
    public async Task A_new_administrator_administers_after_the_next_refresh()
    {
        var admin = await server.AdminAsync();
        var person = await server.SignInAsync();
        await server.ExecuteAsync("UPDATE account SET email_verified_at = 1 WHERE id = $1", person.Id);

        using var promoted = await server.ChangeRoleAsync(admin, person.Id, "admin");

        Assert.Equal(HttpStatusCode.OK, promoted.StatusCode);
        using var refreshed = await server.RefreshAsync(person.Tokens.Refresh);
        using var users = await server.AskAsync((await Tokens.OfAsync(refreshed)).Access, HttpMethod.Get, "/api/admin/users");
        Assert.Equal(HttpStatusCode.OK, users.StatusCode);
    }

    [Fact]
    public async Task An_address_that_was_never_confirmed_makes_no_administrator_unless_somebody_vouches_for_it()
    {
        var admin = await server.AdminAsync();
        var person = await server.SignInAsync();

        using var refused = await server.ChangeRoleAsync(admin, person.Id, "admin");
        Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
        Assert.Contains("never confirmed", (await refused.JsonAsync()).GetProperty("error").GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal(1, await server.CountAsync("SELECT count(*) FROM account WHERE id = $1 AND role = 'user' AND email_verified_at IS NULL", person.Id));

        using var forced = await server.AskAsync(admin.Tokens.Access, HttpMethod.Put, $"/api/admin/users/{person.Id}/role", new { role = "admin", force = true });
        Assert.Equal(HttpStatusCode.OK, forced.StatusCode);
        Assert.Equal(1, await server.CountAsync("SELECT count(*) FROM account WHERE id = $1 AND role = 'admin' AND email_verified_at IS NOT NULL", person.Id));
        using var again = await server.ChangeRoleAsync(admin, person.Id, "admin");
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
    }

    [Fact]
    public async Task Signing_out_ends_all_sessions_and_keys_where_asked()
    {
        var admin = await server.AdminAsync();
        var person = await server.SignInAsync();
        var second = await server.SignInAsync(person.Email);
        var key = await MakeKeyAsync(person, "tasks");

        using var first = await server.DoAsync(admin, $"/api/admin/users/{person.Id}/sign-out");

        Assert.Equal("""{"sessions":2,"keys":0}""", await first.Content.ReadAsStringAsync(Cancel));
        Assert.Equal(("AUTH_TOKEN_REVOKED", "AUTH_TOKEN_REVOKED"), (await server.MeErrorAsync(person.Tokens.Access), await server.MeErrorAsync(second.Access)));
        Assert.Equal(HttpStatusCode.OK, await UseAsync(key));
        using var keys = await server.DoAsync(admin, $"/api/admin/users/{person.Id}/sign-out?keys=true");
        Assert.Equal("""{"sessions":0,"keys":1}""", await keys.Content.ReadAsStringAsync(Cancel));
        Assert.Equal(HttpStatusCode.Unauthorized, await UseAsync(key));
    }

    [Fact]
    public async Task A_change_that_was_meant_for_another_state_is_refused()
    {
        var admin = await server.AdminAsync();
        var person = await server.SignInAsync();
        using var seen = await server.AskAsync(admin.Tokens.Access, HttpMethod.Get, $"/api/admin/users/{person.Id}");
        var etag = seen.Headers.ETag!.ToString();

        using var disabled = await server.AskAsync(admin.Tokens.Access, HttpMethod.Post, $"/api/admin/users/{person.Id}/disable", ifMatch: etag);
        using var stale = await server.AskAsync(admin.Tokens.Access, HttpMethod.Post, $"/api/admin/users/{person.Id}/enable", ifMatch: etag);

        using var signOut = await server.AskAsync(admin.Tokens.Access, HttpMethod.Post, $"/api/admin/users/{person.Id}/sign-out", ifMatch: etag);
        using var factors = await server.AskAsync(admin.Tokens.Access, HttpMethod.Delete, $"/api/admin/users/{person.Id}/second-factors", ifMatch: etag);

        Assert.Equal(HttpStatusCode.OK, disabled.StatusCode);
        Assert.All([stale, signOut, factors], response => Assert.Equal(HttpStatusCode.Conflict, response.StatusCode));
        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM account WHERE id = $1 AND is_active", person.Id));
    }

    [Fact]
    public async Task Nothing_more_is_done_to_an_account_that_is_being_deleted()
    {
        var admin = await server.AdminAsync();
        var person = await server.SignInAsync();
        await server.ExecuteAsync("UPDATE account SET is_active = FALSE, deleted_at = $2 WHERE id = $1", person.Id, long.MaxValue);

        using var signOut = await server.DoAsync(admin, $"/api/admin/users/{person.Id}/sign-out");
        using var enable = await server.DoAsync(admin, $"/api/admin/users/{person.Id}/enable");
        using var factors = await server.AskAsync(admin.Tokens.Access, HttpMethod.Delete, $"/api/admin/users/{person.Id}/second-factors");

        // The server deletes what is to be deleted, and may have come that far.
        Assert.All([signOut, enable, factors], response => Assert.Contains(response.StatusCode, (HttpStatusCode[])[HttpStatusCode.Conflict, HttpStatusCode.NotFound]));
    }

    [Fact]
    public async Task Accounts_are_found_by_address_name_role_and_state_and_paged()
    {
        var admin = await server.AdminAsync();
        var mark = $"zz{Guid.CreateVersion7():N}";
        foreach (var i in Enumerable.Range(0, 5))
        {
            using var made = await server.PostAsync("/auth/register", new { email = $"{mark}.{i}@example.com", password = AccountsServer.Password, name = $"Per% {mark} {i}" });
            Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        }

        var found = new List<long>();
        string? after = null;
        do
        {
            var page = await server.GetJsonAsync(admin, $"/api/admin/users?q={mark.ToUpperInvariant()}&role=user&state=active&limit=2" + (after is null ? "" : $"&after={after}"));
            found.AddRange(page.GetProperty("users").EnumerateArray().Select(user => user.GetProperty("id").GetInt64()));
            after = page.GetProperty("next").GetString();
        }
        while (after is not null);

        Assert.Equal(5, found.Count);
        Assert.Equal(found.OrderDescending(), found);
        Assert.Equal(5, (await server.GetJsonAsync(admin, $"/api/admin/users?q={Uri.EscapeDataString($"per% {mark}")}")).GetProperty("users").GetArrayLength());
        Assert.Equal(0, (await server.GetJsonAsync(admin, $"/api/admin/users?q={Uri.EscapeDataString($"{mark[..^1]}%")}")).GetProperty("users").GetArrayLength());
        Assert.Equal(0, (await server.GetJsonAsync(admin, $"/api/admin/users?q={mark}&state=disabled")).GetProperty("users").GetArrayLength());
    }

    [Fact]
    public async Task Nobody_but_administrators_reaches_any_of_it()
    {
        var admin = await server.AdminAsync();
        var person = await server.SignInAsync();
        var keyOfAdmin = await MakeKeyAsync(admin, "tasks", "design", "execute", "files", "chat");
        (HttpMethod Method, string Path)[] routes =
        [
            (HttpMethod.Get, "/api/admin/users"),
            (HttpMethod.Get, $"/api/admin/users/{admin.Id}"),
            (HttpMethod.Post, $"/api/admin/users/{admin.Id}/disable"),
            (HttpMethod.Post, $"/api/admin/users/{admin.Id}/enable"),
            (HttpMethod.Post, $"/api/admin/users/{admin.Id}/sign-out"),
            (HttpMethod.Put, $"/api/admin/users/{person.Id}/role"),
            (HttpMethod.Get, "/api/admin/audit"),
            (HttpMethod.Get, "/api/admin/audit/export"),
        ];
        foreach (var (method, path) in routes)
        {
            using var nobody = await server.Client.SendAsync(new HttpRequestMessage(method, path), Cancel);
            using var user = await server.AskAsync(person.Tokens.Access, method, path, method == HttpMethod.Get ? null : new { role = "admin" });
            using var request = new HttpRequestMessage(method, path) { Headers = { { "X-API-Key", keyOfAdmin } } };
            using var key = await server.Client.SendAsync(request, Cancel);
            using var fixedRequest = new HttpRequestMessage(method, path) { Headers = { { "X-API-Key", "test-static-key" } } };
            using var fixedKey = await server.Client.SendAsync(fixedRequest, Cancel);

            Assert.True(
                (nobody.StatusCode, user.StatusCode, key.StatusCode, fixedKey.StatusCode)
                == (HttpStatusCode.Unauthorized, HttpStatusCode.Forbidden, HttpStatusCode.Forbidden, HttpStatusCode.Forbidden),
                $"{method} {path}: {nobody.StatusCode} {user.StatusCode} {key.StatusCode} {fixedKey.StatusCode}");
        }

        Assert.Equal(1, await server.CountAsync("SELECT count(*) FROM account WHERE id = $1 AND is_active AND role = 'admin'", admin.Id));
    }

    [Fact]
    public async Task A_proof_that_is_too_old_is_asked_for_again_and_changes_nothing()
    {
        var admin = await server.AdminAsync();
        var person = await server.SignInAsync();
        await server.ExecuteAsync("UPDATE session SET authenticated_at = 0 WHERE account_id = $1", admin.Id);

        using var disable = await server.DoAsync(admin, $"/api/admin/users/{person.Id}/disable");
        using var role = await server.ChangeRoleAsync(admin, person.Id, "admin");

        Assert.Equal(("AUTH_2FA_REQUIRED", "AUTH_2FA_REQUIRED"), (await disable.ErrorCodeAsync(), await role.ErrorCodeAsync()));
        Assert.Equal(HttpStatusCode.OK, await server.StatusOfMeAsync(person.Tokens.Access));
    }

    [Fact]
    public async Task Reasons_and_filters_that_are_none_are_refused()
    {
        var admin = await server.AdminAsync();
        using var lines = await server.DoAsync(admin, $"/api/admin/users/{admin.Id}/enable", new { reason = "two\nlines" });
        using var long_ = await server.DoAsync(admin, $"/api/admin/users/{admin.Id}/enable", new { reason = new string('x', 501) });
        using var role = await server.AskAsync(admin.Tokens.Access, HttpMethod.Put, $"/api/admin/users/{admin.Id}/role", new { role = "root" });
        using var filter = await server.AskAsync(admin.Tokens.Access, HttpMethod.Get, "/api/admin/users?state=gone");
        using var cursor = await server.AskAsync(admin.Tokens.Access, HttpMethod.Get, "/api/admin/users?after=x");
        using var nobody = await server.DoAsync(admin, "/api/admin/users/999999/enable");

        Assert.All([lines, long_, role, filter, cursor], response => Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode));
        Assert.Equal(HttpStatusCode.NotFound, nobody.StatusCode);
    }

    private async Task<string> MakeKeyAsync(Person person, params string[] scopes)
    {
        using var made = await server.AskAsync(person.Tokens.Access, HttpMethod.Post, "/api/keys", new { name = "k", scopes });
        return (await made.JsonAsync()).GetProperty("key").GetString()!;
    }

    private async Task<HttpStatusCode> UseAsync(string key, string path = "/api/tasks")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { { "X-API-Key", key } } };
        using var response = await server.Client.SendAsync(request, Cancel);
        return response.StatusCode;
    }
}

public sealed class UserOnSqliteTests(SqliteAccountsServer server) : UserTests(server), IClassFixture<SqliteAccountsServer>;

public sealed class UserOnPostgresTests(PostgresAccountsServer server) : UserTests(server), IClassFixture<PostgresAccountsServer>;
