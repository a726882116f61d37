using System.Net;
using System.Net.Sockets;
using Lintel.Features.Jobs;
using Lintel.Infrastructure;

namespace Lintel.Features.Mail;

/// <summary>Mail on its way to a real mail server, which works, refuses, is away or says nothing.</summary>
public abstract class MailTests(TestDatabaseKind kind)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_message_arrives_with_text_and_html()
    {
        using var smtp = await SmtpServer.StartAsync();
        await using var server = await MailServer.StartAsync(kind, smtp);
        var (id, email, client) = await server.SignInAsync();
        await server.SendAsync(id, email, "Zoë 🏗", "two\nlines");
        var mail = await smtp.ReceiveAsync();

        Assert.Equal(("lintel@example.com", 3, 0), (mail.Sender, mail.Parts, mail.Defects));
        Assert.Equal([email], mail.Recipients);
        Assert.Equal("Hello Zoë 🏗", mail.Header("Subject"));
        Assert.Equal("Lintel <lintel@example.com>", mail.Header("From"));
        Assert.Equal(email, mail.Header("To"));
        Assert.Equal("auto-generated", mail.Header("Auto-Submitted"));
        Assert.EndsWith("@example.com>", mail.Header("Message-ID"), StringComparison.Ordinal);
        Assert.EndsWith("+0000", mail.Header("Date"), StringComparison.Ordinal);
        Assert.Contains("Dear Zoë 🏗,", mail.Text, StringComparison.Ordinal);
        Assert.Contains("two<br>lines", mail.Html, StringComparison.Ordinal);

        var job = await MailServer.WaitForJobAsync(client, static job => job.GetProperty("status").GetString() == "complete");
        var events = await client.WatchAsync(job.GetProperty("job_id").GetGuid());
        Assert.Equal(["mail_sent", "complete"], events.Select(static item => item.Kind));
        Assert.Equal("hello", events[0].Json.GetProperty("template").GetString());
        Assert.Equal(0, await server.CountWaitingAsync());
        Assert.Equal("ok", (await server.ReadinessAsync("mail")).GetProperty("status").GetString());
    }

    [Fact]
    public async Task What_people_write_makes_no_header_no_recipient_and_no_html()
    {
        const string attack = "x\r\nBcc: thief@example.com\r\nSubject: other\u2028y\r\n\r\n.\r\nQUIT\r\n<script>alert('\"1\"')</script>{{note}}";
        using var smtp = await SmtpServer.StartAsync();
        await using var server = await MailServer.StartAsync(kind, smtp);
        var (id, email, _) = await server.SignInAsync();
        await server.SendAsync(id, email, attack, attack);
        var mail = await smtp.ReceiveAsync();

        Assert.Equal([email], mail.Recipients);
        Assert.Equal(
            ["Auto-Submitted", "Content-Type", "Date", "From", "MIME-Version", "Message-ID", "Subject", "To"],
            mail.Headers.Select(static header => header.Name).Order(StringComparer.Ordinal));
        Assert.StartsWith("Hello x", mail.Header("Subject"), StringComparison.Ordinal);
        Assert.Contains("Bcc: thief@example.com", mail.Header("Subject"), StringComparison.Ordinal);
        Assert.Contains("<script>", mail.Text, StringComparison.Ordinal);
        Assert.Contains("\n.\n", mail.Text.ReplaceLineEndings("\n"), StringComparison.Ordinal);
        Assert.Contains("{{note}}", mail.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", mail.Html, StringComparison.Ordinal);
        Assert.Contains("title=\"x<br>Bcc", mail.Html.Replace("\r", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.DoesNotContain("'\"1\"'", mail.Html, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a@example.com\r\nBcc: thief@example.com")]
    [InlineData("a@example.com, thief@example.com")]
    [InlineData("Mason <a@example.com>")]
    [InlineData("<a@example.com> SIZE=1")]
    [InlineData("a b@example.com")]
    [InlineData("")]
    public async Task A_recipient_that_is_no_address_gets_nothing_and_holds_nobody_up(string recipient)
    {
        using var smtp = await SmtpServer.StartAsync();
        await using var server = await MailServer.StartAsync(kind, smtp);
        var (id, email, client) = await server.SignInAsync();
        await server.SendAsync(id, recipient);
        await server.SendAsync(id, email, "next");

        Assert.Equal("Hello next", (await smtp.ReceiveAsync()).Header("Subject"));
        var job = (await MailServer.JobsAsync(client))[^1];
        Assert.Equal("mail_refused", (await client.WatchAsync(job.GetProperty("job_id").GetGuid()))[0].Kind);
    }

    [Theory]
    [InlineData("refused.example.com", "550")]
    [InlineData("large.example.com", "552")]
    public async Task A_message_that_the_server_refuses_is_not_tried_again(string domain, string code)
    {
        using var smtp = await SmtpServer.StartAsync();
        await using var server = await MailServer.StartAsync(kind, smtp);
        var (id, email, client) = await server.SignInAsync();
        await server.SendAsync(id, "mason@" + domain);
        await server.SendAsync(id, email, "next");

        Assert.Equal("Hello next", (await smtp.ReceiveAsync()).Header("Subject"));
        await Eventually.HoldsAsync(async () => await server.CountWaitingAsync() == 0);
        var events = await client.WatchAsync((await MailServer.JobsAsync(client))[^1].GetProperty("job_id").GetGuid());
        Assert.Contains(events, item => item.Kind == "mail_refused" && item.Json.GetProperty("message").GetString()!.Contains(code, StringComparison.Ordinal));
        Assert.Equal("ok", (await server.ReadinessAsync("mail")).GetProperty("status").GetString());
    }

    [Fact]
    public async Task Mail_waits_for_a_server_that_is_away_and_is_sent_in_order_when_it_is_back()
    {
        int port;
        using (var gone = await SmtpServer.StartAsync())
        {
            port = gone.Port;
        }

        await using var server = await MailServer.StartAsync(kind, "--SMTP_HOST=127.0.0.1", $"--SMTP_PORT={port}", "--SMTP_TLS=off");
        var (id, email, client) = await server.SignInAsync();
        await server.SendAsync(id, email, "first");
        var waiting = await MailServer.WaitForJobAsync(
            client, static job => job.GetProperty("attempt").GetInt32() == 1 && job.GetProperty("status").GetString() == "queued");
        Assert.Equal("The mail server cannot be reached.", waiting.GetProperty("error").GetString());
        await server.SendAsync(id, email, "second");
        await server.SendAsync(id, email, "third");

        // They all wait for the one job, and survive the server.
        Assert.Single(await MailServer.JobsAsync(client));
        await server.Fixture.RestartAsync();
        using var smtp = await SmtpServer.StartAsync(port);
        server.Clock.Advance(TimeSpan.FromSeconds(11));

        foreach (var name in new[] { "first", "second", "third" })
        {
            Assert.Equal("Hello " + name, (await smtp.ReceiveAsync()).Header("Subject"));
        }

        await Eventually.HoldsAsync(async () => await server.CountWaitingAsync() == 0);
    }

    [Fact]
    public async Task A_recipient_who_is_busy_is_tried_again_with_longer_and_longer_waits()
    {
        using var smtp = await SmtpServer.StartAsync();
        await using var server = await MailServer.StartAsync(kind, smtp);
        var (id, _, client) = await server.SignInAsync();
        await server.SendAsync(id, "mason@busy.example.com");
        await MailServer.WaitForJobAsync(client, static job => job.GetProperty("attempt").GetInt32() == 1 && job.GetProperty("status").GetString() == "queued");
        server.Clock.Advance(TimeSpan.FromSeconds(11));
        await MailServer.WaitForJobAsync(client, static job => job.GetProperty("attempt").GetInt32() == 2 && job.GetProperty("status").GetString() == "queued");
        var wait = await server.Database.ReadAsync(
            session => session.QueryFirstAsync("SELECT run_at FROM job WHERE kind = 'mail'", static row => row.GetInt64(0)), Cancel);

        var seconds = (Platform.Storage.Instant.FromMicroseconds(wait) - server.Clock.GetUtcNow()).TotalSeconds;
        Assert.InRange(seconds, 10, 20);
        Assert.Equal(1, await server.CountWaitingAsync());
    }

    [Fact]
    public async Task Five_failures_open_the_breaker_and_one_success_closes_it()
    {
        int port;
        using (var gone = await SmtpServer.StartAsync())
        {
            port = gone.Port;
        }

        await using var server = await MailServer.StartAsync(kind, "--SMTP_HOST=127.0.0.1", $"--SMTP_PORT={port}", "--SMTP_TLS=off");
        List<(long Id, string Email, HttpClient Client)> people = [];
        for (var i = 0; i < 6; i++)
        {
            people.Add(await server.SignInAsync());
            await server.SendAsync(people[i].Id, people[i].Email);
            await MailServer.WaitForJobAsync(
                people[i].Client, static job => job.GetProperty("attempt").GetInt32() >= 1 && job.GetProperty("status").GetString() == "queued");
        }

        Assert.Equal("degraded", (await server.ReadinessAsync("mail")).GetProperty("status").GetString());
        Assert.Equal("mail open.", (await server.ReadinessAsync("breakers")).GetProperty("detail").GetString());
        Assert.Contains("tried again shortly", (await MailServer.JobsAsync(people[5].Client))[0].GetProperty("error").GetString(), StringComparison.Ordinal);

        using var smtp = await SmtpServer.StartAsync(port);
        server.Clock.Advance(TimeSpan.FromSeconds(31));
        var first = await smtp.ReceiveAsync();
        await Eventually.HoldsAsync(async () => (await server.ReadinessAsync("mail")).GetProperty("status").GetString() == "ok");
        server.Clock.Advance(TimeSpan.FromSeconds(60));
        HashSet<string> reached = [first.Recipients[0]];
        while (reached.Count < people.Count)
        {
            reached.Add((await smtp.ReceiveAsync()).Recipients[0]);
        }

        Assert.Equal(people.Select(static person => person.Email).Order(StringComparer.Ordinal), reached.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_server_that_says_nothing_holds_a_job_for_its_time_only()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await using var server = await MailServer.StartAsync(
            kind, "--SMTP_HOST=127.0.0.1", $"--SMTP_PORT={((IPEndPoint)silent.LocalEndpoint).Port}", "--SMTP_TLS=off", "--SMTP_TIMEOUT_SECONDS=1");
        var (id, email, client) = await server.SignInAsync();
        await server.SendAsync(id, email);
        var job = await MailServer.WaitForJobAsync(client, static job => job.GetProperty("attempt").GetInt32() == 1 && job.GetProperty("status").GetString() == "queued");

        Assert.Equal("The mail server did not answer in time.", job.GetProperty("error").GetString());
        Assert.Equal(1, await server.CountWaitingAsync());
    }

    [Fact]
    public async Task A_server_without_encryption_gets_no_mail_and_no_password()
    {
        using var smtp = await SmtpServer.StartAsync();
        await using var server = await MailServer.StartAsync(
            kind, "--SMTP_HOST=127.0.0.1", $"--SMTP_PORT={smtp.Port}", "--SMTP_USER=lintel", "--SMTP_PASSWORD=secret-of-mail");
        var (id, email, client) = await server.SignInAsync();
        await server.SendAsync(id, email);
        await MailServer.WaitForJobAsync(client, static job => job.GetProperty("attempt").GetInt32() == 1 && job.GetProperty("status").GetString() == "queued");

        Assert.Equal(1, await server.CountWaitingAsync());
        Assert.DoesNotContain("secret-of-mail", server.Fixture.Log.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_whose_certificate_nobody_vouches_for_gets_no_mail()
    {
        var folder = Directory.CreateTempSubdirectory("lintel-mail-");
        try
        {
            using var smtp = await SmtpServer.StartAsync(tls: SmtpServer.MakeCertificate(folder.FullName));
            await using var server = await MailServer.StartAsync(kind, "--SMTP_HOST=127.0.0.1", $"--SMTP_PORT={smtp.Port}");
            var (id, email, client) = await server.SignInAsync();
            await server.SendAsync(id, email);
            var job = await MailServer.WaitForJobAsync(client, static job => job.GetProperty("attempt").GetInt32() == 1 && job.GetProperty("status").GetString() == "queued");

            Assert.Equal("The mail server's certificate is not valid.", job.GetProperty("error").GetString());
            Assert.Equal(1, await server.CountWaitingAsync());
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Without_a_mail_server_messages_are_files()
    {
        await using var server = await MailServer.StartAsync(kind);
        var (id, email, _) = await server.SignInAsync();
        await server.SendAsync(id, email, "Zoë\r\nBcc: thief@example.com");
        await server.SendAsync(id, email, "second");
        await Eventually.HoldsAsync(async () => await server.CountWaitingAsync() == 0);
        var files = Directory.GetFiles(server.PickupFolder).Order(StringComparer.Ordinal).ToArray();
        var first = await File.ReadAllTextAsync(files[0], Cancel);

        Assert.Equal(2, files.Length);
        Assert.All(files, static file => Assert.EndsWith(".eml", file, StringComparison.Ordinal));
        Assert.Contains($"To: {email}", first, StringComparison.Ordinal);
        Assert.DoesNotContain("\nBcc:", first, StringComparison.Ordinal);

        // What a connection had there goes with it, after its last message.
        await Eventually.HoldsAsync(() => Directory.GetFileSystemEntries(Path.Combine(server.PickupFolder, ".tmp")).Length == 0);
    }

    [Fact]
    public async Task A_pickup_folder_that_cannot_be_written_is_waited_for()
    {
        await using var server = await MailServer.StartAsync(kind);
        await File.WriteAllTextAsync(server.PickupFolder, "a file in the folder's place", Cancel);
        var (id, email, client) = await server.SignInAsync();
        await server.SendAsync(id, email);
        await MailServer.WaitForJobAsync(client, static job => job.GetProperty("error").GetString() == "The pickup folder cannot be written to.");
        File.Delete(server.PickupFolder);
        server.Clock.Advance(TimeSpan.FromSeconds(11));

        await Eventually.HoldsAsync(async () => await server.CountWaitingAsync() == 0);
        Assert.Single(Directory.GetFiles(server.PickupFolder));
    }

    [Fact]
    public async Task Mail_that_is_off_is_not_kept()
    {
        await using var server = await MailServer.StartAsync(kind, "--MAIL=off");
        var (id, email, client) = await server.SignInAsync();
        await server.SendAsync(id, email);

        Assert.Equal(0, await server.CountWaitingAsync());
        Assert.Empty(await MailServer.JobsAsync(client));
    }

    [Fact]
    public async Task Nobody_submits_mail_or_sees_anothers()
    {
        await using var server = await MailServer.StartAsync(kind);
        var (id, email, mason) = await server.SignInAsync();
        var (_, _, other) = await server.SignInAsync();
        using var submitted = await mason.SubmitAsync(new { kind = "mail", input = new { } });
        await server.SendAsync(id, email);
        await MailServer.WaitForJobAsync(mason, static job => job.GetProperty("status").GetString() == "complete");

        Assert.Equal(HttpStatusCode.UnprocessableEntity, submitted.StatusCode);
        Assert.Empty(await MailServer.JobsAsync(other));
    }

    [Fact]
    public async Task Messages_of_many_at_once_are_each_sent_once()
    {
        using var smtp = await SmtpServer.StartAsync();
        await using var server = await MailServer.StartAsync(kind, smtp);
        var people = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => server.SignInAsync()));
        await Task.WhenAll(Enumerable.Range(0, 60).Select(i => server.SendAsync(people[i % 3].Id, people[i % 3].Email, $"n{i}")));
        HashSet<string> subjects = [];
        for (var i = 0; i < 60; i++)
        {
            Assert.True(subjects.Add((await smtp.ReceiveAsync()).Header("Subject")));
        }

        await Eventually.HoldsAsync(async () => await server.CountWaitingAsync() == 0);
    }

    [Fact]
    public async Task What_could_not_be_sent_for_two_days_is_given_up()
    {
        using var smtp = await SmtpServer.StartAsync();
        await using var server = await MailServer.StartAsync(kind, smtp);
        var (id, _, client) = await server.SignInAsync();
        await server.SendAsync(id, "mason@busy.example.com");
        await MailServer.WaitForJobAsync(client, static job => job.GetProperty("attempt").GetInt32() == 1 && job.GetProperty("status").GetString() == "queued");
        var worker = server.Worker();
        await worker.ForgetAsync(Cancel);
        Assert.Equal(1, await server.CountWaitingAsync());
        server.Clock.Advance(TimeSpan.FromDays(2) + TimeSpan.FromSeconds(1));
        await worker.ForgetAsync(Cancel);

        Assert.Equal(0, await server.CountWaitingAsync());
    }
}

public sealed class SqliteMailTests() : MailTests(TestDatabaseKind.Sqlite);

public sealed class PostgresMailTests() : MailTests(TestDatabaseKind.Postgres);
