using System.Net;
using System.Text.Json;
using Lintel.Features.Accounts;
using Lintel.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Lintel.Features.ApiKeys;

/// <summary>Making, listing and revoking.</summary>
public abstract class ApiKeyTests(AccountsServer server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_new_key_is_told_once_and_works_at_once()
    {
        var person = await server.SignInAsync();
        using var response = await server.CreateKeyAsync(
            person.Tokens.Access, new { name = " nightly ", scopes = new[] { "execute", "design", "design" }, expires_at = "2999-01-31T12:00:00+01:00" });

        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        Assert.Equal("no-store", response.Headers.CacheControl!.ToString());
        var made = await response.JsonAsync();
        var (id, key) = (made.GetProperty("id").GetGuid(), made.GetProperty("key").GetString()!);
        Assert.Equal($"/api/keys/{id}", response.Headers.Location!.ToString());
        Assert.StartsWith("ltl_", key, StringComparison.Ordinal);
        Assert.Equal(key[..12], made.GetProperty("prefix").GetString());
        Assert.Equal("nightly", made.GetProperty("name").GetString());
        Assert.Equal(["design", "execute"], made.GetProperty("scopes").EnumerateArray().Select(static scope => scope.GetString()));
        Assert.Equal("2999-01-31T11:00:00.000000Z", made.GetProperty("expires_at").GetString());

        using var me = await server.SendAsync(HttpMethod.Get, "/auth/me", null, ("X-API-Key", key));
        Assert.Equal(person.Id, (await me.JsonAsync()).GetProperty("id").GetInt64());

        var listed = await server.KeysAsync(person.Tokens.Access);
        Assert.DoesNotContain(key, listed.GetRawText(), StringComparison.Ordinal);
        Assert.Equal(key[..12], Assert.Single(listed.GetProperty("keys").EnumerateArray()).GetProperty("prefix").GetString());
        Assert.Equal(JsonValueKind.Null, listed.GetProperty("next").ValueKind);
    }

    [Fact]
    public async Task The_database_keeps_the_hash_alone()
    {
        var person = await server.SignInAsync();
        var key = await server.NewKeyAsync(person.Tokens.Access);
        var kept = await server.Database.ReadAsync(
            session => session.QueryFirstAsync(
                "SELECT hash, name, prefix FROM api_key WHERE id = $1", static row => ((byte[])row.GetValue(0), row.GetString(1) + row.GetString(2)), key.Id),
            Cancel);

        Assert.Equal(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.ASCII.GetBytes(key.Text)), kept.Item1);
        Assert.DoesNotContain(key.Text[12..], kept.Item2, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_list_has_ones_own_keys_newest_first_in_pages()
    {
        var person = await server.SignInAsync();
        var other = await server.SignInAsync();
        await server.NewKeyAsync(other.Tokens.Access);
        var made = new List<Guid>();
        for (var i = 0; i < 5; i++)
        {
            made.Add((await server.NewKeyAsync(person.Tokens.Access)).Id);
            server.Clock.Advance(TimeSpan.FromMilliseconds(2));
        }

        var listed = new List<Guid>();
        var query = "?limit=2";
        for (var pages = 1; ; pages++)
        {
            var page = await server.KeysAsync(person.Tokens.Access, query);
            listed.AddRange(page.GetProperty("keys").EnumerateArray().Select(static key => key.GetProperty("id").GetGuid()));
            if (page.GetProperty("next").GetString() is not { } next)
            {
                Assert.Equal(3, pages);
                break;
            }

            query = $"?limit=2&after={next}";
        }

        Assert.Equal(made.AsEnumerable().Reverse(), listed);
    }

    [Theory]
    [InlineData("?limit=0", "limit")]
    [InlineData("?limit=201", "limit")]
    [InlineData("?after=yesterday", "after")]
    public async Task A_list_that_cannot_be_is_refused(string query, string field)
    {
        var person = await server.SignInAsync();
        using var response = await server.SendAsync(HttpMethod.Get, "/api/keys" + query, null, ("Authorization", "Bearer " + person.Tokens.Access));

        Assert.Equal([field], await BadFieldsAsync(response));
    }

    [Theory]
    [InlineData("""{}""", "name", "scopes")]
    [InlineData("""{"name":null,"scopes":null}""", "name", "scopes")]
    [InlineData("""{"name":"","scopes":["design"]}""", "name")]
    [InlineData("""{"name":"   ","scopes":["design"]}""", "name")]
    [InlineData("""{"name":"a\u0000b","scopes":["design"]}""", "name")]
    [InlineData("""{"name":"a\nb","scopes":["design"]}""", "name")]
    [InlineData("""{"name":5,"scopes":["design"]}""", "name")]
    [InlineData("""{"name":"x","scopes":[]}""", "scopes")]
    [InlineData("""{"name":"x","scopes":["design","root"]}""", "scopes")]
    [InlineData("""{"name":"x","scopes":["Design"]}""", "scopes")]
    [InlineData("""{"name":"x","scopes":["design,execute"]}""", "scopes")]
    [InlineData("""{"name":"x","scopes":[null]}""", "scopes")]
    [InlineData("""{"name":"x","scopes":"design"}""", "scopes")]
    [InlineData("""{"name":"x","scopes":["design"],"expires_at":"2020-01-01T00:00:00Z"}""", "expires_at")]
    [InlineData("""{"name":"x","scopes":["design"],"expires_at":"tomorrow"}""", "expires_at")]
    [InlineData("""{"name":"x","scopes":["design"],"expires_at":1893456000}""", "expires_at")]
    [InlineData("""{"name":"x","scopes":["design"],"rate_limit":0}""", "rate_limit")]
    [InlineData("""{"name":"x","scopes":["design"],"rate_limit":-1}""", "rate_limit")]
    [InlineData("""{"name":"x","scopes":["design"],"rate_limit":1000001}""", "rate_limit")]
    [InlineData("""{"name":"x","scopes":["design"],"rate_limit":1e99}""", "rate_limit")]
    [InlineData("""{"name":"","scopes":["x"],"expires_at":"2020-01-01T00:00:00Z","rate_limit":0}""", "expires_at", "name", "rate_limit", "scopes")]
    [InlineData("[]", "body")]
    [InlineData("{", "body")]
    public async Task Every_bad_field_is_named(string body, params string[] fields)
    {
        var person = await server.SignInAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/keys") { Content = new StringContent(body, null, "application/json") };
        request.Headers.Authorization = new("Bearer", person.Tokens.Access);
        using var response = await server.Client.SendAsync(request, Cancel);

        Assert.Equal(fields, await BadFieldsAsync(response));
        Assert.Empty((await server.KeysAsync(person.Tokens.Access)).GetProperty("keys").EnumerateArray());
    }

    [Fact]
    public async Task An_unknown_scope_is_answered_with_those_there_are()
    {
        var person = await server.SignInAsync();
        using var response = await server.CreateKeyAsync(person.Tokens.Access, new { name = "x", scopes = new[] { "everything" } });

        Assert.Contains("design, execute, tasks, files, chat, admin", await response.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, HttpStatusCode.Created)]
    [InlineData(100, HttpStatusCode.Created)]
    [InlineData(101, HttpStatusCode.UnprocessableEntity)]
    public async Task A_name_has_1_to_100_characters_however_they_are_written(int length, HttpStatusCode expected)
    {
        var person = await server.SignInAsync();
        using var response = await server.CreateKeyAsync(person.Tokens.Access, new { name = string.Concat(Enumerable.Repeat("🏗", length)), scopes = new[] { "design" } });

        Assert.Equal(expected, response.StatusCode);
    }

    [Fact]
    public async Task A_name_is_text_whatever_is_written_in_it()
    {
        const string name = "'); DROP TABLE api_key; -- $1 \" \\ <script>";
        var person = await server.SignInAsync();
        using var response = await server.CreateKeyAsync(person.Tokens.Access, new { name, scopes = new[] { "design" } });

        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        Assert.Equal(name, (await server.KeysAsync(person.Tokens.Access)).GetProperty("keys")[0].GetProperty("name").GetString());
    }

    [Fact]
    public async Task Nobody_can_give_a_key_what_they_do_not_have_themselves()
    {
        var person = await server.SignInAsync();
        using var all = await server.CreateKeyAsync(person.Tokens.Access, new { name = "x", scopes = new[] { "design", "execute", "tasks", "files", "chat" } });
        using var admin = await server.CreateKeyAsync(person.Tokens.Access, new { name = "x", scopes = new[] { "design", "admin" } });

        Assert.Equal(HttpStatusCode.Created, all.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, admin.StatusCode);
        Assert.Contains("scope admin", await admin.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_administrator_can_give_a_key_administration()
    {
        var person = await server.SignInAsync();
        var token = TestJwt.Change(person.Tokens.Access, static claims => claims["scopes"] = new System.Text.Json.Nodes.JsonArray("design", "admin"));
        using var admin = await server.CreateKeyAsync(token, new { name = "x", scopes = new[] { "admin" } });
        using var files = await server.CreateKeyAsync(token, new { name = "x", scopes = new[] { "files" } });

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.Forbidden), (admin.StatusCode, files.StatusCode));
    }

    [Fact]
    public async Task Keys_make_list_and_revoke_no_keys()
    {
        var person = await server.SignInAsync();
        var key = await server.NewKeyAsync(person.Tokens.Access, ["design", "execute", "tasks", "files", "chat"]);
        foreach (var text in new[] { key.Text, "test-static-key" })
        {
            using var create = await server.SendAsync(HttpMethod.Post, "/api/keys", new { name = "x", scopes = new[] { "design" } }, ("X-API-Key", text));
            using var list = await server.SendAsync(HttpMethod.Get, "/api/keys", null, ("X-API-Key", text));
            using var revoke = await server.SendAsync(HttpMethod.Delete, $"/api/keys/{key.Id}", null, ("X-API-Key", text));

            Assert.All([create, list, revoke], static response => Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode));
            Assert.Equal("FORBIDDEN", await create.ErrorCodeAsync());
        }

        using var nobody = await server.SendAsync(HttpMethod.Get, "/api/keys", null);
        Assert.Equal("AUTH_ERROR", await nobody.ErrorCodeAsync());
        Assert.Null(await server.TryKeyAsync(key.Text));
    }

    [Fact]
    public async Task Of_many_made_at_once_as_many_are_made_as_one_may_have()
    {
        var person = await server.SignInAsync();
        var statuses = await Task.WhenAll(Enumerable.Range(0, 60).Select(async _ =>
        {
            using var response = await server.CreateKeyAsync(person.Tokens.Access, new { name = "x", scopes = new[] { "design" } });
            return response.StatusCode;
        }));

        Assert.Equal(50, statuses.Count(static status => status == HttpStatusCode.Created));
        Assert.Equal(10, statuses.Count(static status => status == HttpStatusCode.Conflict));

        var some = (await server.KeysAsync(person.Tokens.Access)).GetProperty("keys")[7].GetProperty("id").GetGuid();
        Assert.Equal(HttpStatusCode.NoContent, await server.RevokeKeyAsync(person.Tokens.Access, some));
        await server.NewKeyAsync(person.Tokens.Access);
        using var oneMore = await server.CreateKeyAsync(person.Tokens.Access, new { name = "x", scopes = new[] { "design" } });
        Assert.Equal("CONFLICT", await oneMore.ErrorCodeAsync());
    }

    [Fact]
    public async Task Anothers_key_looks_as_if_it_were_not_there()
    {
        var person = await server.SignInAsync();
        var other = await server.SignInAsync();
        var key = await server.NewKeyAsync(person.Tokens.Access);

        Assert.Equal(HttpStatusCode.NotFound, await server.RevokeKeyAsync(other.Tokens.Access, key.Id));
        Assert.Equal(HttpStatusCode.NotFound, await server.RevokeKeyAsync(other.Tokens.Access, Guid.CreateVersion7()));
        Assert.Null(await server.TryKeyAsync(key.Text));
    }

    [Fact]
    public async Task A_revoked_key_is_off_the_list_and_cannot_be_revoked_twice()
    {
        var person = await server.SignInAsync();
        var (revoked, kept) = (await server.NewKeyAsync(person.Tokens.Access), await server.NewKeyAsync(person.Tokens.Access));

        Assert.Equal(HttpStatusCode.NoContent, await server.RevokeKeyAsync(person.Tokens.Access, revoked.Id));
        Assert.Equal(HttpStatusCode.NotFound, await server.RevokeKeyAsync(person.Tokens.Access, revoked.Id));
        Assert.Equal(kept.Id, Assert.Single((await server.KeysAsync(person.Tokens.Access)).GetProperty("keys").EnumerateArray()).GetProperty("id").GetGuid());
    }

    [Fact]
    public async Task Of_a_session_that_another_node_has_just_ended_no_key_is_left()
    {
        var person = await server.SignInAsync();
        await server.ExecuteAsync("UPDATE session SET revoked_at = 1 WHERE id = $1", person.Tokens.SessionId);
        using var response = await server.CreateKeyAsync(person.Tokens.Access, new { name = "x", scopes = new[] { "design" } });

        Assert.Equal("AUTH_TOKEN_REVOKED", await response.ErrorCodeAsync());
        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM api_key WHERE account_id = $1", person.Id));
    }

    [Fact]
    public async Task The_log_tells_who_made_and_revoked_which_key_and_never_the_key()
    {
        var person = await server.SignInAsync();
        var key = await server.NewKeyAsync(person.Tokens.Access);
        Assert.Null(await server.TryKeyAsync(key.Text));
        using var wrongHeader = await server.SendAsync(HttpMethod.Get, "/auth/me", null, ("Authorization", "Bearer " + key.Text));
        using var query = await server.SendAsync(HttpMethod.Get, $"/auth/me?api_key={key.Text}&key={key.Text}", null);
        await server.RevokeKeyAsync(person.Tokens.Access, key.Id);
        Assert.Equal("AUTH_TOKEN_REVOKED", await server.TryKeyAsync(key.Text));

        foreach (var word in new[] { "made", "revoked" })
        {
            var line = await server.Log.WaitForAsync(line => RegistrationTests.IsAbout(line, "app.auth.service", person.Id, word), Cancel);
            Assert.Equal(key.Id, line.GetProperty("key_id").GetGuid());
        }

        var last = query.Header("X-Request-ID");
        await server.Log.OfRequestAsync(last, Cancel);
        Assert.DoesNotContain(key.Text[12..], server.Log.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Revoked_keys_are_forgotten_after_a_day_and_expired_ones_after_thirty()
    {
        var person = await server.SignInAsync();
        var revoked = await server.NewKeyAsync(person.Tokens.Access);
        var expiring = await server.NewKeyAsync(person.Tokens.Access, expiresAt: server.Clock.GetUtcNow().AddDays(1));
        var kept = await server.NewKeyAsync(person.Tokens.Access);
        await server.RevokeKeyAsync(person.Tokens.Access, revoked.Id);
        var worker = server.Services.GetServices<IHostedService>().OfType<ApiKeyRetentionWorker>().Single();

        await worker.ForgetAsync(Cancel);
        Assert.Equal(3, await server.CountAsync("SELECT count(*) FROM api_key WHERE account_id = $1", person.Id));
        server.Clock.Advance(TimeSpan.FromDays(2));
        await worker.ForgetAsync(Cancel);
        Assert.Equal("AUTH_TOKEN_INVALID", await server.TryKeyAsync(revoked.Text));
        Assert.Equal("AUTH_TOKEN_EXPIRED", await server.TryKeyAsync(expiring.Text));
        server.Clock.Advance(TimeSpan.FromDays(30));
        await worker.ForgetAsync(Cancel);

        Assert.Equal("AUTH_TOKEN_INVALID", await server.TryKeyAsync(expiring.Text));
        Assert.Null(await server.TryKeyAsync(kept.Text));
    }

    private static async Task<IEnumerable<string>> BadFieldsAsync(HttpResponseMessage response)
    {
        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        var error = (await response.JsonAsync()).GetProperty("error");
        Assert.Equal("VALIDATION_ERROR", error.GetProperty("code").GetString());
        return error.GetProperty("details").GetProperty("fields").EnumerateObject().Select(static field => field.Name.Split('[')[0]).Order(StringComparer.Ordinal);
    }
}

public sealed class ApiKeyOnSqliteTests(SqliteAccountsServer server) : ApiKeyTests(server), IClassFixture<SqliteAccountsServer>;

public sealed class ApiKeyOnPostgresTests(PostgresAccountsServer server) : ApiKeyTests(server), IClassFixture<PostgresAccountsServer>;
