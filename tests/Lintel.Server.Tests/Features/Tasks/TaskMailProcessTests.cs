using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using Lintel.Features.Accounts;
using Lintel.Features.Mail;
using Lintel.Infrastructure;

namespace Lintel.Features.Tasks;

/// <summary>From a task to the mail server, with the server as an operator runs it.</summary>
public sealed class TaskMailProcessTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_task_is_mailed_encrypted_and_with_a_password_to_a_server_whose_certificate_is_trusted()
    {
        var folder = Directory.CreateTempSubdirectory("lintel-mail-");
        try
        {
            var files = SmtpServer.MakeCertificate(folder.FullName);
            using var smtp = await SmtpServer.StartAsync(tls: files, account: ("lintel", "a secret"));
            using var server = ServerProcess.Start(
                folder.FullName,
                ("PORT", "0"),
                ("SECRET_KEY", "0123456789abcdef0123456789abcdef"),
                ("EXECUTE", "off"),
                ("SSL_CERT_FILE", files.Certificate),
                ("MAIL_FROM", "Lintel <lintel@example.com>"),
                ("SMTP_HOST", "127.0.0.1"),
                ("SMTP_PORT", smtp.Port.ToString(CultureInfo.InvariantCulture)),
                ("SMTP_USER", "lintel"),
                ("SMTP_PASSWORD", "a secret"));
            using var client = new HttpClient { BaseAddress = await server.ListeningAsync(Cancel) };
            var person = new { email = "mason@example.com", password = AccountsServer.Password };
            using var registered = await client.PostAsJsonAsync("/auth/register", person, Cancel);
            using var signedIn = await client.PostAsJsonAsync("/auth/login", person, Cancel);
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (await Tokens.OfAsync(signedIn)).Access);
            using var made = await client.PostAsJsonAsync("/api/tasks", new { title = "Check the lintel" }, Cancel);
            var welcome = await smtp.ReceiveAsync();
            var mail = await smtp.ReceiveAsync();

            Assert.Equal("Confirm your e-mail address for Lintel", welcome.Header("Subject"));
            Assert.Equal((true, "lintel"), (mail.IsEncrypted, mail.User));
            Assert.Equal(["mason@example.com"], mail.Recipients);
            Assert.Equal("New task: Check the lintel", mail.Header("Subject"));
            server.Terminate();
            var end = await server.EndAsync(Cancel);
            Assert.DoesNotContain("a secret", end.Output + end.Errors, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
