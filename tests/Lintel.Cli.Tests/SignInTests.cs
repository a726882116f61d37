using System.Text.Json;
using System.Text.Json.Nodes;
using Lintel.Cli.Infrastructure;

namespace Lintel.Cli;

/// <summary>Signing in and out, and the file of credentials.</summary>
public sealed class SignInTests(CliServer server)
{
    private const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    [Fact]
    public async Task A_person_signs_in_is_known_and_signs_out()
    {
        var home = await server.SignInAsync();

        var known = await home.RunAsync(["whoami"]);
        var json = await home.RunAsync(["whoami", "--json"]);
        var left = await home.RunAsync(["logout"]);
        var gone = await home.RunAsync(["whoami"]);

        Assert.Equal((0, $"{home.Email} at {server.Address.ToString().TrimEnd('/')}\n"), (known.ExitCode, known.Output));
        Assert.Equal(home.Email, JsonDocument.Parse(json.Output).RootElement.GetProperty("email").GetString());
        Assert.Equal(0, left.ExitCode);
        Assert.Equal(77, gone.ExitCode);
        Assert.StartsWith("lintel: You are not signed in to ", gone.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("token", await File.ReadAllTextAsync(home.CredentialFile, Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Signing_out_ends_the_session_at_the_server()
    {
        var home = await server.SignInAsync();
        var stored = await File.ReadAllTextAsync(home.CredentialFile, Cancel);
        await home.RunAsync(["logout"]);

        // As somebody would who has a copy of the file.
        await File.WriteAllTextAsync(home.CredentialFile, stored, Cancel);
        var copied = await home.RunAsync(["whoami"]);

        Assert.Equal((77, ""), (copied.ExitCode, copied.Output));
        Assert.Contains("`lintel login`", copied.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sessions_elsewhere_are_listed_and_ended()
    {
        var (here, there) = (await server.SignInAsync(), server.NewHome());
        var password = CliServer.Password + "\n";
        Assert.Equal(0, (await there.RunAsync(["login", "--email", here.Email, "--password-stdin"], password)).ExitCode);

        var listed = await here.RunAsync(["sessions", "list"]);
        var rows = listed.Output.TrimEnd('\n').Split('\n').Skip(1).Select(static line => line.Split('\t')).ToArray();
        var other = Assert.Single(rows, static row => row[^1] != "this one");
        var ended = await here.RunAsync(["sessions", "revoke", other[0]]);
        var again = await here.RunAsync(["sessions", "revoke", other[0]]);

        Assert.Equal(2, rows.Length);
        Assert.All(rows, static row => Assert.Equal("lintel-cli", row[1]));
        Assert.Equal((0, "Ended.\n"), (ended.ExitCode, ended.Errors));
        Assert.NotEqual(0, again.ExitCode);
        Assert.Equal(77, (await there.RunAsync(["whoami"])).ExitCode);

        Assert.Equal(0, (await there.RunAsync(["login", "--email", here.Email, "--password-stdin"], password)).ExitCode);
        Assert.Equal((0, "Ended: 1.\n"), await OutcomeAsync(here, "--others"));
        Assert.Equal(64, (await here.RunAsync(["sessions", "revoke"])).ExitCode);
        Assert.Equal(64, (await here.RunAsync(["sessions", "revoke", "--others", "--all"])).ExitCode);
        Assert.Equal((0, "Ended: 1.\n"), await OutcomeAsync(here, "--all"));
        Assert.Equal(77, (await here.RunAsync(["whoami"])).ExitCode);

        static async Task<(int ExitCode, string Errors)> OutcomeAsync(CliHome home, string which)
        {
            var result = await home.RunAsync(["sessions", "revoke", which]);
            return (result.ExitCode, result.Errors);
        }
    }

    [Fact]
    public async Task No_secret_is_shown_however_much_is_told()
    {
        var home = await server.SignInAsync();
        await ExpireAsync(home);
        var before = await SecretsAsync(home);

        CliResult[] results =
        [
            await home.RunAsync(["whoami", "--verbose"]),
            await home.RunAsync(["run", "--verbose", home.Write("main.py", "import os; print(os.environ, open('/proc/self/cmdline').read())")]),
            await home.RunAsync(["jobs", "show", "--verbose", "00000000-0000-0000-0000-000000000000"]),
        ];

        var secrets = before.Concat(await SecretsAsync(home)).Distinct().ToArray();
        Assert.Equal(4, secrets.Length);
        Assert.All(results, result => Assert.All(secrets, secret => Assert.DoesNotContain(secret, result.Output + result.Errors, StringComparison.Ordinal)));
        Assert.Contains("POST /auth/refresh 200", results[0].Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_password_is_asked_for_without_showing_it()
    {
        var home = await server.SignInAsync();
        await home.RunAsync(["logout"]);
        using var terminal = home.StartOnTerminal("login");

        await terminal.ShowsAsync("E-mail: ");
        terminal.Type(home.Email + "\n");
        await terminal.ShowsAsync("Password: ");
        Assert.False(terminal.Echo);
        terminal.Type(CliServer.Password + "\n");

        Assert.Equal(0, await terminal.Exited);
        Assert.True(terminal.Echo);
        await terminal.ShowsAsync($"as {home.Email}.");
        Assert.DoesNotContain(CliServer.Password, terminal.Shown, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(CliServer.Password, 0, "Signed in to ")]
    [InlineData("correct horse batery", 64, "lintel: The two passwords differ, so no account was made; try again.")]
    public async Task The_password_of_a_new_account_is_asked_for_twice(string again, int exitCode, string said)
    {
        var home = server.NewHome();
        using var terminal = home.StartOnTerminal("login", "--register", "--email", home.Email);

        await terminal.ShowsAsync("Password: ");
        terminal.Type(CliServer.Password + "\n");
        await terminal.ShowsAsync("Password again: ");
        terminal.Type(again + "\n");

        Assert.Equal(exitCode, await terminal.Exited);
        await terminal.ShowsAsync(said);
        Assert.Equal(exitCode == 0, (await home.RunAsync(["whoami"])).ExitCode == 0);
    }

    [Fact]
    public async Task Who_has_an_account_already_is_told_to_sign_in_to_it()
    {
        var home = await server.SignInAsync();

        var refused = await home.RunAsync(["login", "--register", "--email", home.Email, "--password-stdin"], CliServer.Password + "\n");

        Assert.Equal((65, "lintel: There is an account with this e-mail address already; leave out --register to sign in to it.\n"), (refused.ExitCode, refused.Errors));
    }

    [Fact]
    public async Task Who_gives_up_at_the_password_has_a_terminal_that_echoes()
    {
        var home = server.NewHome();
        using var terminal = home.StartOnTerminal("login", "--email", "somebody@example.com");
        await terminal.ShowsAsync("Password: ");

        terminal.Type("\u0003");

        Assert.Equal(130, await terminal.Exited);
        Assert.True(terminal.IsCooked);
    }

    [Fact]
    public async Task A_wrong_password_is_told_in_one_sentence_and_changes_nothing()
    {
        var home = await server.SignInAsync();

        var refused = await home.RunAsync(["login", "--email", home.Email, "--password-stdin"], "wrong password\n");
        var known = await home.RunAsync(["whoami"]);

        Assert.Equal((77, "lintel: The e-mail address or the password is wrong; try again.\n"), (refused.ExitCode, refused.Errors));
        Assert.Equal(0, known.ExitCode);
    }

    [Fact]
    public async Task The_credentials_are_their_owners_alone_from_the_beginning()
    {
        var home = await server.SignInAsync();

        Assert.Equal(Owner | UnixFileMode.UserExecute, File.GetUnixFileMode(home.ConfigFolder));
        Assert.All(Directory.EnumerateFiles(home.ConfigFolder), static file => Assert.Equal(Owner, File.GetUnixFileMode(file)));
        Assert.Equal(["credentials.json", "credentials.lock"], Directory.EnumerateFiles(home.ConfigFolder).Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task Credentials_that_others_can_read_are_not_used()
    {
        var home = await server.SignInAsync();
        File.SetUnixFileMode(home.CredentialFile, Owner | UnixFileMode.GroupRead);

        var refused = await home.RunAsync(["whoami"]);

        Assert.Equal(78, refused.ExitCode);
        Assert.Contains($"`chmod 600 {home.CredentialFile}`", refused.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Many_commands_at_once_renew_an_expired_token_once()
    {
        var home = await server.SignInAsync();
        await ExpireAsync(home);

        var results = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => home.RunAsync(["whoami", "--verbose"])));
        await ExpireAsync(home);
        var later = await home.RunAsync(["whoami"]);

        Assert.All(results, static result => Assert.Equal(0, result.ExitCode));
        Assert.Single(results, static result => result.Errors.Contains("POST /auth/refresh 200", StringComparison.Ordinal));
        Assert.Equal(0, later.ExitCode);
    }

    [Fact]
    public async Task A_token_that_the_server_no_longer_takes_is_renewed_whatever_its_time()
    {
        var home = await server.SignInAsync();
        await ChangeAsync(home, static signIn => signIn["access_token"] = "not.a.token");

        var known = await home.RunAsync(["whoami"]);

        Assert.Equal(0, known.ExitCode);
    }

    [Fact]
    public async Task A_key_is_a_sign_in_too()
    {
        var home = server.NewHome();

        var signedIn = await home.RunAsync(["login", "--api-key", "--password-stdin"], CliServer.StaticKey + "\n");
        var run = await home.RunAsync(["run", home.Write("main.py", "print(6 * 7)")]);

        Assert.Equal(0, signedIn.ExitCode);
        Assert.DoesNotContain(CliServer.StaticKey, signedIn.Output + signedIn.Errors, StringComparison.Ordinal);
        Assert.Equal((0, "42\n"), (run.ExitCode, run.Output));
    }

    [Fact]
    public async Task The_environments_key_wins_over_what_is_stored()
    {
        var home = await server.SignInAsync();
        home.Environment["LINTEL_API_KEY"] = "ltl_wrong";

        var refused = await home.RunAsync(["run", home.Write("main.py", "print(1)")]);

        Assert.Equal((77, ""), (refused.ExitCode, refused.Output));
        Assert.DoesNotContain("ltl_wrong", refused.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_credentials_go_to_another_machine_unencrypted()
    {
        var home = server.NewHome();
        home.Environment["LINTEL_SERVER"] = "http://lintel.example.com";
        home.Environment["LINTEL_API_KEY"] = CliServer.StaticKey;

        var refused = await home.RunAsync(["whoami"]);
        var signIn = await home.RunAsync(["login", "--email", "a@example.com", "--password-stdin"], "secret\n");

        Assert.Equal((78, 78), (refused.ExitCode, signIn.ExitCode));
        Assert.Contains("--insecure", refused.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_told_in_one_sentence()
    {
        var home = server.NewHome(new Uri("http://127.0.0.1:1"));

        var refused = await home.RunAsync(["login", "--email", "a@example.com", "--password-stdin"], "secret\n");

        Assert.Equal(69, refused.ExitCode);
        Assert.Equal(
            "lintel: http://127.0.0.1:1 cannot be reached (Connection refused); is the server running? `--server` or LINTEL_SERVER names another.\n", refused.Errors);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static async Task<string[]> SecretsAsync(CliHome home)
    {
        var signIn = Assert.Single(JsonNode.Parse(await File.ReadAllTextAsync(home.CredentialFile, Cancel))!["servers"]!.AsObject()).Value!;
        return [(string)signIn["access_token"]!, (string)signIn["refresh_token"]!];
    }

    private static Task ExpireAsync(CliHome home) => ChangeAsync(home, static signIn => signIn["expires_at"] = "2026-01-01T00:00:00Z");

    private static async Task ChangeAsync(CliHome home, Action<JsonObject> change)
    {
        var file = JsonNode.Parse(await File.ReadAllTextAsync(home.CredentialFile, Cancel))!;
        change(Assert.Single(file["servers"]!.AsObject()).Value!.AsObject());
        await File.WriteAllTextAsync(home.CredentialFile, file.ToJsonString(new JsonSerializerOptions { WriteIndented = true }), Cancel);
    }
}
