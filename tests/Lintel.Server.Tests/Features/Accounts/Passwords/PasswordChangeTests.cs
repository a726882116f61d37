using System.Net;
using System.Net.Http.Json;
using Lintel.Features.Accounts.Email;
using Lintel.Infrastructure;

namespace Lintel.Features.Accounts.Passwords;

public abstract class PasswordChangeTests(EmailServer server)
{
    private const string Path = "/auth/password";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_new_password_takes_the_place_of_the_old_and_ends_all_other_sessions()
    {
        var person = await server.SignInAsync();
        var elsewhere = await server.SignInAsync(person.Email);
        using var response = await ChangeAsync(person.Tokens, EmailServer.NewPassword, AccountsServer.Password);

        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        Assert.Equal("AUTH_TOKEN_REVOKED", await server.MeErrorAsync(elsewhere.Access));
        Assert.Equal("AUTH_TOKEN_REVOKED", await server.RefreshErrorAsync(elsewhere.Refresh));
        Assert.Equal(HttpStatusCode.OK, await server.StatusOfMeAsync(person.Tokens.Access));
        using var refreshed = await server.RefreshAsync(person.Tokens.Refresh);
        Assert.Equal(HttpStatusCode.OK, refreshed.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, await server.LogInStatusAsync(person.Email, AccountsServer.Password));
        Assert.Equal(HttpStatusCode.OK, await server.LogInStatusAsync(person.Email, EmailServer.NewPassword));
        Assert.Contains("by somebody who was signed in", await server.LetterAsync(person.Email, "was changed on"), StringComparison.Ordinal);
        Assert.Equal(1, await server.CountEventsAsync(person, "password.changed"));
    }

    [Fact]
    public async Task The_old_password_is_needed_once_the_sign_in_is_not_fresh()
    {
        var person = await server.SignInAsync();
        using var fresh = await ChangeAsync(person.Tokens, EmailServer.NewPassword);
        server.Clock.Advance(TimeSpan.FromMinutes(11));
        using var stale = await ChangeAsync(person.Tokens, "a third horse of many");
        using var wrong = await ChangeAsync(person.Tokens, "a third horse of many", AccountsServer.Password);
        using var right = await ChangeAsync(person.Tokens, "a third horse of many", EmailServer.NewPassword);

        Assert.Equal(HttpStatusCode.NoContent, fresh.StatusCode);
        Assert.Equal("AUTH_2FA_REQUIRED", await stale.ErrorCodeAsync());
        Assert.Equal(["current_password"], await EmailServer.BadFieldsAsync(wrong));
        Assert.Equal(HttpStatusCode.NoContent, right.StatusCode);
    }

    [Fact]
    public async Task Of_several_new_passwords_at_once_one_is_taken()
    {
        var person = await server.SignInAsync();
        var sessions = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => server.SignInAsync(person.Email)));
        var statuses = await Task.WhenAll(sessions.Select(async (session, i) =>
        {
            using var response = await ChangeAsync(session, $"{EmailServer.NewPassword} {i}", AccountsServer.Password);
            return response.StatusCode;
        }));

        Assert.Single(statuses, HttpStatusCode.NoContent);
        Assert.Equal(1, await server.CountAsync("SELECT password_version FROM account WHERE id = $1", person.Id));
        Assert.Equal(1, await server.CountAsync("SELECT count(*) FROM session WHERE account_id = $1 AND revoked_at IS NULL", person.Id));
    }

    [Fact]
    public async Task Nothing_that_is_opened_or_refreshed_beside_it_survives()
    {
        for (var round = 0; round < 8; round++)
        {
            var person = await server.SignInAsync();
            var others = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => server.SignInAsync(person.Email)));
            var refreshes = others.Select(other => server.RefreshAsync(other.Refresh));
            var logins = Enumerable.Range(0, 6).Select(_ => server.PostAsync("/auth/login", new { email = person.Email, password = AccountsServer.Password }));
            var responses = await Task.WhenAll([.. refreshes, .. logins, ChangeAsync(person.Tokens, EmailServer.NewPassword)]);
            Array.ForEach(responses, static response => response.Dispose());

            Assert.Equal(1, await server.CountAsync("SELECT count(*) FROM session WHERE account_id = $1 AND revoked_at IS NULL", person.Id));
            Assert.Equal(HttpStatusCode.OK, await server.StatusOfMeAsync(person.Tokens.Access));
        }
    }

    [Fact]
    public async Task A_key_cannot_change_its_owners_password()
    {
        var person = await server.SignInAsync();
        using var made = await server.PostAsync("/api/keys", new { name = "ci", scopes = new[] { "tasks" } }, person.Tokens.Access);
        using var request = new HttpRequestMessage(HttpMethod.Post, Path) { Content = JsonContent.Create(new { new_password = EmailServer.NewPassword, current_password = AccountsServer.Password }) };
        request.Headers.Add("X-API-Key", (await made.JsonAsync()).GetProperty("key").GetString());
        using var response = await server.Client.SendAsync(request, Cancel);

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        await server.SignInAsync(person.Email);
    }

    [Fact]
    public async Task A_device_is_told_as_text_whatever_it_calls_itself()
    {
        var person = await server.SignInAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, Path) { Content = JsonContent.Create(new { new_password = EmailServer.NewPassword }) };
        request.Headers.Authorization = new("Bearer", person.Tokens.Access);
        request.Headers.TryAddWithoutValidation("User-Agent", "<b>{{url}}</b>");
        using var response = await server.Client.SendAsync(request, Cancel);

        Assert.Contains("Device: <b>{{url}}</b>", await server.LetterAsync(person.Email, "was changed on"), StringComparison.Ordinal);
        var raw = server.RawLetters().Last(letter => letter.Contains(person.Email, StringComparison.Ordinal));
        var html = System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(raw[raw.LastIndexOf("\r\n\r\n", raw.LastIndexOf("\r\n--", StringComparison.Ordinal) - 4, StringComparison.Ordinal)..raw.LastIndexOf("\r\n--", StringComparison.Ordinal)]));
        Assert.Contains("&lt;b&gt;", html, StringComparison.Ordinal);
    }

    private Task<HttpResponseMessage> ChangeAsync(Tokens tokens, string password, string? current = null) =>
        server.PostAsync(Path, new { new_password = password, current_password = current }, tokens.Access);
}

public sealed class PasswordChangeOnSqliteTests(SqliteEmailServer server) : PasswordChangeTests(server), IClassFixture<SqliteEmailServer>;

public sealed class PasswordChangeOnPostgresTests(PostgresEmailServer server) : PasswordChangeTests(server), IClassFixture<PostgresEmailServer>;
