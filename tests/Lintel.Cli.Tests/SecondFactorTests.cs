using System.Buffers.Binary;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Lintel.Cli.Infrastructure;

namespace Lintel.Cli;

/// <summary>Signing in to an account that has an authenticator app.</summary>
public sealed class SecondFactorTests(CliServer server)
{
    private const string Base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    [Fact]
    public async Task The_code_is_asked_for_after_the_password()
    {
        var (home, app) = await SignInWithAppAsync();
        using var terminal = home.StartOnTerminal("login", "--email", home.Email);

        await terminal.ShowsAsync("Password: ");
        terminal.Type(CliServer.Password + "\n");
        await terminal.ShowsAsync("Code (of your app, or a recovery code): ");
        terminal.Type(app.Code(0) + "\n");

        Assert.Equal(0, await terminal.Exited);
        await terminal.ShowsAsync($"as {home.Email}.");
        Assert.Equal(0, (await home.RunAsync(["whoami"])).ExitCode);
    }

    [Fact]
    public async Task A_recovery_code_will_do()
    {
        var (home, app) = await SignInWithAppAsync();

        var first = await LoginAsync(home, app.RecoveryCode);
        var again = await LoginAsync(home, app.RecoveryCode);

        Assert.Equal(0, first.ExitCode);
        Assert.Equal((77, "lintel: The code is wrong, or was used already; wait for the next one and try again.\n"), (again.ExitCode, again.Errors));
    }

    [Fact]
    public async Task In_a_script_the_code_is_the_second_line()
    {
        var (home, app) = await SignInWithAppAsync();

        var without = await home.RunAsync(["login", "--email", home.Email, "--password-stdin"], CliServer.Password + "\n");
        var with = await LoginAsync(home, app.Code(0));

        Assert.Equal(
            (77, "lintel: The server wants a second factor too; give a code as the second line of standard input, or sign in on a terminal.\n"), (without.ExitCode, without.Errors));
        Assert.Equal(0, with.ExitCode);
    }

    [Fact]
    public async Task A_device_is_remembered_where_that_was_asked_for_and_until_signing_out()
    {
        var (home, app) = await SignInWithAppAsync();

        var remembered = await LoginAsync(home, app.Code(0), "--remember-device");
        var device = await DeviceAsync(home);
        var without = await home.RunAsync(["login", "--email", home.Email, "--password-stdin"], CliServer.Password + "\n");
        var andAgain = await home.RunAsync(["login", "--email", home.Email, "--password-stdin"], CliServer.Password + "\n");

        // Somebody else at the same machine takes nothing from it.
        var other = await home.RunAsync(["login", "--register", "--email", "other-" + home.Email, "--password-stdin"], CliServer.Password + "\n");
        var inCapitals = await home.RunAsync(["login", "--email", home.Email.ToUpperInvariant(), "--password-stdin"], CliServer.Password + "\n");
        await home.RunAsync(["logout"]);
        var forgotten = await home.RunAsync(["login", "--email", home.Email, "--password-stdin"], CliServer.Password + "\n");

        Assert.Equal((0, 0, 0, 77), (remembered.ExitCode, without.ExitCode, andAgain.ExitCode, forgotten.ExitCode));
        Assert.Equal((0, 0), (other.ExitCode, inCapitals.ExitCode));
        Assert.StartsWith("ltd_", device, StringComparison.Ordinal);
        Assert.DoesNotContain(device, remembered.Output + remembered.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain(device, await File.ReadAllTextAsync(home.CredentialFile, Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_device_is_remembered_without_a_second_factor_too()
    {
        var home = await server.SignInAsync();
        string[] login = ["login", "--email", home.Email, "--password-stdin"];

        var plain = JsonNode.Parse(await File.ReadAllTextAsync(home.CredentialFile, Cancel))!["devices"]!.AsObject();
        var remembered = await home.RunAsync([.. login, "--remember-device"], CliServer.Password + "\n");
        var again = await home.RunAsync(login, CliServer.Password + "\n");

        Assert.Empty(plain);
        Assert.Equal((0, 0), (remembered.ExitCode, again.ExitCode));

        // The second sign-in, which asked for nothing, made no other of it.
        var stored = JsonNode.Parse(await File.ReadAllTextAsync(home.CredentialFile, Cancel))!["servers"]!.AsObject().Single().Value!;
        Assert.StartsWith("ltd_", await DeviceAsync(home), StringComparison.Ordinal);
        using var client = new HttpClient { BaseAddress = server.Address };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (string)stored["access_token"]!);
        Assert.Single((await client.GetFromJsonAsync<JsonNode>("auth/devices", Cancel))!["devices"]!.AsArray());
    }

    [Fact]
    public async Task An_administrator_helps_who_lost_them()
    {
        var (person, _) = await SignInWithAppAsync();
        var admin = server.NewHome();
        Assert.Equal(0, (await admin.RunAsync(["admin", "create", "--data", server.DataFolder, "--email", admin.Email, "--password-stdin"], CliServer.Password + "\n")).ExitCode);
        Assert.Equal(0, (await admin.RunAsync(["login", "--email", admin.Email, "--password-stdin"], CliServer.Password + "\n")).ExitCode);

        var removed = await admin.RunAsync(["users", "remove-factors", person.Email, "--reason", "Lost the phone."]);
        var again = await admin.RunAsync(["users", "remove-factors", person.Email]);

        Assert.Equal((0, "Second factors removed: 1; sessions ended: 0.\n"), (removed.ExitCode, removed.Errors));
        Assert.Equal(66, again.ExitCode);
        Assert.Contains("This account has no second factor", again.Errors, StringComparison.Ordinal);
        Assert.Equal(0, (await person.RunAsync(["login", "--email", person.Email, "--password-stdin"], CliServer.Password + "\n")).ExitCode);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static async Task<string> DeviceAsync(CliHome home) =>
        (string)JsonNode.Parse(await File.ReadAllTextAsync(home.CredentialFile, Cancel))!["devices"]!.AsObject().Single().Value![home.Email]!;

    private static Task<CliResult> LoginAsync(CliHome home, string code, params string[] more) =>
        home.RunAsync(["login", "--email", home.Email, "--password-stdin", .. more], $"{CliServer.Password}\n{code}\n");

    private async Task<(CliHome Home, App App)> SignInWithAppAsync()
    {
        var home = await server.SignInAsync();
        var stored = JsonNode.Parse(await File.ReadAllTextAsync(home.CredentialFile, Cancel))!["servers"]!.AsObject().Single().Value!;
        using var client = new HttpClient { BaseAddress = server.Address };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (string)stored["access_token"]!);
        using var started = await client.PostAsync("auth/2fa/totp", null, Cancel);
        var secret = (string)JsonNode.Parse(await started.Content.ReadAsStringAsync(Cancel))!["secret"]!;
        var app = new App(secret, "");

        // The code of the half minute before: those of this one and of the next are left for signing in.
        using var confirmed = await client.PostAsJsonAsync("auth/2fa/totp/confirm", new { code = app.Code(-1) }, Cancel);
        confirmed.EnsureSuccessStatusCode();
        var codes = JsonNode.Parse(await confirmed.Content.ReadAsStringAsync(Cancel))!["recovery_codes"]!.AsArray();
        await home.RunAsync(["logout"]);
        return (home, app with { RecoveryCode = (string)codes[0]! });
    }

    private sealed record App(string Secret, string RecoveryCode)
    {
        /// <summary>RFC 6238, so many half minutes from now.</summary>
        public string Code(int steps)
        {
            var bits = string.Concat(Secret.Select(static letter => Convert.ToString(Base32.IndexOf(letter, StringComparison.Ordinal), 2).PadLeft(5, '0')));
            byte[] key = [.. Enumerable.Range(0, bits.Length / 8).Select(i => Convert.ToByte(bits.Substring(8 * i, 8), 2))];
            var message = new byte[8];
            BinaryPrimitives.WriteInt64BigEndian(message, (TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() / 30) + steps);
#pragma warning disable CA5350 // What authenticator apps compute.
            var hash = HMACSHA1.HashData(key, message);
#pragma warning restore CA5350
            var number = BinaryPrimitives.ReadUInt32BigEndian(hash.AsSpan(hash[^1] & 0xF)) & 0x7FFF_FFFF;
            return (number % 1_000_000).ToString("D6", CultureInfo.InvariantCulture);
        }
    }
}
