using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json;
using Lintel.Features.Accounts.Passwords;
using Lintel.Features.Accounts.Sessions;
using Lintel.Infrastructure;
using Lintel.Platform.Storage;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Lintel.Features.Accounts;

public abstract class LoginTests(AccountsServer server)
{
    private const string Urlencoded = "application/x-www-form-urlencoded";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/auth/login")]
    [InlineData("/api/auth/login")]
    public async Task The_right_password_gets_a_pair_of_tokens(string path)
    {
        var person = await server.SignInAsync();
        using var response = await server.PostAsync(path, new { email = person.Email.ToUpperInvariant(), password = AccountsServer.Password });

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("no-store", response.Headers.CacheControl!.ToString());
        var pair = await response.JsonAsync();
        Assert.Equal(["access_token", "expires_in", "refresh_token", "token_type"], pair.EnumerateObject().Select(field => field.Name).Order());
        Assert.Equal(("bearer", 900), (pair.GetProperty("token_type").GetString(), pair.GetProperty("expires_in").GetInt64()));
    }

    [Fact]
    public async Task An_access_token_says_what_the_contract_says()
    {
        var person = await server.SignInAsync();
        var claims = TestJwt.Payload(person.Tokens.Access);

        Assert.Equal("HS256", TestJwt.Header(person.Tokens.Access).GetProperty("alg").GetString());
        Assert.Equal(person.Id.ToString(), claims.GetProperty("sub").GetString());
        Assert.Equal("access", claims.GetProperty("type").GetString());
        Assert.Equal(person.Email, claims.GetProperty("email").GetString());
        Assert.Equal(["design", "execute", "tasks", "files", "chat"], claims.GetProperty("scopes").EnumerateArray().Select(scope => scope.GetString()!));
        Assert.Equal(900, claims.GetProperty("exp").GetInt64() - claims.GetProperty("iat").GetInt64());
        Assert.NotEqual(claims.GetProperty("jti").GetString(), TestJwt.Payload(person.Tokens.Refresh).GetProperty("jti").GetString());
        Assert.Equal(1, await server.CountAsync("SELECT count(*) FROM session WHERE id = $1 AND account_id = $2", person.Tokens.SessionId, person.Id));
    }

    [Fact]
    public async Task A_refresh_token_carries_the_id_of_its_row()
    {
        var person = await server.SignInAsync();
        var claims = TestJwt.Payload(person.Tokens.Refresh);

        Assert.Equal("refresh", claims.GetProperty("type").GetString());
        Assert.Equal(7 * 24 * 3600, claims.GetProperty("exp").GetInt64() - claims.GetProperty("iat").GetInt64());
        Assert.Equal(1, await server.CountAsync(
            "SELECT count(*) FROM refresh_tokens WHERE jti = $1 AND session_id = $2 AND revoked_at IS NULL", claims.GetProperty("jti").GetGuid(), person.Tokens.SessionId));
    }

    [Theory]
    [InlineData("")]
    [InlineData("&grant_type=password")]
    [InlineData("&grant_type=password&scope=&client_id=&client_secret=")]
    public async Task An_OAuth2_password_form_does_too(string more)
    {
        var person = await server.SignInAsync();
        using var response = await PostAsync($"username={Uri.EscapeDataString(person.Email)}&password={Uri.EscapeDataString(AccountsServer.Password)}{more}", Urlencoded);

        Assert.Equal(HttpStatusCode.OK, await server.StatusOfMeAsync((await Tokens.OfAsync(response)).Access));
    }

    [Fact]
    public async Task So_does_a_multipart_form()
    {
        var person = await server.SignInAsync();
        using var form = new MultipartFormDataContent { { new StringContent(person.Email), "username" }, { new StringContent(AccountsServer.Password), "password" } };
        using var response = await server.Client.PostAsync("/auth/login", form, Cancel);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Theory]
    [InlineData("{}", "application/json", "email,password")]
    [InlineData("""{"email":1,"password":[]}""", "application/json", "email,password")]
    [InlineData("""{"username":"a@example.com","password":"12345678"}""", "application/json", "email")]
    [InlineData("grant_type=password", Urlencoded, "password,username")]
    [InlineData("username=a@example.com&password=12345678&grant_type=refresh_token", Urlencoded, "grant_type")]
    [InlineData("username=a@example.com&username=b@example.com&password=12345678", Urlencoded, "username")]
    [InlineData("email=a@example.com&password=12345678", Urlencoded, "username")]
    public async Task Every_bad_field_is_named(string body, string type, string fields)
    {
        using var response = await PostAsync(body, type);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        var named = (await response.JsonAsync()).GetProperty("error").GetProperty("details").GetProperty("fields");
        Assert.Equal(fields, string.Join(',', named.EnumerateObject().Select(field => field.Name).Order(StringComparer.Ordinal)));
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/xml")]
    [InlineData(null)]
    public async Task Other_content_types_are_refused(string? type)
    {
        using var response = await PostAsync("""{"email":"a@example.com","password":"12345678"}""", type);

        Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
    }

    [Fact]
    public async Task Forms_are_bounded()
    {
        using var large = await PostAsync("username=" + new string('a', 20_000), Urlencoded);
        using var many = await PostAsync(string.Join('&', Enumerable.Range(0, 1000).Select(i => $"f{i}=")), Urlencoded);

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, large.StatusCode);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, many.StatusCode);
    }

    [Fact]
    public async Task A_form_that_is_none_is_refused()
    {
        using var content = new StringContent("no parts");
        content.Headers.ContentType = new("multipart/form-data");
        using var response = await server.Client.PostAsync("/auth/login", content, Cancel);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        Assert.Equal("VALIDATION_ERROR", await response.ErrorCodeAsync());
    }

    [Fact]
    public async Task Nobody_learns_why_a_sign_in_is_refused()
    {
        var person = await server.SignInAsync();
        var locked = await server.SignInAsync();
        await server.LockAsync(locked);
        var answers = new List<string>();
        foreach (var (email, password) in new[]
        {
            (person.Email, "wrong password"),
            (person.Email, new string('x', 5000)),
            (person.Email, ""),
            (AccountsServer.NewEmail(), AccountsServer.Password),
            ("no address at all\0", AccountsServer.Password),
            (locked.Email, AccountsServer.Password),
        })
        {
            using var response = await server.PostAsync("/auth/login", new { email, password });
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
            Assert.Equal("Bearer", response.Headers.WwwAuthenticate.ToString());
            answers.Add((await response.JsonAsync()).GetProperty("error").GetRawText());
        }

        Assert.Single(answers.Distinct());
        Assert.Contains("AUTH_INVALID_CREDENTIALS", answers[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sign_ins_are_logged_with_the_account()
    {
        var person = await server.SignInAsync();
        using var refused = await server.PostAsync("/auth/login", new { email = person.Email, password = "wrong password" });

        var right = await server.Log.WaitForAsync(line => RegistrationTests.IsAbout(line, "app.auth.service", person.Id, "signed in"), Cancel);
        var wrong = await server.Log.WaitForAsync(line => RegistrationTests.IsAbout(line, "app.auth.service", person.Id, "refused"), Cancel);

        Assert.Equal(("INFO", "WARNING"), (right.GetProperty("level").GetString(), wrong.GetProperty("level").GetString()));
        Assert.Equal(refused.Header("X-Request-ID"), wrong.GetProperty("request_id").GetString());
        Assert.DoesNotContain("wrong password\"", wrong.GetRawText().Replace("\"reason\":\"wrong password\"", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_hash_of_fewer_rounds_is_replaced_at_sign_in()
    {
        var person = await server.SignInAsync();
        var old = new PasswordHasher<object>(Options.Create(new PasswordHasherOptions { IterationCount = 1000 })).HashPassword(person, AccountsServer.Password);
        await server.ExecuteAsync("UPDATE account SET password_hash = $2 WHERE id = $1", person.Id, old);

        await server.SignInAsync(person.Email);

        var kept = await server.Services.GetRequiredService<Database>().ReadAsync(
            session => session.QueryFirstAsync("SELECT password_hash FROM account WHERE id = $1", static row => row.GetString(0), person.Id), Cancel);
        Assert.NotEqual(old, kept);
        await server.SignInAsync(person.Email);
        using var wrong = await server.PostAsync("/auth/login", new { email = person.Email, password = "wrong password" });
        Assert.Equal(HttpStatusCode.Unauthorized, wrong.StatusCode);
    }

    [Fact]
    public async Task A_password_that_was_changed_while_it_was_checked_opens_nothing()
    {
        var person = await server.SignInAsync();
        var sessions = server.Services.GetRequiredService<SessionTable>();
        var read = (await server.Services.GetRequiredService<AccountTable>().FindSecretsAsync(person.Email, Cancel))!;
        await server.ExecuteAsync("UPDATE account SET password_version = password_version + 1 WHERE id = $1", person.Id);

        Assert.Null(await sessions.OpenAsync(read, new(AuthMethods.Password, default), Cancel));
        Assert.NotNull(await sessions.OpenAsync(read with { PasswordVersion = 1 }, new(AuthMethods.Password, default), Cancel));
    }

    [Fact]
    public async Task A_session_remembers_where_it_was_opened()
    {
        var email = (await server.SignInAsync()).Email;
        using var request = new HttpRequestMessage(HttpMethod.Post, "/auth/login")
        {
            Content = new StringContent(JsonSerializer.Serialize(new { email, password = AccountsServer.Password }), Encoding.UTF8, "application/json"),
        };
        request.Headers.TryAddWithoutValidation("User-Agent", new string('u', 1000));
        using var response = await server.Client.SendAsync(request, Cancel);

        var session = (await Tokens.OfAsync(response)).SessionId;
        Assert.Equal(1, await server.CountAsync("SELECT count(*) FROM session WHERE id = $1 AND length(user_agent) = 256 AND address = '127.0.0.1'", session));
    }

    private async Task<HttpResponseMessage> PostAsync(string body, string? type)
    {
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        content.Headers.ContentType = type is null ? null : new(type);
        return await server.Client.PostAsync("/auth/login", content, Cancel);
    }
}

public sealed class LoginOnSqliteTests(SqliteAccountsServer server) : LoginTests(server), IClassFixture<SqliteAccountsServer>;

public sealed class LoginOnPostgresTests(PostgresAccountsServer server) : LoginTests(server), IClassFixture<PostgresAccountsServer>;

/// <summary>Servers whose hashing is slow on purpose.</summary>
public sealed class SlowLoginTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    public async Task An_unknown_address_takes_as_long_as_a_wrong_password()
    {
        await using var server = await ServerFixture.StartAsync(["--PASSWORD_HASH_ITERATIONS=100000"]);
        using var registered = await LoginAsync(server, "/auth/register", "known@example.com", "right password");
        Assert.Equal(HttpStatusCode.Created, registered.StatusCode);

        // By turns, so that whatever else the machine does meets both alike.
        var unknown = new List<double>();
        var wrong = new List<double>();
        for (var i = 0; i < 9; i++)
        {
            unknown.Add(await TimeAsync(server, "unknown@example.com"));
            wrong.Add(await TimeAsync(server, "known@example.com"));
        }

        // Without a hash to check against, the answer for an unknown address would come some fifty times sooner.
        Assert.InRange(Median(unknown) / Median(wrong), 0.5, 2);
    }

    [Fact(Timeout = 60_000)]
    public async Task When_too_many_wait_the_next_is_told_when_to_come_back_and_those_who_leave_make_room()
    {
        await using var server = await ServerFixture.StartAsync(["--PASSWORD_HASH_ITERATIONS=1000000", "--PASSWORD_HASH_THREADS=1", "--PASSWORD_HASH_QUEUE=1"]);
        var passwords = server.Services.GetRequiredService<PasswordHashing>();
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Cancel);

        // One is being hashed, one waits.
        var first = LoginAsync(server, "/auth/login", "a@example.com", "any password", leaving.Token);
        await Eventually.HoldsAsync(() => passwords.Taken == 1);
        var second = LoginAsync(server, "/auth/login", "a@example.com", "any password", leaving.Token);
        await Eventually.HoldsAsync(() => passwords.Waiting == 1);
        using var third = await LoginAsync(server, "/auth/login", "b@example.com", "any password");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, third.StatusCode);
        Assert.Equal("SERVICE_UNAVAILABLE", await third.ErrorCodeAsync());
        Assert.InRange(third.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 60);
        using var health = await server.Client.GetAsync("/health", Cancel);
        Assert.Equal(HttpStatusCode.OK, health.StatusCode);

        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        await Eventually.HoldsAsync(() => passwords.Waiting == 0);
    }

    private static Task<HttpResponseMessage> LoginAsync(ServerFixture server, string path, string email, string password, CancellationToken? cancellationToken = null) =>
        server.Client.PostAsync(
            path, new StringContent(JsonSerializer.Serialize(new { email, password }), Encoding.UTF8, "application/json"), cancellationToken ?? Cancel);

    private static async Task<double> TimeAsync(ServerFixture server, string email)
    {
        var started = Stopwatch.GetTimestamp();
        using var response = await LoginAsync(server, "/auth/login", email, "wrong password");
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
