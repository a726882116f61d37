using System.Text.Json;
using Lintel.Cli.Infrastructure;

namespace Lintel.Cli;

/// <summary>Administrators: made on the server's machine, and what they do from anywhere.</summary>
public sealed class AdminTests(CliServer server)
{
    [Fact]
    public async Task An_administrator_is_made_on_the_servers_machine_without_its_network()
    {
        var home = server.NewHome(new Uri("http://127.0.0.1:1"));

        var made = await home.RunAsync(["admin", "create", "--data", server.DataFolder, "--email", home.Email, "--password-stdin"], CliServer.Password + "\n");
        var again = await home.RunAsync(["admin", "create", "--data", server.DataFolder, "--email", home.Email]);

        Assert.Equal((0, ""), (made.ExitCode, made.Output));
        Assert.Matches($"^{home.Email} is account [0-9]+: a new account, and an administrator\\.\n$", made.Errors);
        Assert.Equal(0, again.ExitCode);
        Assert.EndsWith(": an administrator, with the password that the account had.\n", again.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whoever_registered_an_address_first_is_made_one_only_by_force()
    {
        var person = await server.SignInAsync();

        var refused = await person.RunAsync(["admin", "create", "--data", server.DataFolder, "--email", person.Email]);
        var forced = await person.RunAsync(["admin", "create", "--data", server.DataFolder, "--email", person.Email, "--force"]);

        Assert.Equal((65, ""), (refused.ExitCode, refused.Output));
        Assert.Contains("never confirmed", refused.Errors, StringComparison.Ordinal);
        Assert.Contains("--reset-password", refused.Errors, StringComparison.Ordinal);
        Assert.Equal(0, forced.ExitCode);
    }

    [Fact]
    public async Task Without_a_terminal_a_password_must_come_by_standard_input()
    {
        var home = server.NewHome();
        var made = await home.RunAsync(["admin", "create", "--data", server.DataFolder, "--email", home.Email]);

        Assert.Equal((64, ""), (made.ExitCode, made.Output));
        Assert.Contains("--password-stdin", made.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_without_a_server_is_told()
    {
        var home = server.NewHome();
        var made = await home.RunAsync(["admin", "create", "--data", home.Folder, "--email", home.Email]);

        Assert.Equal(69, made.ExitCode);
        Assert.Contains("No server with the data folder", made.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_table_of_another_system_is_taken_over_line_by_line_and_may_be_sent_again()
    {
        var admin = await AdminAsync();
        var mark = Guid.CreateVersion7().ToString("N");
        admin.Write("users.csv", $""""
            id,email,hashed_password,full_name,is_active,is_superuser,created_at
            1,one-{mark}@example.com,$2b$04$abcdefghijklmnopqrstuuqREtd3VJD2QVZbuFskFSLk6eRIrQoOS,"One, the ""first""",True,False,2024-05-01 08:00:00
            2,two-{mark}@example.com,$2b$31$abcdefghijklmnopqrstuuqREtd3VJD2QVZbuFskFSLk6eRIrQoOS,Two,1,0,

            3,three-{mark}@example.com,,"Three
            lines",t,f,
            4,four-{mark}@example.com,,Four,maybe,f,
            5,five-{mark}@example.com,,"=cmd|' /C calc'!A0",f,f,

            """");

        var looked = await admin.RunAsync(["users", "import", "users.csv", "--dry-run"]);
        var first = await admin.RunAsync(["users", "import", "users.csv", "--json"]);
        var second = await admin.RunAsync(["users", "import", "users.csv"]);

        Assert.Equal(1, looked.ExitCode);
        Assert.EndsWith("2 would be made, 0 there already, 3 refused.\n", looked.Errors, StringComparison.Ordinal);
        var lines = first.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement).ToArray();
        Assert.Equal([7, 3, 5], lines[..^1].Select(line => line.GetProperty("line").GetInt32()));
        Assert.Equal("""{"created":2,"existing":0,"refused":3,"dry_run":false}""", lines[^1].GetRawText());
        Assert.EndsWith("0 made, 2 there already, 3 refused.\n", second.Errors, StringComparison.Ordinal);

        // The old password is good.
        var one = server.NewHome();
        Assert.Equal(0, (await one.RunAsync(["login", "--email", $"one-{mark}@example.com", "--password-stdin"], CliServer.Password + "\n")).ExitCode);
        var list = await admin.RunAsync(["users", "list", "--search", $"five-{mark}", "--json"]);
        Assert.Equal("disabled", JsonDocument.Parse(list.Output).RootElement.GetProperty("state").GetString());
    }

    [Fact(Timeout = 120_000)]
    public async Task An_import_tells_how_far_it_is_and_goes_on_where_it_was_interrupted()
    {
        const int Lines = 10_000;
        var admin = await AdminAsync();
        var mark = Guid.CreateVersion7().ToString("N");
        admin.Write("many.csv", "email,name\n" + string.Concat(Enumerable.Range(0, Lines).Select(i => $"person-{i}-{mark}@example.com,Person {i}\n")));
        using (var terminal = admin.StartOnTerminal("users", "import", "many.csv"))
        {
            await terminal.ShowsAsync("%");
            terminal.Type("\u0003");
            Assert.Equal(130, await terminal.Exited);
            await terminal.ShowsAsync("It ended before the file did. So far: ");
        }

        var again = await admin.RunAsync(["users", "import", "many.csv", "--json"]);

        // Of each part everybody was made or nobody, and nobody twice.
        Assert.Equal(0, again.ExitCode);
        var sum = JsonDocument.Parse(again.Output.TrimEnd().Split('\n')[^1]).RootElement;
        var (created, existing) = (sum.GetProperty("created").GetInt32(), sum.GetProperty("existing").GetInt32());
        Assert.Equal(Lines, created + existing);
        Assert.InRange(existing, 200, Lines - 200);
        Assert.Equal(0, existing % 200);
        Assert.EndsWith($"0 made, {Lines:N0} there already, 0 refused.\n", (await admin.RunAsync(["users", "import", "many.csv"])).Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task People_are_disabled_enabled_signed_out_and_deleted_by_their_address()
    {
        var admin = await AdminAsync();
        var person = await server.SignInAsync();

        Assert.Equal((0, "Disabled.\n"), Told(await admin.RunAsync(["users", "disable", person.Email, "--reason", "Left."])));
        Assert.Equal(77, (await person.RunAsync(["whoami"])).ExitCode);
        Assert.Equal((0, "Enabled.\n"), Told(await admin.RunAsync(["users", "enable", person.Email.ToUpperInvariant()])));
        Assert.Equal((0, "Signed out.\n"), Told(await admin.RunAsync(["users", "sign-out", person.Email])));
        Assert.Equal(0, (await admin.RunAsync(["users", "delete", person.Email, "--yes"])).ExitCode);
        var gone = await admin.RunAsync(["users", "disable", person.Email]);
        Assert.Equal(66, gone.ExitCode);
        Assert.Contains("There is no account with the e-mail address", gone.Errors, StringComparison.Ordinal);
    }

    private static (int ExitCode, string Errors) Told(CliResult result) => (result.ExitCode, result.Errors);

    private async Task<CliHome> AdminAsync()
    {
        var home = server.NewHome();
        var made = await home.RunAsync(["admin", "create", "--data", server.DataFolder, "--email", home.Email, "--password-stdin"], CliServer.Password + "\n");
        Assert.Equal(0, made.ExitCode);
        Assert.Equal(0, (await home.RunAsync(["login", "--email", home.Email, "--password-stdin"], CliServer.Password + "\n")).ExitCode);
        return home;
    }
}
