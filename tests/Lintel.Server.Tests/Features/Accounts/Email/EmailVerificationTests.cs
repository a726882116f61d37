using System.Net;
using System.Text;
using Lintel.Infrastructure;

namespace Lintel.Features.Accounts.Email;

public abstract class EmailVerificationTests(EmailServer server)
{
    private const string Verify = "/auth/email/verify";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_new_account_is_mailed_a_link_that_confirms_its_address()
    {
        var person = await server.SignInAsync();
        var token = await server.TokenAsync(person.Email, Verify);
        Assert.False(await server.IsVerifiedAsync(person.Id));

        using var response = await server.PostAsync(Verify, new { token });

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.True(await server.IsVerifiedAsync(person.Id));
        Assert.Equal(1, await server.CountEventsAsync(person, "email.verified"));
    }

    [Fact]
    public async Task The_link_can_be_asked_for_again_until_the_address_is_confirmed()
    {
        var person = await server.SignInAsync();
        await server.AskAsync("/auth/email/verify/request", person.Email.ToUpperInvariant());
        var second = await server.TokenAsync(person.Email, Verify, 2);
        Assert.Equal(HttpStatusCode.OK, await server.StatusAsync(Verify, new { token = second }));

        await server.AskAsync("/auth/email/verify/request", person.Email);
        await server.SettleAsync();

        Assert.Equal(2, server.Letters(person.Email).Count());
    }

    [Fact]
    public async Task Programs_that_open_the_links_of_mail_change_nothing()
    {
        var person = await server.SignInAsync();
        var verify = await server.TokenAsync(person.Email, Verify);
        var reset = await server.ResetTokenAsync(person.Email);
        foreach (var path in new[] { $"{Verify}?token={verify}", $"/auth/password/reset?token={reset}" })
        {
            foreach (var method in new[] { HttpMethod.Get, HttpMethod.Head, HttpMethod.Options, HttpMethod.Get })
            {
                using var request = new HttpRequestMessage(method, path);
                request.Headers.Add("Sec-Purpose", "prefetch;prerender");
                using var response = await server.Client.SendAsync(request, Cancel);
                Assert.True(response.IsSuccessStatusCode);
            }
        }

        Assert.False(await server.IsVerifiedAsync(person.Id));
        Assert.Equal(HttpStatusCode.OK, await server.StatusAsync(Verify, new { token = verify }));
        Assert.Equal(HttpStatusCode.OK, await server.StatusAsync("/auth/password/reset", new { token = reset, password = EmailServer.NewPassword }));
    }

    [Theory]
    [InlineData("/auth/email/verify")]
    [InlineData("/auth/email/change/confirm-old")]
    [InlineData("/auth/email/change/confirm-new")]
    [InlineData("/auth/email/change/cancel")]
    [InlineData("/auth/password/reset")]
    public async Task The_page_of_a_link_is_a_form_that_needs_no_script_and_tells_nobody_its_token(string path)
    {
        var token = EmailSecrets.NewToken();
        using var page = await server.Client.GetAsync($"{path}?token={token}&next=https://evil.example.com", Cancel);
        var html = await page.Content.ReadAsStringAsync(Cancel);
        using var broken = await server.Client.GetAsync($"{path}?token=%22%3E%3Cscript%3Ealert(1)%3C/script%3E", Cancel);

        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.Equal("text/html", page.Content.Headers.ContentType!.MediaType);
        Assert.Equal("no-referrer", page.Header("Referrer-Policy"));
        Assert.Equal("no-store", page.Header("Cache-Control"));
        Assert.Matches("^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$", page.Header("Content-Security-Policy"));
        Assert.Contains($"""<form method="post" action="{path.Split('/')[^1]}">""", html, StringComparison.Ordinal);
        Assert.Contains($"""name="token" value="{token}">""", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("evil", html, StringComparison.Ordinal);
        Assert.DoesNotContain("alert(1)", await broken.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        Assert.DoesNotContain(token, server.Log.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_button_posts_a_form_and_is_answered_with_a_page()
    {
        var person = await server.SignInAsync();
        var token = await server.TokenAsync(person.Email, Verify);
        using var done = await PostFormAsync(Verify, $"token={token}");
        using var again = await PostFormAsync(Verify, $"token={token}");

        Assert.Equal(HttpStatusCode.OK, done.StatusCode);
        Assert.Contains("is confirmed", await done.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, again.StatusCode);
        Assert.Contains("not good any more", await again.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        Assert.True(await server.IsVerifiedAsync(person.Id));
    }

    [Fact]
    public async Task A_form_of_another_site_can_do_nothing_for_it_has_no_token_and_nothing_else_counts()
    {
        var person = await server.SignInAsync();
        foreach (var path in new[] { Verify, "/auth/email/change/confirm-old", "/auth/email/change/cancel", "/auth/password/reset" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path)
            {
                Content = new StringContent($"password={EmailServer.NewPassword.Replace(' ', '+')}", Encoding.UTF8, "application/x-www-form-urlencoded"),
            };
            request.Headers.Add("Origin", "https://evil.example.com");
            request.Headers.Add("Cookie", $"session={person.Tokens.Access}; token={person.Tokens.Access}");
            request.Headers.Add("Authorization", $"Bearer {person.Tokens.Access}");
            using var response = await server.Client.SendAsync(request, Cancel);

            Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
            Assert.False(response.Headers.Contains("Set-Cookie"));
        }

        Assert.False(await server.IsVerifiedAsync(person.Id));
        await server.SignInAsync(person.Email);
    }

    [Fact]
    public async Task Of_many_who_follow_a_link_at_once_one_succeeds()
    {
        var person = await server.SignInAsync();
        var token = await server.TokenAsync(person.Email, Verify);
        var statuses = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => server.StatusAsync(Verify, new { token })));

        Assert.Single(statuses, HttpStatusCode.OK);
        Assert.Equal(1, await server.CountEventsAsync(person, "email.verified"));
    }

    [Fact]
    public async Task A_link_that_was_not_followed_for_a_day_is_not_good()
    {
        var person = await server.SignInAsync();
        var token = await server.TokenAsync(person.Email, Verify);
        server.Clock.Advance(TimeSpan.FromHours(24) + TimeSpan.FromSeconds(1));

        Assert.Equal(HttpStatusCode.UnprocessableEntity, await server.StatusAsync(Verify, new { token }));
        Assert.False(await server.IsVerifiedAsync(person.Id));
    }

    [Fact]
    public async Task A_link_is_good_for_its_own_purpose_alone()
    {
        var person = await server.SignInAsync();
        var token = await server.TokenAsync(person.Email, Verify);
        foreach (var path in new[] { "/auth/email/change/confirm-old", "/auth/email/change/confirm-new", "/auth/email/change/cancel", "/auth/password/reset" })
        {
            Assert.Equal(HttpStatusCode.UnprocessableEntity, await server.StatusAsync(path, new { token, password = EmailServer.NewPassword }));
        }

        Assert.Equal(HttpStatusCode.OK, await server.StatusAsync(Verify, new { token }));
    }

    [Fact]
    public async Task A_link_leads_to_the_configured_place_whatever_the_request_called_the_server()
    {
        var email = AccountsServer.NewEmail();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/auth/register")
        {
            Content = new StringContent($$"""{"email":"{{email}}","password":"{{AccountsServer.Password}}","name":"Mason\nBcc: thief"}""", Encoding.UTF8, "application/json"),
        };
        request.Headers.Host = "evil.example.com";
        request.Headers.Add("X-Forwarded-Host", "evil.example.com");
        using var refused = await server.Client.SendAsync(request, Cancel);
        using var second = new HttpRequestMessage(HttpMethod.Post, "/auth/register")
        {
            Content = new StringContent($$"""{"email":"{{email}}","password":"{{AccountsServer.Password}}","name":"=?utf-8?q?=0D=0ABcc:?= thief@example.com"}""", Encoding.UTF8, "application/json"),
        };
        second.Headers.Host = "evil.example.com";
        using var registered = await server.Client.SendAsync(second, Cancel);
        await server.TokenAsync(email, Verify);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
        Assert.Equal(HttpStatusCode.Created, registered.StatusCode);
        var raw = Assert.Single(server.RawLetters(), letter => letter.Contains(email, StringComparison.Ordinal));
        Assert.DoesNotContain("evil", raw, StringComparison.Ordinal);
        Assert.DoesNotContain("Bcc", raw, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("evil", await server.LetterAsync(email, "token="), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mason@example.com\r\nBcc: thief@example.com")]
    [InlineData("mason@example.com, thief@example.com")]
    [InlineData("Mason <mason@example.com>")]
    [InlineData("mason@example.com\0")]
    public async Task What_is_no_single_address_gets_no_mail(string email)
    {
        foreach (var path in new[] { "/auth/email/verify/request", "/auth/email/code", "/auth/password/forgot" })
        {
            using var response = await server.PostAsync(path, new { email });
            Assert.Equal(["email"], await EmailServer.BadFieldsAsync(response));
        }
    }

    [Fact]
    public async Task A_stranger_cannot_fill_a_mailbox_and_tasks_cannot_use_up_what_accounts_need()
    {
        var person = await server.SignInAsync();
        await server.ExecuteAsync("INSERT INTO mail_usage (owner_id, hour, queued) VALUES ($1, $2, 1000000)", person.Id, server.Clock.GetUtcNow().ToUnixTimeSeconds() / 3600);
        for (var i = 0; i < 8; i++)
        {
            await server.AskAsync("/auth/password/forgot", person.Email);
        }

        await server.AskAsync("/auth/email/code", person.Email);
        await server.LetterAsync(person.Email, "Your code");
        await server.SettleAsync();
        Assert.Equal(5, server.Letters(person.Email).Count(static letter => letter.Contains("set a new password", StringComparison.Ordinal)));
        Assert.Equal(1000000, await server.CountAsync("SELECT queued FROM mail_usage WHERE owner_id = $1", person.Id));

        server.Clock.Advance(TimeSpan.FromHours(1));
        await server.ResetTokenAsync(person.Email, 6);
    }

    [Fact]
    public async Task What_strangers_ask_for_does_not_keep_an_owner_from_getting_mail()
    {
        var person = await server.SignInAsync();
        for (var i = 0; i < 8; i++)
        {
            Assert.Equal(HttpStatusCode.Accepted, await server.StatusFromAsync($"198.51.100.{i}", "/auth/password/forgot", new { email = person.Email }));
        }

        await server.ResetTokenAsync(person.Email, 6);
        for (var i = 0; i < 8; i++)
        {
            await server.AskAsync("/auth/password/forgot", person.Email);
        }

        await server.SettleAsync();
        Assert.Equal(10, server.Letters(person.Email).Count(static letter => letter.Contains("set a new password", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("/auth/password/forgot", "set a new password")]
    [InlineData("/auth/email/code", "Your code")]
    public async Task Strangers_who_ask_all_the_time_delay_the_mail_of_an_owner_on_the_road_and_keep_it_from_nobody(string path, string word)
    {
        var person = await server.SignInAsync();
        for (var round = 0; round < 3; round++)
        {
            for (var i = 0; i < 12; i++)
            {
                Assert.Equal(HttpStatusCode.Accepted, await server.StatusFromAsync($"198.51.100.{i}", path, new { email = person.Email }));
            }

            await server.SettleAsync();
            var before = CountOf(person, word);
            Assert.Equal(HttpStatusCode.Accepted, await server.StatusFromAsync("203.0.113.40", path, new { email = person.Email }));
            await server.SettleAsync();
            Assert.Equal(before, CountOf(person, word));

            server.Clock.Advance(TimeSpan.FromMinutes(12) + TimeSpan.FromSeconds(1));
            await server.LetterAsync(person.Email, word, before + 1);
        }

        // Never more than what may be sent at once in an hour, and one each twelve minutes.
        await server.SettleAsync();
        Assert.InRange(CountOf(person, word), 1, 5 + 5 + 3);
        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM email_request WHERE due_at > 0 AND email = $1", person.Email));
    }

    [Fact]
    public async Task A_device_that_the_account_remembers_has_a_share_of_its_own_wherever_it_is()
    {
        var person = await server.SignInAsync();
        using var login = await server.PostAsync("/auth/login", new { email = person.Email, password = AccountsServer.Password, remember_device = true });
        var device = (await login.JsonAsync()).GetProperty("device_token").GetString();
        for (var i = 0; i < 8; i++)
        {
            await server.StatusFromAsync($"198.51.100.{i}", "/auth/email/code", new { email = person.Email });
        }

        await server.SettleAsync();
        await server.StatusFromAsync("203.0.113.50", "/auth/email/code", new { email = person.Email }, device);
        var letter = await server.LetterAsync(person.Email, "Your code", 6);

        // And tries of its own, when strangers have used up theirs.
        var code = letter.Split("\r\n").Select(static line => line.Trim()).First(static line => line.Length == 9 && line.All(static c => char.IsAsciiDigit(c) || c == ' '));
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(HttpStatusCode.Unauthorized, await server.StatusFromAsync("198.51.100.9", "/auth/login/code", new { email = person.Email, code = "0000000x" }));
        }

        Assert.Equal(HttpStatusCode.Unauthorized, await server.StatusFromAsync("203.0.113.51", "/auth/login/code", new { email = person.Email, code }));
        Assert.Equal(HttpStatusCode.OK, await server.StatusFromAsync("203.0.113.51", "/auth/login/code", new { email = person.Email, code }, device));
    }

    private int CountOf(Person person, string word) => server.Letters(person.Email).Count(letter => letter.Contains(word, StringComparison.Ordinal));

    private async Task<HttpResponseMessage> PostFormAsync(string path, string form)
    {
        using var content = new StringContent(form, Encoding.UTF8, "application/x-www-form-urlencoded");
        return await server.Client.PostAsync(path, content, Cancel);
    }
}

public sealed class EmailVerificationOnSqliteTests(SqliteEmailServer server) : EmailVerificationTests(server), IClassFixture<SqliteEmailServer>;

public sealed class EmailVerificationOnPostgresTests(PostgresEmailServer server) : EmailVerificationTests(server), IClassFixture<PostgresEmailServer>;
