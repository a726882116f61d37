using System.Text;
using Lintel.Infrastructure;
using Lintel.Platform.Configuration;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting.Internal;

namespace Lintel.Features.Mail;

public abstract class MailSecretsTests(TestDatabaseKind kind)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_copy_of_the_database_does_not_show_what_waiting_mail_says()
    {
        await using var server = await MailServer.StartAsync(kind, "--SMTP_HOST=127.0.0.1", "--SMTP_PORT=1", "--SMTP_TLS=off");
        var (id, email, _) = await server.SignInAsync();
        await server.SendAsync(id, email, note: "https://lintel.example.com/auth/password/reset?token=secret");
        var kept = await server.Database.ReadAsync(session => session.QueryFirstAsync("SELECT fields FROM mail", static row => row.GetString(0)), Cancel);

        Assert.DoesNotContain("secret", kept, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", Encoding.UTF8.GetString(Convert.FromBase64String(kept!)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_written_under_another_key_or_moved_to_another_message_is_given_up()
    {
        await using var server = await MailServer.StartAsync(kind, "--SMTP_HOST=127.0.0.1", "--SMTP_PORT=1", "--SMTP_TLS=off");
        var (id, email, client) = await server.SignInAsync();
        await server.SendAsync(id, email);
        await MailServer.WaitForJobAsync(client, static job => job.GetProperty("attempt").GetInt32() == 1 && job.GetProperty("status").GetString() == "queued");
        await server.Database.WriteAsync(async session => { await session.ExecuteAsync("UPDATE mail SET recipient = 'thief@example.com'"); }, Cancel);
        server.Clock.Advance(TimeSpan.FromSeconds(11));
        await server.SendAsync(id, email);

        var line = await server.Fixture.Log.WaitForAsync(static line => line.GetRawText().Contains("another SECRET_KEY", StringComparison.Ordinal), Cancel);
        Assert.Equal("WARNING", line.GetProperty("level").GetString());
        await Eventually.HoldsAsync(async () => await server.CountWaitingAsync() == 1);
    }

    [Fact]
    public async Task Only_the_key_the_message_and_its_recipient_together_open_it()
    {
        await using var server = await MailServer.StartAsync(kind);
        var secrets = server.Fixture.Services.GetRequiredService<MailSecrets>();
        var other = new MailSecrets(Key(("SECRET_KEY", new string('x', 32))));
        var next = new MailSecrets(Key(("SECRET_KEY", new string('y', 32)), ("SECRET_KEY_PREVIOUS", new string('x', 32))));
        var id = Guid.CreateVersion7();
        var text = secrets.Protect(id, "mason@example.com", "hello", new() { ["name"] = "Mason" });

        Assert.Equal("Mason", secrets.Unprotect(id, "mason@example.com", "hello", text)!["name"]);
        Assert.Null(other.Unprotect(id, "mason@example.com", "hello", text));
        Assert.Equal("Ada", next.Unprotect(id, "ada@example.com", "hello", other.Protect(id, "ada@example.com", "hello", new() { ["name"] = "Ada" }))!["name"]);
        Assert.Null(secrets.Unprotect(Guid.CreateVersion7(), "mason@example.com", "hello", text));
        Assert.Null(secrets.Unprotect(id, "thief@example.com", "hello", text));
        Assert.Null(secrets.Unprotect(id, "mason@example.com", "other", text));
        Assert.Null(secrets.Unprotect(id, "mason@example.com", "hello", "AAAA"));
        Assert.NotEqual(text, secrets.Protect(id, "mason@example.com", "hello", new() { ["name"] = "Mason" }));
    }

    private static SecretKey Key(params (string Name, string Value)[] settings) => SecretKey.Read(new(
        new ConfigurationBuilder().AddInMemoryCollection(settings.Select(static setting => KeyValuePair.Create(setting.Name, (string?)setting.Value))).Build(),
        new HostingEnvironment { EnvironmentName = "Production" }));
}

public sealed class SqliteMailSecretsTests() : MailSecretsTests(TestDatabaseKind.Sqlite);

public sealed class PostgresMailSecretsTests() : MailSecretsTests(TestDatabaseKind.Postgres);
