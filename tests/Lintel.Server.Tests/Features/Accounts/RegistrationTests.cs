using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Lintel.Infrastructure;

namespace Lintel.Features.Accounts;

public abstract class RegistrationTests(AccountsServer server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/auth/register", "/auth/me")]
    [InlineData("/api/auth/register", "/api/auth/me")]
    public async Task A_new_account_is_answered_and_shown_to_its_owner(string register, string me)
    {
        var email = AccountsServer.NewEmail();
        using var response = await server.PostAsync(register, new { email, password = AccountsServer.Password, name = "Ülkü", role = "admin" });

        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        var account = await response.JsonAsync();
        Assert.Equal(["created_at", "email", "id", "is_active", "name"], account.EnumerateObject().Select(field => field.Name).Order());
        Assert.Equal(JsonValueKind.Number, account.GetProperty("id").ValueKind);
        Assert.Equal((email, "Ülkü", true), (account.GetProperty("email").GetString(), account.GetProperty("name").GetString(), account.GetProperty("is_active").GetBoolean()));
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$", account.GetProperty("created_at").GetString()!);

        using var shown = await server.GetMeAsync((await server.SignInAsync(email)).Access, me);
        Assert.Equal(account.GetRawText(), (await shown.JsonAsync()).GetRawText());
    }

    [Fact]
    public async Task Registration_can_be_closed()
    {
        await using var closed = await ServerFixture.StartAsync(["--REGISTRATION=closed"]);
        using var response = await closed.Client.PostAsJsonAsync("/auth/register", new { email = AccountsServer.NewEmail(), password = AccountsServer.Password }, Cancel);

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.Equal("FORBIDDEN", await response.ErrorCodeAsync());
    }

    [Fact]
    public async Task Registrations_count_against_the_limit_of_their_address()
    {
        await using var strict = await ServerFixture.StartAsync(["--RATE_LIMIT_REGISTER=2", "--PASSWORD_HASH_ITERATIONS=10000"]);
        var statuses = new List<HttpStatusCode>();
        for (var i = 0; i < 3; i++)
        {
            using var response = await strict.Client.PostAsJsonAsync("/auth/register", new { email = AccountsServer.NewEmail(), password = AccountsServer.Password }, Cancel);
            statuses.Add(response.StatusCode);
            Assert.Equal(("2", "3600"), (response.Header("X-RateLimit-Limit"), response.Header("X-RateLimit-Window")));
        }

        Assert.Equal([HttpStatusCode.Created, HttpStatusCode.Created, HttpStatusCode.TooManyRequests], statuses);
    }

    [Theory]
    [InlineData("")]
    [InlineData(""","name":null""")]
    [InlineData(""","name":"  " """)]
    public async Task The_name_may_be_left_out(string name)
    {
        using var response = await PostAsync($$"""{"email":"{{AccountsServer.NewEmail()}}","password":"correct horse"{{name}}}""");

        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        Assert.Equal(JsonValueKind.Null, (await response.JsonAsync()).GetProperty("name").ValueKind);
    }

    [Fact]
    public async Task An_address_that_is_taken_is_a_conflict_in_any_case()
    {
        var person = await server.SignInAsync();
        using var response = await server.PostAsync("/auth/register", new { email = $" {person.Email.ToUpperInvariant()} ", password = AccountsServer.Password });

        Assert.Equal(HttpStatusCode.Conflict, response.StatusCode);
        Assert.Equal("CONFLICT", await response.ErrorCodeAsync());
    }

    [Fact]
    public async Task Of_many_who_want_one_address_at_once_one_gets_it()
    {
        var body = new { email = AccountsServer.NewEmail(), password = AccountsServer.Password };
        var statuses = await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ =>
        {
            using var response = await server.PostAsync("/auth/register", body);
            return response.StatusCode;
        }));

        Assert.Single(statuses, HttpStatusCode.Created);
        Assert.Equal(19, statuses.Count(static status => status == HttpStatusCode.Conflict));
    }

    [Theory]
    [InlineData("{}", "email,password")]
    [InlineData("""{"email":null,"password":null}""", "email,password")]
    [InlineData("""{"email":"nobody","password":"1234567","name":7}""", "email,name,password")]
    [InlineData("""{"email":["a@example.com"],"password":{"p":12345678}}""", "email,password")]
    [InlineData("""{"email":true,"password":12345678901,"name":false}""", "email,name,password")]
    [InlineData("""{"email":"a@example.com\u0000","password":"correct horse"}""", "email")]
    [InlineData("""{"email":"x1@example.com","password":"\ud800 2345678"}""", "password")]
    [InlineData("""{"email":"x2@example.com","password":"correct horse","name":"a\u0007"}""", "name")]
    [InlineData("[]", "body")]
    [InlineData("\"text\"", "body")]
    [InlineData("null", "body")]
    [InlineData("", "body")]
    [InlineData("{", "body")]
    [InlineData("""{"email":NaN}""", "body")]
    [InlineData("""{"email":"x3@example.com","password":"12345678"} trailing""", "body")]
    public async Task Every_bad_field_is_named(string body, string fields)
    {
        using var response = await PostAsync(body);

        await AssertNamesAsync(response, fields);
    }

    [Fact]
    public async Task Bytes_that_are_no_text_are_named_too()
    {
        byte[] body = [.. "{\"email\":\""u8, 0xff, 0xfe, .. "@example.com\",\"password\":\"correct horse\"}"u8];
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = new("application/json");
        using var response = await server.Client.PostAsync("/auth/register", content, Cancel);

        await AssertNamesAsync(response, "email");
    }

    [Fact]
    public async Task A_name_has_at_most_100_characters()
    {
        using var fits = await server.PostAsync("/auth/register", new { email = AccountsServer.NewEmail(), password = AccountsServer.Password, name = new string('é', 100) });
        using var exceeds = await server.PostAsync("/auth/register", new { email = AccountsServer.NewEmail(), password = AccountsServer.Password, name = new string('é', 101) });

        Assert.Equal(HttpStatusCode.Created, fits.StatusCode);
        await AssertNamesAsync(exceeds, "name");
    }

    [Theory]
    [InlineData(7, HttpStatusCode.UnprocessableEntity)]
    [InlineData(8, HttpStatusCode.Created)]
    [InlineData(128, HttpStatusCode.Created)]
    [InlineData(129, HttpStatusCode.UnprocessableEntity)]
    public async Task A_password_has_8_to_128_characters_of_any_script(int length, HttpStatusCode expected)
    {
        foreach (var character in new[] { "a", "ß", "🧱" })
        {
            var password = string.Concat(Enumerable.Repeat(character, length - 2)) + "z9";
            using var response = await server.PostAsync("/auth/register", new { email = AccountsServer.NewEmail(), password });
            Assert.Equal(expected, response.StatusCode);
        }
    }

    [Fact]
    public async Task Other_content_types_are_refused()
    {
        foreach (var type in new[] { "text/plain", "application/x-www-form-urlencoded", "application/xml" })
        {
            using var content = new StringContent("""{"email":"a@example.com","password":"12345678"}""", Encoding.UTF8, type);
            using var response = await server.Client.PostAsync("/auth/register", content, Cancel);

            Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
            Assert.Equal("UNSUPPORTED_MEDIA_TYPE", await response.ErrorCodeAsync());
        }
    }

    [Fact]
    public async Task A_body_over_16_kilobytes_is_refused()
    {
        using var response = await PostAsync($$"""{"email":"{{new string('a', 20_000)}}@example.com","password":"12345678"}""");

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        Assert.True(response.Headers.ConnectionClose);
        Assert.Equal("PAYLOAD_TOO_LARGE", await response.ErrorCodeAsync());
    }

    [Fact]
    public async Task Registration_is_logged_with_the_account_and_without_secrets()
    {
        var person = await server.SignInAsync();

        var line = await server.Log.WaitForAsync(line => IsAbout(line, "app.auth.service", person.Id, "registered"), Cancel);

        Assert.Equal("INFO", line.GetProperty("level").GetString());
        Assert.DoesNotContain(AccountsServer.Password, server.Log.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(person.Email, server.Log.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(person.Tokens.Access, server.Log.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(person.Tokens.Refresh, server.Log.Text, StringComparison.Ordinal);
    }

    internal static bool IsAbout(JsonElement line, string name, long userId, string word) =>
        line.GetProperty("name").GetString() == name
        && line.TryGetProperty("user_id", out var id) && id.ValueKind == JsonValueKind.Number && id.GetInt64() == userId
        && line.GetProperty("message").GetString()!.Contains(word, StringComparison.Ordinal);

    private static async Task AssertNamesAsync(HttpResponseMessage response, string fields)
    {
        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        var error = (await response.JsonAsync()).GetProperty("error");
        Assert.Equal("VALIDATION_ERROR", error.GetProperty("code").GetString());
        var named = error.GetProperty("details").GetProperty("fields").EnumerateObject().ToList();
        Assert.Equal(fields, string.Join(',', named.Select(field => field.Name).Order(StringComparer.Ordinal)));
        Assert.All(named, field => Assert.NotEmpty(field.Value.EnumerateArray()));
    }

    private async Task<HttpResponseMessage> PostAsync(string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        return await server.Client.PostAsync("/auth/register", content, Cancel);
    }
}

public sealed class RegistrationOnSqliteTests(SqliteAccountsServer server) : RegistrationTests(server), IClassFixture<SqliteAccountsServer>;

public sealed class RegistrationOnPostgresTests(PostgresAccountsServer server) : RegistrationTests(server), IClassFixture<PostgresAccountsServer>;
