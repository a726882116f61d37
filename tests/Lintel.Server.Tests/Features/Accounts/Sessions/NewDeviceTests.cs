using System.Net.Http.Json;
using System.Text;
using System.Text.RegularExpressions;
using Lintel.Infrastructure;
using Lintel.Platform.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Features.Accounts.Sessions;

public sealed class NewDeviceTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(TestDatabaseKind.Sqlite)]
    [InlineData(TestDatabaseKind.Postgres)]
    public async Task An_owner_hears_of_a_sign_in_with_a_new_device_or_from_a_new_network_once_and_not_of_the_first(TestDatabaseKind kind)
    {
        await using var server = await ServerFixture.StartAsync(["--PASSWORD_HASH_ITERATIONS=10000", "--TRUSTED_PROXIES=127.0.0.1", "--APP_NAME=Beam Office"], kind: kind);
        var email = AccountsServer.NewEmail();
        using var registered = await server.Client.PostAsJsonAsync("/auth/register", new { email, password = AccountsServer.Password }, Cancel);

        await server.SignInAsync(email, "curl/8.5.0", "192.0.2.1");
        await server.SignInAsync(email, "curl/8.6.0", "192.0.2.1");
        await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => server.SignInAsync(email, "evil\"<b>/1", "192.0.2.1")));
        await server.SignInAsync(email, "curl/8.5.0", "2001:db8::1");
        await server.SignInAsync(email, "curl/8.5.0", "2001:db8::2");

        var mail = await MailAsync(server, 2);
        Assert.All(mail, message => Assert.Contains("To: " + email, message, StringComparison.Ordinal));
        Assert.All(mail, message => Assert.Contains("Beam Office", message, StringComparison.Ordinal));
        Assert.Single(mail, message => message.Contains("Device: evil", StringComparison.Ordinal) && message.Contains("Address: 192.0.2.1", StringComparison.Ordinal));
        Assert.Single(mail, message => message.Contains("Device: curl", StringComparison.Ordinal) && message.Contains("Address: 2001:db8::1", StringComparison.Ordinal));
        Assert.DoesNotContain(mail, message => message.Contains("<b>/", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(TestDatabaseKind.Sqlite)]
    [InlineData(TestDatabaseKind.Postgres)]
    public async Task So_does_the_owner_of_an_account_that_was_not_used_for_so_long_that_its_devices_are_forgotten(TestDatabaseKind kind)
    {
        await using var server = await ServerFixture.StartAsync(["--PASSWORD_HASH_ITERATIONS=10000", "--TRUSTED_PROXIES=127.0.0.1"], kind: kind);
        var email = AccountsServer.NewEmail();
        using var registered = await server.Client.PostAsJsonAsync("/auth/register", new { email, password = AccountsServer.Password }, Cancel);
        await server.SignInAsync(email, "curl/8.5.0", "192.0.2.1");
        await server.Services.GetRequiredService<Database>().WriteAsync(
            async unit =>
            {
                await unit.ExecuteAsync("DELETE FROM account_device");
                await unit.ExecuteAsync("UPDATE account SET created_at = created_at - $1", (long)TimeSpan.FromDays(200).TotalMicroseconds);
            },
            Cancel);

        await server.SignInAsync(email, "curl/8.5.0", "198.51.100.1");

        Assert.Contains("Address: 198.51.100.1", Assert.Single(await MailAsync(server, 1)), StringComparison.Ordinal);
    }

    /// <summary>All mail that there is once so many came: the last sign-in is the last that could bring one.</summary>
    private static async Task<string[]> MailAsync(ServerFixture server, int count)
    {
        var mail = await MailFolder.WaitAsync(server.DataFolder, count);
        Assert.Equal(count, mail.Length);
        return [.. mail.Select(static message => message + Text(message))];
    }

    private static string Text(string mail) => string.Concat(
        Regex.Matches(mail.ReplaceLineEndings("\n"), "base64\n\n(?<text>[A-Za-z0-9+/=\n]+)\n-", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(5))
            .Select(static part => Encoding.UTF8.GetString(Convert.FromBase64String(part.Groups["text"].Value))));
}
