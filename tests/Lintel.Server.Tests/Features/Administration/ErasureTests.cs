using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Lintel.Features.Accounts;
using Lintel.Features.Administration.Erasure;
using Lintel.Features.Chat;
using Lintel.Features.Chat.Rooms;
using Lintel.Infrastructure;
using Lintel.Platform.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Features.Administration;

/// <summary>Each test has a server of its own, whose accounts have numbers that stand for nothing else.</summary>
public abstract class ErasureTests(Func<AccountsServer> create)
{
    private const long FirstId = 7_340_118_265;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task After_a_deletion_nothing_in_the_database_or_on_the_disk_tells_of_the_person()
    {
        await using var server = await StartAsync();
        var admin = await server.AdminAsync();
        var person = await server.SignInAsync();
        var room = await FillAsync(server, person, admin);
        Assert.NotEmpty(await TracesAsync(server, person));
        Assert.NotEmpty(StoredFiles(server));

        using var deleted = await server.AskAsync(person.Tokens.Access, HttpMethod.Delete, "/auth/me");
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);

        // From the first moment nobody uses it.
        Assert.Equal("AUTH_TOKEN_REVOKED", await server.MeErrorAsync(person.Tokens.Access));
        Assert.Equal("AUTH_TOKEN_REVOKED", await server.RefreshErrorAsync(person.Tokens.Refresh));
        await EraseAsync(server);

        Assert.Equal([], await TracesAsync(server, person));
        Assert.Empty(StoredFiles(server));

        // The other's room is as it was, but for the words.
        var history = await server.GetJsonAsync(admin, $"/api/rooms/{room}/messages");
        var said = history.GetProperty("messages").EnumerateArray().Select(item => item.GetProperty("data"))
            .Select(message => (message.GetProperty("user_id").GetInt64(), message.GetProperty("message").GetString())).ToArray();
        Assert.Contains((admin.Id, "Good evening"), said);
        Assert.Contains((0, ""), said);

        // What is kept: that there was an account of this number.
        var audit = (await server.GetJsonAsync(admin, $"/api/admin/audit?account_id={person.Id}")).GetProperty("events").EnumerateArray().ToArray();
        Assert.Equal("account.deleted", audit[0].GetProperty("kind").GetString());
        Assert.All(audit, item => Assert.Equal(JsonValueKind.Null, item.GetProperty("address").ValueKind));
        Assert.All(audit, item => Assert.Equal(JsonValueKind.Null, item.GetProperty("details").ValueKind));

        // The address is free, and what is made with it is another account.
        using var again = await server.PostAsync("/auth/register", new { email = person.Email, password = AccountsServer.Password });
        Assert.NotEqual(person.Id, (await again.JsonAsync()).GetProperty("id").GetInt64());
    }

    [Fact]
    public async Task A_deletion_that_was_interrupted_goes_on_and_tokens_of_before_stay_worthless_after_a_restart()
    {
        await using var server = await StartAsync();
        var admin = await server.AdminAsync();
        var person = await server.SignInAsync();
        await FillAsync(server, person, admin);

        // As after a crash: the account is marked, and nobody has begun, or somebody has been half through.
        var (change, _) = await server.Services.GetRequiredService<UserTable>().BeginDeletionAsync(person.Id, new(Accounts.Audit.Actor.System, null, default), Cancel);
        Assert.Equal(UserChange.Done, change);
        await server.ExecuteAsync("DELETE FROM task WHERE user_id = $1", person.Id);
        await server.RestartAsync();
        Assert.Equal("AUTH_TOKEN_REVOKED", await server.MeErrorAsync(person.Tokens.Access));

        await EraseAsync(server);
        Assert.Equal([], await TracesAsync(server, person));

        // The rows of its sessions are gone, and a server that starts knows of them all the same.
        await server.RestartAsync();
        Assert.Equal("AUTH_TOKEN_REVOKED", await server.MeErrorAsync(person.Tokens.Access));
        Assert.Equal(HttpStatusCode.OK, await server.StatusOfMeAsync(admin.Tokens.Access));
    }

    [Fact]
    public async Task Two_nodes_that_remove_an_account_at_once_remove_it_once()
    {
        await using var server = await StartAsync();
        var admin = await server.AdminAsync();
        var person = await server.SignInAsync();
        await FillAsync(server, person, admin);
        await server.Services.GetRequiredService<UserTable>().BeginDeletionAsync(person.Id, new(Accounts.Audit.Actor.System, null, default), Cancel);

        await Task.WhenAll(EraseAsync(server), EraseAsync(server), EraseAsync(server));

        Assert.Equal([], await TracesAsync(server, person));
        Assert.Single((await server.GetJsonAsync(admin, $"/api/admin/audit?account_id={person.Id}&kind=account.deleted")).GetProperty("events").EnumerateArray());
    }

    [Fact]
    public async Task The_last_administrator_cannot_be_deleted_and_others_can_with_a_proof_alone()
    {
        await using var server = await StartAsync();
        var admin = await server.AdminAsync();
        var person = await server.SignInAsync();

        using var last = await server.AskAsync(admin.Tokens.Access, HttpMethod.Delete, "/auth/me");
        using var byUser = await server.AskAsync(person.Tokens.Access, HttpMethod.Delete, $"/api/admin/users/{admin.Id}");
        await server.ExecuteAsync("UPDATE session SET authenticated_at = 0");
        using var stale = await server.AskAsync(person.Tokens.Access, HttpMethod.Delete, "/auth/me");
        using var staleAdmin = await server.AskAsync(admin.Tokens.Access, HttpMethod.Delete, $"/api/admin/users/{person.Id}");

        Assert.Equal((HttpStatusCode.Conflict, HttpStatusCode.Forbidden), (last.StatusCode, byUser.StatusCode));
        Assert.Equal(("AUTH_2FA_REQUIRED", "AUTH_2FA_REQUIRED"), (await stale.ErrorCodeAsync(), await staleAdmin.ErrorCodeAsync()));
        Assert.Equal(HttpStatusCode.OK, await server.StatusOfMeAsync(person.Tokens.Access));
        using var deleted = await server.AskAsync((await server.SignInAsync(admin.Email)).Access, HttpMethod.Delete, $"/api/admin/users/{person.Id}?reason=Asked");
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        await EraseAsync(server);
        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM account WHERE id = $1", person.Id));
    }

    [Fact]
    public async Task An_export_has_everything_of_the_person_and_nothing_of_others()
    {
        await using var server = await StartAsync();
        var admin = await server.AdminAsync();
        var person = await server.SignInAsync();
        await FillAsync(server, person, admin);

        var lines = await ExportAsync(server, person, "/auth/me/export");
        var byAdmin = await ExportAsync(server, admin, $"/api/admin/users/{person.Id}/export");

        var types = lines.Select(line => line.GetProperty("type").GetString()).ToArray();
        Assert.Equal("end", types[^1]);
        Assert.Equal(
            ["account", "activity", "api_key", "authenticator", "end", "file", "job", "message", "notification", "passkey", "provider", "remembered_device", "session", "task", "webhook"], types.Distinct().Order(StringComparer.Ordinal));
        Assert.Contains("Good morning", string.Join('\n', lines.Select(line => line.GetRawText())), StringComparison.Ordinal);
        Assert.DoesNotContain("Good evening", string.Join('\n', lines.Select(line => line.GetRawText())), StringComparison.Ordinal);
        Assert.DoesNotContain(admin.Email, string.Join('\n', lines.Select(line => line.GetRawText())), StringComparison.Ordinal);
        Assert.DoesNotContain("password", string.Join('\n', lines.Select(line => line.GetRawText())), StringComparison.OrdinalIgnoreCase);
        Assert.Equal(types.Count(type => type != "activity"), byAdmin.Count(line => line.GetProperty("type").GetString() != "activity"));
        Assert.Contains("data.exported", (await server.GetJsonAsync(person, "/auth/activity")).GetRawText(), StringComparison.Ordinal);

        using var others = await server.AskAsync(person.Tokens.Access, HttpMethod.Get, $"/api/admin/users/{admin.Id}/export");
        Assert.Equal(HttpStatusCode.Forbidden, others.StatusCode);
        await server.ExecuteAsync("UPDATE session SET authenticated_at = 0 WHERE account_id = $1", person.Id);
        using var stale = await server.AskAsync(person.Tokens.Access, HttpMethod.Get, "/auth/me/export");
        Assert.Equal("AUTH_2FA_REQUIRED", await stale.ErrorCodeAsync());
    }

    private async Task<AccountsServer> StartAsync()
    {
        var server = create();
        await server.InitializeAsync();
        using var first = await server.PostAsync("/auth/register", new { email = AccountsServer.NewEmail(), password = AccountsServer.Password });
        if (server.Database.Kind == DatabaseKind.Sqlite)
        {
            await server.ExecuteAsync("UPDATE sqlite_sequence SET seq = $1 WHERE name = 'account'", FirstId);
        }
        else
        {
            await server.CountAsync("SELECT setval(pg_get_serial_sequence('account', 'id'), $1)", FirstId);
        }

        return server;
    }

    /// <summary>Something of the person everywhere, and returns the room of another where they spoke.</summary>
    private static async Task<string> FillAsync(AccountsServer server, Person person, Person other)
    {
        foreach (var i in Enumerable.Range(0, 3))
        {
            await PostAsync(server, person, "/api/tasks", new { title = $"Task {i}" }, HttpStatusCode.Created);
        }

        await PostAsync(server, person, "/api/keys", new { name = "mine", scopes = new[] { "tasks" } }, HttpStatusCode.Created);
        await PostAsync(server, person, "/auth/ws-ticket", new { path = "/ws/notifications" }, HttpStatusCode.OK);
        await PostAsync(server, person, "/api/webhooks", new { url = "https://hooks.example.com/mine", events = new[] { "*" } }, HttpStatusCode.Created);
        await PostAsync(server, person, "/api/tasks", new { title = "Told of" }, HttpStatusCode.Created);
        var beam = new { beam_id = "B1", width = 300, depth = 500, moment = 120, shear = 80, fck = 25, fy = 500, cover = 40 };
        await PostAsync(server, person, "/api/jobs", new { kind = "batch-design", input = Enumerable.Repeat(beam, 20) }, HttpStatusCode.Accepted);

        var now = server.Clock.GetUtcNow().ToMicroseconds();
        byte[] hash = [.. Guid.CreateVersion7().ToByteArray()];
        await server.ExecuteAsync(
            "INSERT INTO external_identity (provider, subject, account_id, email, linked_at) VALUES ('corp', $1, $2, $3, $4)", $"subject-{person.Id}", person.Id, person.Email, now);
        await server.ExecuteAsync("INSERT INTO totp (account_id, secret, created_at, confirmed_at) VALUES ($1, $2, $3, $3)", person.Id, hash, now);
        await server.ExecuteAsync("UPDATE session SET auth_methods = 'pwd totp' WHERE account_id = $1", person.Id);
        await server.ExecuteAsync("INSERT INTO recovery_code (account_id, hash) VALUES ($1, $2)", person.Id, hash);
        await server.ExecuteAsync(
            """
            INSERT INTO passkey (id, account_id, credential_id, public_key, name, sign_count, transports, is_user_verified, is_backup_eligible, is_backed_up, created_at)
            VALUES ($1, $2, $3, $3, 'Laptop', 1, '', TRUE, FALSE, FALSE, $4)
            """,
            Guid.CreateVersion7(),
            person.Id,
            hash,
            now);
        await server.ExecuteAsync(
            """
            INSERT INTO remembered_device (id, account_id, hash, password_version, factor_version, session_id, created_at, last_used_at, expires_at)
            VALUES ($1, $2, $3, 0, 0, $4, $5, $5, $6)
            """,
            Guid.CreateVersion7(),
            person.Id,
            hash,
            person.Tokens.SessionId,
            now,
            now + Instant.Second * 86400);

        using (var form = new MultipartFormDataContent { { new ByteArrayContent([1, 2, 3]), "file", "drawing.bin" } })
        using (var request = new HttpRequestMessage(HttpMethod.Post, "/api/files/upload") { Content = form })
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", person.Tokens.Access);
            using var uploaded = await server.Client.SendAsync(request, Cancel);
            Assert.Equal(HttpStatusCode.Created, uploaded.StatusCode);
        }

        var rooms = server.Services.GetRequiredService<RoomTable>();
        var messages = server.Services.GetRequiredService<RoomMessages>();
        var name = $"room-{Guid.CreateVersion7():N}"[..30];
        Assert.True(ChatName.TryParse(name, out var othersRoom));
        Assert.True(ChatName.TryParse(name + "x", out var ownRoom));
        Assert.Equal(RoomChange.Done, await rooms.AddAsync(othersRoom, other.Id, false, Cancel));
        Assert.Equal(RoomChange.Done, await rooms.AddAsync(ownRoom, person.Id, false, Cancel));
        var room = (await rooms.FindAsync(othersRoom, person.Id, Cancel))!;
        Assert.Null(await messages.SayAsync(room.Id, person.Id, person.Email, "Good morning"));
        Assert.Null(await messages.SayAsync(room.Id, other.Id, "Other", "Good evening"));
        Assert.True(await rooms.MuteAsync(room, person.Id, server.Clock.GetUtcNow().AddHours(1), Cancel));
        return name;
    }

    private static async Task PostAsync(AccountsServer server, Person person, string path, object body, HttpStatusCode expected)
    {
        using var response = await server.AskAsync(person.Tokens.Access, HttpMethod.Post, path, body);
        Assert.True(response.StatusCode == expected, $"{path}: {response.StatusCode} {await response.Content.ReadAsStringAsync(Cancel)}");
    }

    /// <summary>As the worker does each minute, until there is nothing left to do: a job that runs takes a moment to stop.</summary>
    private static Task EraseAsync(AccountsServer server) => Eventually.HoldsAsync(
        async () =>
        {
            await server.Services.GetRequiredService<AccountErasure>().ForgetAsync(Cancel);
            return await server.CountAsync("SELECT count(*) FROM account WHERE deleted_at IS NOT NULL") == 0;
        });

    /// <summary>Every value of every column of every table in which the account's number or address is; of the audit only what is more than numbers.</summary>
    private static async Task<List<string>> TracesAsync(AccountsServer server, Person person)
    {
        var isSqlite = server.Database.Kind == DatabaseKind.Sqlite;
        var columns = await server.Database.ReadAsync(
            session => session.QueryAsync(
                isSqlite
                    ? "SELECT m.name, c.name, c.type FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'"
                    : "SELECT table_name, column_name, udt_name FROM information_schema.columns WHERE table_schema = 'public'",
                static row => (Table: row.GetString(0), Column: row.GetString(1), Type: row.GetString(2))),
            Cancel);
        Assert.True(columns.Count > 100);

        var traces = new List<string>();
        foreach (var (table, column, type) in columns)
        {
            var text = isSqlite || type != "bytea" ? $"CAST({column} AS TEXT)" : $"encode({column}, 'escape')";
            var audit = table == "event" ? "AND stream_id <> (SELECT id FROM stream WHERE name = 'accounts.audit')" : "";
            var found = await server.CountAsync(
                $"SELECT count(*) FROM {table} WHERE ({text} LIKE '%' || $1 || '%' {audit}) OR {text} LIKE '%' || $2 || '%'", person.Id.ToString(), person.Email);
            if (found > 0)
            {
                traces.Add($"{table}.{column}: {found}");
            }
        }

        return traces;
    }

    private static string[] StoredFiles(AccountsServer server) =>
        Directory.Exists(Path.Combine(server.DataFolder, "files")) ? Directory.GetFiles(Path.Combine(server.DataFolder, "files"), "*", SearchOption.AllDirectories) : [];

    private static async Task<JsonElement[]> ExportAsync(AccountsServer server, Person caller, string path)
    {
        using var response = await server.AskAsync(caller.Tokens.Access, HttpMethod.Get, path);
        Assert.Equal(("application/x-ndjson", HttpStatusCode.OK), (response.Content.Headers.ContentType!.MediaType, response.StatusCode));
        var text = await response.Content.ReadAsStringAsync(Cancel);
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];
    }
}

public sealed class ErasureOnSqliteTests() : ErasureTests(static () => new SqliteAccountsServer());

public sealed class ErasureOnPostgresTests() : ErasureTests(static () => new PostgresAccountsServer());
