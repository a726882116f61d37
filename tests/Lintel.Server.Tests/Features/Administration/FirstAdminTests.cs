using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using Lintel.Features.Accounts;
using Lintel.Infrastructure;
using Lintel.Platform.Http;
using Lintel.Platform.Storage;

namespace Lintel.Features.Administration;

public abstract class FirstAdminTests(AccountsServer server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Socket => LocalSocket.PathIn(server.DataFolder);

    [Fact]
    public async Task An_administrator_is_made_through_the_socket_and_signs_in()
    {
        var email = AccountsServer.NewEmail();
        using var made = await PostAsync(new { email, password = AccountsServer.Password, name = "Mason" });

        Assert.Equal(HttpStatusCode.OK, made.StatusCode);
        Assert.True((await made.JsonAsync()).GetProperty("created").GetBoolean());
        using var users = await server.AskAsync((await server.SignInAsync(email)).Access, HttpMethod.Get, "/api/admin/users?role=admin");
        Assert.Equal(HttpStatusCode.OK, users.StatusCode);
    }

    [Fact]
    public async Task Who_has_an_account_is_promoted_and_keeps_the_password()
    {
        var person = await server.SignInAsync();
        await server.ExecuteAsync("UPDATE account SET email_verified_at = 1 WHERE id = $1", person.Id);
        await server.LockAsync(person);
        using var made = await PostAsync(new { email = person.Email });

        Assert.False((await made.JsonAsync()).GetProperty("created").GetBoolean());
        using var users = await server.AskAsync((await server.SignInAsync(person.Email)).Access, HttpMethod.Get, "/api/admin/users");
        Assert.Equal(HttpStatusCode.OK, users.StatusCode);
    }

    [Fact]
    public async Task Whoever_registered_the_address_first_is_not_promoted_unless_that_is_said()
    {
        var stranger = await server.SignInAsync();
        using var refused = await PostAsync(new { email = stranger.Email });

        Assert.Equal((HttpStatusCode.Conflict, "CONFLICT"), (refused.StatusCode, await refused.ErrorCodeAsync()));
        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM account WHERE id = $1 AND role = 'admin'", stranger.Id));

        using var forced = await PostAsync(new { email = stranger.Email, force = true });
        Assert.Equal(HttpStatusCode.OK, forced.StatusCode);
        Assert.Equal(1, await server.CountAsync("SELECT count(*) FROM account WHERE id = $1 AND role = 'admin' AND email_verified_at IS NOT NULL", stranger.Id));
    }

    [Fact]
    public async Task With_another_password_the_address_counts_as_its_owners()
    {
        var stranger = await server.SignInAsync();
        using var made = await PostAsync(new { email = stranger.Email, password = "another good password" });

        Assert.Equal(HttpStatusCode.OK, made.StatusCode);
        Assert.Equal("AUTH_TOKEN_REVOKED", await server.MeErrorAsync(stranger.Tokens.Access));
        Assert.Equal(1, await server.CountAsync("SELECT count(*) FROM account WHERE id = $1 AND email_verified_at IS NOT NULL", stranger.Id));
    }

    [Fact]
    public async Task A_lost_password_is_replaced_and_ends_what_was_signed_in_with_it()
    {
        var person = await server.SignInAsync();
        using var made = await PostAsync(new { email = person.Email, password = "another good password" });

        Assert.True((await made.JsonAsync()).GetProperty("password_reset").GetBoolean());
        Assert.Equal("AUTH_TOKEN_REVOKED", await server.MeErrorAsync(person.Tokens.Access));
        using var old = await server.PostAsync("/auth/login", new { email = person.Email, password = AccountsServer.Password });
        using var fresh = await server.PostAsync("/auth/login", new { email = person.Email, password = "another good password" });
        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.OK), (old.StatusCode, fresh.StatusCode));
    }

    [Fact]
    public async Task A_password_that_is_replaced_takes_every_other_way_in_with_it()
    {
        var person = await server.SignInAsync();
        using var key = await server.AskAsync(person.Tokens.Access, HttpMethod.Post, "/api/keys", new { name = "before", scopes = new[] { "design" } });
        var secret = (await key.JsonAsync()).GetProperty("key").GetString()!;
        var now = server.Clock.GetMicroseconds();
        await server.ExecuteAsync("INSERT INTO totp (account_id, secret, created_at, confirmed_at) VALUES ($1, $2, $3, $3)", person.Id, new byte[32], now);
        await server.ExecuteAsync("INSERT INTO recovery_code (account_id, hash) VALUES ($1, $2)", person.Id, new byte[32]);
        await server.ExecuteAsync(
            """
            INSERT INTO passkey (id, account_id, credential_id, public_key, name, sign_count, transports, is_user_verified, is_backup_eligible, is_backed_up, created_at)
            VALUES ($1, $2, $3, $3, 'of a stranger', 0, '', TRUE, FALSE, FALSE, $4)
            """,
            Guid.CreateVersion7(),
            person.Id,
            Guid.CreateVersion7().ToByteArray(),
            now);
        await server.ExecuteAsync(
            "INSERT INTO external_identity (provider, subject, account_id, linked_at) VALUES ('github', $1, $2, $3)", Guid.CreateVersion7().ToString(), person.Id, now);

        using var made = await PostAsync(new { email = person.Email, password = "another good password" });

        Assert.Equal(HttpStatusCode.OK, made.StatusCode);
        foreach (var table in (string[])["totp", "recovery_code", "passkey", "external_identity"])
        {
            Assert.Equal(0, await server.CountAsync($"SELECT count(*) FROM {table} WHERE account_id = $1", person.Id));
        }

        using var request = new HttpRequestMessage(HttpMethod.Get, "/auth/me") { Headers = { { "X-API-Key", secret } } };
        using var refused = await server.Client.SendAsync(request, Cancel);
        using var fresh = await server.PostAsync("/auth/login", new { email = person.Email, password = "another good password" });
        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.OK), (refused.StatusCode, fresh.StatusCode));
    }

    [Fact]
    public async Task A_new_account_needs_a_password_that_is_one()
    {
        using var none = await PostAsync(new { email = AccountsServer.NewEmail() });
        using var weak = await PostAsync(new { email = AccountsServer.NewEmail(), password = "short" });
        using var common = await PostAsync(new { email = AccountsServer.NewEmail(), password = "password123" });
        using var wrong = await PostAsync(new { email = "nobody", password = AccountsServer.Password });

        Assert.All([none, weak, common, wrong], response => Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode));
    }

    [Theory]
    [InlineData("/local/admins")]
    [InlineData("/LOCAL/admins/")]
    [InlineData("//local/admins")]
    [InlineData("/%6cocal/admins")]
    public async Task No_other_connection_reaches_it(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(server.BaseAddress.ToString().TrimEnd('/') + path))
        {
            Content = JsonContent.Create(new { email = AccountsServer.NewEmail(), password = AccountsServer.Password }),
            Headers = { { "X-Forwarded-For", "127.0.0.1" }, { "X-Forwarded-Host", "unix" }, { "Host", "localhost" } },
        };
        using var response = await server.Client.SendAsync(request, Cancel);

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Fact]
    public async Task The_socket_serves_nothing_else()
    {
        using var client = Connect();
        foreach (var path in (string[])["/health", "/auth/login", "/api/admin/users", "/openapi.json", "/nothing"])
        {
            using var response = await client.GetAsync(path, Cancel);
            Assert.True(response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed, $"{path}: {response.StatusCode}");
        }
    }

    [Fact]
    public void Only_the_servers_own_user_can_open_it()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There is no such socket.");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Socket));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.GetDirectoryName(Socket)!));
    }

    [Fact]
    public async Task The_description_does_not_tell_of_it()
    {
        Assert.DoesNotContain("/local/", await server.Client.GetStringAsync("/openapi.json", Cancel), StringComparison.Ordinal);
    }

    private HttpClient Connect() => new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancellationToken) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(Socket), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        },
    })
    { BaseAddress = new Uri("http://lintel/") };

    private async Task<HttpResponseMessage> PostAsync(object body)
    {
        using var client = Connect();
        return await client.PostAsJsonAsync("/local/admins", body, Cancel);
    }
}

public sealed class FirstAdminOnSqliteTests(SqliteAccountsServer server) : FirstAdminTests(server), IClassFixture<SqliteAccountsServer>;

public sealed class FirstAdminOnPostgresTests(PostgresAccountsServer server) : FirstAdminTests(server), IClassFixture<PostgresAccountsServer>;
